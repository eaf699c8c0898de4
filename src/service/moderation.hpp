// Moderation: what moderators do with held messages: those of a room by its admins and owners,
// those of every room by the server's moderators and admins.
//
// An approved message goes to the log as its author's, with its own nonce; words that are masked
// are masked. Until the log has it, it waits: approving again after a crash makes no second one.
//
// Threading: its core. Owner: api::Api. Errors besides those named: overloaded, unavailable.
#pragma once

#include "ports/held_store.hpp"
#include "service/accounts.hpp"
#include "service/rooms.hpp"

namespace parley::service {

class Media;

class Moderation {
public:
    Moderation(Rooms& rooms, const Accounts& accounts, ports::HeldStore& held,
               const ports::Clock& clock, Media* media)
        : x_rooms(rooms), x_accounts(accounts), x_held(held), x_clock(clock), x_media(media) {}

    // As chat::Action::moderate, or by a role on the server.
    Task<Result<void>> require(model::UserId user, model::RoomId room);
    // The message in the log. unknown_message; and what the log refuses, e.g. not_a_member when its
    // author has left: then it goes on waiting.
    Task<Result<model::Message>> approve(model::UserId moderator, model::RoomId room,
                                         model::HeldId held);
    Task<Result<void>> reject(model::UserId moderator, model::RoomId room, model::HeldId held);
    // Of one room, or (0) of all; the caller has asked for rights.
    Task<Result<std::vector<ports::HeldMessage>>> waiting(model::RoomId room, model::HeldId after,
                                                          std::size_t limit) {
        return x_held.waiting(room, after, limit);
    }

private:
    Rooms& x_rooms;
    const Accounts& x_accounts;
    ports::HeldStore& x_held;
    const ports::Clock& x_clock;
    Media* const x_media; // null: no files are served
};

} // namespace parley::service
