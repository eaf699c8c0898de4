#include "api/users.hpp"

#include "api/json.hpp"
#include "protocol/v1/server_frame.hpp"

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

} // namespace

Result<service::NewAccount> new_account_of(const net::HttpRequest& request) {
    PARLEY_TRY(const JsonBody body, JsonBody::parse(request.body));
    service::NewAccount account;
    PARLEY_TRY(account.username, body.text("username"));
    PARLEY_TRY(account.email, body.text("email"));
    PARLEY_TRY(account.password, body.text("password"));
    account.from = address_block(request.peer_address);
    return account;
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
    if (!user.display_name.empty()) {
        out += R"(,"display_name":)";
        append_string(out, user.display_name);
    }
    if (user.avatar_media_id) {
        out += R"(,"avatar_media_id":)";
        append_id(out, user.avatar_media_id->value);
    }
    out += '}';
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
    }
    PARLEY_CO_TRY(const model::User user,
                  co_await x_accounts.change_profile(context.caller.user_id, std::move(change)));
    co_return user_answer(user);
}

} // namespace parley::api
