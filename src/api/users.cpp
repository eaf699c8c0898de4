#include "api/users.hpp"

#include "api/json.hpp"
#include "api/page.hpp"
#include "protocol/v1/server_frame.hpp"

#include <algorithm>

namespace parley::api {

namespace {

using protocol::v1::append_id;
using protocol::v1::append_string;

net::HttpResponse user_answer(const model::User& user) {
    net::HttpResponse response;
    append_user(response.body, user);
    return response;
}

net::HttpResponse session_answer(int status, const service::SignedIn& session) {
    net::HttpResponse response;
    response.status = status;
    std::string& out = response.body;
    out = R"({"user":)";
    append_user(out, session.user);
    out += R"(,"access_token":)";
    append_string(out, session.access_token);
    out += R"(,"refresh_token":)";
    append_string(out, session.refresh_token);
    out += R"(,"expires_in":)" + std::to_string(session.expires_in.count()) + "}";
    return response;
}

Result<service::Credentials> credentials_of(const JsonBody& body) {
    service::Credentials credentials;
    PARLEY_TRY(auto email, body.optional_text("email"));
    PARLEY_TRY(auto username, body.optional_text("username"));
    if (!email && !username) return invalid_field("email", "this or username");
    credentials.by = email ? service::Credentials::By::email : service::Credentials::By::username;
    credentials.name = email ? *std::move(email) : *std::move(username);
    PARLEY_TRY(credentials.password, body.text("password"));
    return credentials;
}

// Ids with commas between.
Result<std::vector<model::UserId>> ids_from(std::string_view text) {
    std::vector<model::UserId> ids;
    for (bool more = true; more;) {
        const std::size_t comma = text.find(',');
        more = comma != std::string_view::npos;
        const auto id = model::UserId::parse(text.substr(0, comma));
        if (!id || ids.size() == limits::kPeopleAsked)
            return invalid_field("ids", "1 to " + std::to_string(limits::kPeopleAsked) +
                                            " ids with commas between");
        ids.push_back(*id);
        if (more) text.remove_prefix(comma + 1);
    }
    std::ranges::sort(ids);
    const auto repeated = std::ranges::unique(ids);
    ids.erase(repeated.begin(), repeated.end());
    return ids;
}

} // namespace

Result<service::NewAccount> new_account_of(const net::HttpRequest& request) {
    PARLEY_TRY(const JsonBody body, JsonBody::parse(request.body));
    service::NewAccount account;
    PARLEY_TRY(account.username, body.text("username"));
    PARLEY_TRY(account.email, body.text("email"));
    PARLEY_TRY(account.password, body.text("password"));
    account.from = address_block(request.peer_address);
    account.device = device_of(request);
    return account;
}

model::Device device_of(const net::HttpRequest& request) {
    model::Device device;
    for (const char c : request.header("user-agent").substr(0, limits::kUserAgentBytes))
        if (c >= ' ' && c <= '~') device.user_agent += c;
    device.address = request.peer_address;
    return device;
}

void append_user(std::string& out, const model::User& user) {
    out += R"({"id":)";
    append_id(out, user.id.value);
    out += R"(,"username":)";
    append_string(out, user.username);
    out += R"(,"email":)";
    append_string(out, user.email);
    out += R"(,"created_at":")" + model::to_rfc3339(user.created_at) + "\"";
    out += R"(,"role":")" + std::string(model::name_of(user.role)) + "\"";
    append_looks(out, user.display_name, user.avatar_media_id);
    out += '}';
}

void append_person(std::string& out, const model::User& user) {
    out += R"({"id":)";
    append_id(out, user.id.value);
    out += R"(,"username":)";
    append_string(out, user.username);
    append_looks(out, user.display_name, user.avatar_media_id);
    out += '}';
}

void append_looks(std::string& out, std::string_view display_name,
                  std::optional<model::MediaId> avatar) {
    if (!display_name.empty()) {
        out += R"(,"display_name":)";
        append_string(out, display_name);
    }
    if (avatar) {
        out += R"(,"avatar_media_id":)";
        append_id(out, avatar->value);
    }
}

