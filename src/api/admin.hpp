// REST for those who run the server: accounts, rooms, and what is in force.
//
//   GET /v1/admin/users · GET, PATCH /v1/admin/users/{user_id}
//   POST /v1/admin/users/{user_id}/sessions/revoke · /password
//   POST /v1/admin/users/{user_id}/erase · GET /v1/admin/erasures/{user_id}   all for admins
//   GET /v1/admin/rooms · GET /v1/admin/server                           for moderators
//
// Threading: its core. Owner: Api.
#pragma once

#include "api/router.hpp"
#include "ports/clock.hpp"
#include "ports/credentials.hpp"
#include "ports/erasure_store.hpp"
#include "ports/room_directory.hpp"
#include "service/accounts.hpp"

#include <cstdint>
#include <string_view>

namespace parley::api {

// What a server says of itself.
struct ServerFacts {
    std::string_view version;        // a constant of the program
    std::uint32_t retention_days = 0; // 0: for ever
};

class AdminRoutes {
public:
    AdminRoutes(service::Accounts& accounts, ports::RoomDirectory& directory,
                ports::ErasureStore& erasures, const ports::TokenSigner& signer,
                const ports::Clock& clock, const ServerFacts& facts, Router& router);
    AdminRoutes(const AdminRoutes&) = delete;
    AdminRoutes& operator=(const AdminRoutes&) = delete;

private:
    using Answer = Task<Result<net::HttpResponse>>;
    Answer list_users(RequestContext context);
    Answer get_user(RequestContext context);
    Answer patch_user(RequestContext context);
    Answer revoke_sessions(RequestContext context);
    Answer set_password(RequestContext context);
    Answer list_rooms(RequestContext context);
    Answer get_server(RequestContext context);
    Answer erase(RequestContext context);
    Answer get_erasure(RequestContext context);
    void append_receipt(std::string& out, const ports::Erasure& erasure) const;

    service::Accounts& x_accounts;
    ports::RoomDirectory& x_directory;
    ports::ErasureStore& x_erasures;
    const ports::TokenSigner& x_signer;
    const ports::Clock& x_clock;
    const ServerFacts x_facts;
};

} // namespace parley::api
