// What a surface makes of a client's request: the draft of a change. Pure.
#pragma once

#include "chat/composer.hpp"
#include "tests/sim/wire.hpp"

#include <string>

namespace parley::sim {

inline Result<model::Draft> compose(model::UserId user, const Request& request) {
    using Kind = Request::Kind;
    const std::string content = "c" + std::to_string(request.content);
    switch (request.kind) {
    case Kind::send: {
        const std::string nonce = nonce_text(request.nonce);
        return chat::Composer::post(request.room, user, {nonce, "TEXT", content, {}, {}});
    }
    case Kind::edit:
        return chat::Composer::edit(request.room, user, request.message, content);
    case Kind::remove:
        return chat::Composer::remove(request.room, user, request.message);
    case Kind::react:
        return chat::Composer::react(request.room, user, request.message, "+1", request.added);
    case Kind::member:
        return chat::Composer::member(request.room, user,
                                      {request.subject, request.action, request.role});
    case Kind::room: {
        model::RoomDraft draft;
        draft.name = "n" + std::to_string(request.content);
        draft.visibility = request.open ? model::Visibility::open : model::Visibility::restricted;
        draft.slow_mode_seconds = request.pause_s;
        return chat::Composer::room(request.room, user, draft);
    }
    case Kind::mark:
    case Kind::subscribe:
        break;
    }
    return Error(Errc::internal, "not a draft");
}

} // namespace parley::sim
