#include "api/admin.hpp"

#include "api/json.hpp"
#include "api/page.hpp"
#include "api/rooms.hpp"
#include "api/users.hpp"
#include "chat/names.hpp"
#include "protocol/v1/server_frame.hpp"

#include <array>
#include <charconv>

namespace parley::api {

namespace {

// What its owner sees, and whether the account is disabled.
void append_account(std::string& out, const model::User& user) {
    append_user(out, user);
    out.pop_back(); // the brace that closes it
    out += user.disabled ? R"(,"disabled":true})" : R"(,"disabled":false})";
}

Result<model::ServerRole> role_from(const std::string& text) {
    const auto role = model::server_role_named(text);
    if (!role) return invalid_field("role", "user, moderator or admin");
    return *role;
}

void append_number(std::string& out, double number) {
    std::array<char, 32> text;
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
    out.append(text.data(), end);
}

} // namespace

AdminRoutes::AdminRoutes(service::Accounts& accounts, ports::RoomDirectory& directory,
                         ports::ErasureStore& erasures, const ports::TokenSigner& signer,
                         const ports::Clock& clock, const ServerFacts& facts, Router& router)
    : x_accounts(accounts),
      x_directory(directory),
      x_erasures(erasures),
      x_signer(signer),
      x_clock(clock),
      x_facts(facts) {
    const auto to = [this](Answer (AdminRoutes::*method)(RequestContext)) -> Handler {
        return
            [this, method](RequestContext context) { return (this->*method)(std::move(context)); };
    };
    const std::string users = "/v1/admin/users", one = users + "/{user_id}";
    router.add("GET", users, to(&AdminRoutes::list_users), Access::admin);
    router.add("GET", one, to(&AdminRoutes::get_user), Access::admin);
    router.add("PATCH", one, to(&AdminRoutes::patch_user), Access::admin);
    router.add("POST", one + "/sessions/revoke", to(&AdminRoutes::revoke_sessions), Access::admin);
    router.add("POST", one + "/password", to(&AdminRoutes::set_password), Access::admin);
    router.add("POST", one + "/erase", to(&AdminRoutes::erase), Access::admin);
    router.add("GET", "/v1/admin/erasures/{user_id}", to(&AdminRoutes::get_erasure), Access::admin);
    router.add("GET", "/v1/admin/rooms", to(&AdminRoutes::list_rooms), Access::moderator);
    router.add("GET", "/v1/admin/server", to(&AdminRoutes::get_server), Access::moderator);
}

AdminRoutes::Answer AdminRoutes::list_users(RequestContext context) {
    PARLEY_CO_TRY(const std::size_t limit, page_limit(context.request));
    PARLEY_CO_TRY(const std::int64_t after, page_cursor(context.request, CursorTag::users));
    PARLEY_CO_TRY(const auto query, query_text(context.request, "query"));
    PARLEY_CO_TRY(auto users,
                  co_await x_accounts.search(query.value_or(""), model::UserId{after}, limit + 1));
    net::HttpResponse response;
    response.body = page(
        "users", std::move(users), limit, CursorTag::users,
        [](std::string& out, const model::User& user, std::size_t) { append_account(out, user); },
        [](const model::User& user) { return user.id.value; });
    co_return response;
}

AdminRoutes::Answer AdminRoutes::get_user(RequestContext context) {
    PARLEY_CO_TRY(const model::User user, co_await x_accounts.find(context.user_id));
    net::HttpResponse response;
    append_account(response.body, user);
    co_return response;
}

AdminRoutes::Answer AdminRoutes::patch_user(RequestContext context) {
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    ports::StandingChange change;
    PARLEY_CO_TRY(const auto role, body.optional_text("role"));
    if (role) {
        PARLEY_CO_TRY(change.role, role_from(*role));
    }
    PARLEY_CO_TRY(change.disabled, body.optional_flag("disabled"));
    PARLEY_CO_TRY(const model::User user,
                  co_await x_accounts.change_standing(context.user_id, change));
    net::HttpResponse response;
    append_account(response.body, user);
    co_return response;
}

AdminRoutes::Answer AdminRoutes::revoke_sessions(RequestContext context) {
    PARLEY_CO_CHECK(co_await x_accounts.end_sessions(context.user_id));
    net::HttpResponse response;
    response.status = 204;
    co_return response;
}

AdminRoutes::Answer AdminRoutes::set_password(RequestContext context) {
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    PARLEY_CO_TRY(std::string password, body.text("password"));
    PARLEY_CO_CHECK(co_await x_accounts.set_password(context.user_id, std::move(password)));
    net::HttpResponse response;
    response.status = 204;
    co_return response;
}

AdminRoutes::Answer AdminRoutes::list_rooms(RequestContext context) {
    return search_rooms(x_directory, std::move(context.request), ports::Groups::all);
}

AdminRoutes::Answer AdminRoutes::get_server(RequestContext) {
    service::RateLimits& rates = x_accounts.rates();
    net::HttpResponse response;
    std::string& out = response.body;
    out = R"({"version":)";
    protocol::v1::append_string(out, x_facts.version);
    out += R"(,"retention_days":)";
    out += x_facts.retention_days ? std::to_string(x_facts.retention_days) : "null";
    out += R"(,"limits":[)";
    for (const service::LimitInfo& each : service::all_limits()) {
        if (out.back() != '[') out += ',';
        out += R"({"name":")" + std::string(each.name) + R"(","rate":)";
        const RateLimit& limit = rates.limit(each.limit);
        if (limit.is_unlimited()) {
            out += R"(null,"burst":null)";
        } else {
            append_number(out, limit.per_second);
            out += R"(,"burst":)";
            append_number(out, limit.burst);
        }
        out += R"(,"refused":)" + std::to_string(rates.refusals(each.limit).value()) + '}';
    }
    out += "]}";
    co_return response;
}

// The receipt names nobody. Its digest is of the text between the braces, as it stands here.
void AdminRoutes::append_receipt(std::string& out, const ports::Erasure& erasure) const {
    const auto number = [](std::uint64_t value) { return std::to_string(value); };
    std::string text =
        R"("user_id":")" + erasure.user_id.to_string() + R"(","requested_at":")" +
        model::to_rfc3339(erasure.requested_at) + R"(","done_at":)" +
        (erasure.done_at ? "\"" + model::to_rfc3339(*erasure.done_at) + "\"" : std::string("null"));
    text += R"(,"state":")" + std::string(erasure.done_at ? "done" : "running") +
            R"(","counts":{"messages":)" + number(erasure.messages) + R"(,"reactions":)" +
            number(erasure.reactions) + R"(,"rooms":)" + number(erasure.rooms) + R"(,"sessions":)" +
            number(erasure.sessions) + R"(,"held":)" + number(erasure.held) + "}";
    out += "{" + text + R"(,"sha256":")";
    for (const char c : x_signer.digest(text)) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        out += kDigits[static_cast<unsigned char>(c) >> 4];
        out += kDigits[static_cast<unsigned char>(c) & 15];
    }
    out += "\"}";
}

AdminRoutes::Answer AdminRoutes::erase(RequestContext context) {
    PARLEY_CO_TRY(const ports::Erasure erasure,
                  co_await x_erasures.request_erasure(context.user_id, x_clock.now()));
    PARLEY_CO_CHECK(co_await x_accounts.look_for_revocations());
    net::HttpResponse response;
    response.status = 202;
    append_receipt(response.body, erasure);
    co_return response;
}

AdminRoutes::Answer AdminRoutes::get_erasure(RequestContext context) {
    PARLEY_CO_TRY(const ports::Erasure erasure, co_await x_erasures.find_erasure(context.user_id));
    net::HttpResponse response;
    append_receipt(response.body, erasure);
    co_return response;
}

} // namespace parley::api
