// REST: users, sessions, the caller's own profile.
//
//   POST /v1/users · POST /v1/sessions · POST /v1/sessions/refresh · DELETE /v1/sessions/current
//   GET, PATCH /v1/me · GET /v1/users?ids=
//
// Threading: its core. Owner: Api.
#pragma once

#include "api/router.hpp"
#include "service/accounts.hpp"
#include "service/media.hpp"

namespace parley::api {

class UserRoutes {
public:
    // `media`: null where none are served.
    UserRoutes(service::Accounts& accounts, service::Media* media, Router& router);
    UserRoutes(const UserRoutes&) = delete;
    UserRoutes& operator=(const UserRoutes&) = delete;

private:
    using Answer = Task<Result<net::HttpResponse>>;
    Answer sign_up(RequestContext context);
    Answer log_in(RequestContext context);
    Answer refresh(RequestContext context);
    Answer log_out(RequestContext context);
    Answer get_me(RequestContext context);
    Answer patch_me(RequestContext context);
    Answer get_people(RequestContext context);

    service::Accounts& x_accounts;
    service::Media* const x_media;
};

// {id, username, email, created_at, role, display_name?, avatar_media_id?}
void append_user(std::string& out, const model::User& user);

// ,display_name? ,avatar_media_id?
void append_looks(std::string& out, std::string_view display_name,
                  std::optional<model::MediaId> avatar);

// {id, username, display_name?, avatar_media_id?}: what everybody may know.
void append_person(std::string& out, const model::User& user);

// What the client says that it is, and where it calls from; for both surfaces.
model::Device device_of(const net::HttpRequest& request);

// The fields of a sign-up, and where it comes from; for both surfaces.
Result<service::NewAccount> new_account_of(const net::HttpRequest& request);

} // namespace parley::api