UserRoutes::UserRoutes(service::Accounts& accounts, service::Media* media, Router& router)
    : x_accounts(accounts), x_media(media) {
    const auto to = [this](Answer (UserRoutes::*method)(RequestContext)) -> Handler {
        return
            [this, method](RequestContext context) { return (this->*method)(std::move(context)); };
    };
    router.add("POST", "/v1/users", to(&UserRoutes::sign_up), Access::anyone);
    router.add("POST", "/v1/sessions", to(&UserRoutes::log_in), Access::anyone);
    router.add("POST", "/v1/sessions/refresh", to(&UserRoutes::refresh), Access::anyone);
    router.add("DELETE", "/v1/sessions/current", to(&UserRoutes::log_out));
    router.add("GET", "/v1/me", to(&UserRoutes::get_me));
    router.add("PATCH", "/v1/me", to(&UserRoutes::patch_me));
    router.add("GET", "/v1/users", to(&UserRoutes::get_people));
}

UserRoutes::Answer UserRoutes::sign_up(RequestContext context) {
    PARLEY_CO_TRY(service::NewAccount account, new_account_of(context.request));
    PARLEY_CO_TRY(const service::SignedIn session, co_await x_accounts.sign_up(std::move(account)));
    co_return session_answer(201, session);
}

UserRoutes::Answer UserRoutes::log_in(RequestContext context) {
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    PARLEY_CO_TRY(service::Credentials credentials, credentials_of(body));
    credentials.from = address_block(context.request.peer_address);
    credentials.device = device_of(context.request);
    PARLEY_CO_TRY(const service::SignedIn session,
                  co_await x_accounts.log_in(std::move(credentials)));
    co_return session_answer(201, session);
}

UserRoutes::Answer UserRoutes::refresh(RequestContext context) {
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    PARLEY_CO_TRY(std::string token, body.text("refresh_token"));
    PARLEY_CO_TRY(const service::SignedIn session, co_await x_accounts.refresh(std::move(token)));
    co_return session_answer(200, session);
}

UserRoutes::Answer UserRoutes::log_out(RequestContext context) {
    PARLEY_CO_CHECK(co_await x_accounts.log_out(context.caller.session_id));
    net::HttpResponse response;
    response.status = 204;
    co_return response;
}

UserRoutes::Answer UserRoutes::get_me(RequestContext context) {
    PARLEY_CO_TRY(const model::User user, co_await x_accounts.profile(context.caller.user_id));
    co_return user_answer(user);
}

UserRoutes::Answer UserRoutes::patch_me(RequestContext context) {
    PARLEY_CO_TRY(const JsonBody body, JsonBody::parse(context.request.body));
    PARLEY_CO_TRY(const auto avatar, body.optional_id<model::MediaId>("avatar_media_id"));
    service::ProfileChange change;
    if (body.has("username")) {
        PARLEY_CO_TRY(change.username, body.text("username"));
    }
    PARLEY_CO_TRY(change.display_name, body.clearable_text("display_name"));
    if (avatar) {
        if (!x_media) co_return Errc::media_not_available;
        PARLEY_CO_CHECK(co_await x_media->attach_avatar(context.caller.user_id, *avatar));
        change.avatar_media_id = avatar;
    } else if (body.has("avatar_media_id")) {
        change.avatar_media_id = model::MediaId{}; // null takes it away
    }
    PARLEY_CO_TRY(const model::User user,
                  co_await x_accounts.change_profile(context.caller.user_id, std::move(change)));
    co_return user_answer(user);
}

UserRoutes::Answer UserRoutes::get_people(RequestContext context) {
    PARLEY_CO_TRY(const auto text, query_text(context.request, "ids"));
    PARLEY_CO_TRY(std::vector<model::UserId> ids, ids_from(text.value_or("")));
    PARLEY_CO_TRY(const auto users, co_await x_accounts.find(std::move(ids)));
    net::HttpResponse response;
    response.body = R"({"users":[)";
    for (const model::User& user : users) {
        if (&user != &users.front()) response.body += ',';
        append_person(response.body, user);
    }
    response.body += "]}";
    co_return response;
}

} // namespace parley::api
