// Composer: the one place where the fields of a change are checked, for REST and sockets alike.
// Errors: invalid_field (the detail names the field), too_long, media_not_uploaded, forbidden.
// Threading: pure.
#pragma once

#include "base/result.hpp"
#include "model/stages.hpp"

#include <optional>
#include <string_view>

namespace parley::chat {

struct PostFields {
    std::string_view nonce, type, content;
    std::optional<model::MediaId> media_id;
    std::optional<model::MessageId> reply_to;
    model::MediaFactsRef media = {}; // of media_id, as service::Media::attach() gave them
};

class Composer {
public:
    // content: 1..4,000 code points after trimming for TEXT, at most 4,000 for MEDIA; no NUL.
    static Result<model::Draft> post(model::RoomId, model::UserId, const PostFields&);
    // One that was held, as post() made it.
    static model::Draft again(model::RoomId, model::UserId, model::PostDraft);
    // The server itself takes back what a user has left, whatever rights that one has now.
    static model::Draft take_back(model::RoomId, model::UserId, model::DeleteDraft);
    static model::Draft take_back(model::RoomId, model::UserId, model::ReactDraft);
    static model::Draft take_back(model::RoomId, model::UserId, model::MemberDraft);
    static model::Draft take_back(model::RoomId, model::UserId, model::RoomDraft);
    // What the server has found out about the media of one's message.
    static model::Draft media(model::RoomId, model::UserId, model::MediaDraft);
    static Result<model::Draft> edit(model::RoomId, model::UserId, model::MessageId,
                                     std::string_view content);
    static Result<model::Draft> remove(model::RoomId, model::UserId, model::MessageId);
    // emoji: 1..16 code points, at most 64 bytes, no control or white space.
    static Result<model::Draft> react(model::RoomId, model::UserId, model::MessageId,
                                      std::string_view emoji, bool added);
    static Result<model::Draft> member(model::RoomId, model::UserId actor, model::MemberDraft);
    // Names and topics are checked here too (names.hpp).
    static Result<model::Draft> room(model::RoomId, model::UserId actor, model::RoomDraft);
    // The same by a moderator of the server, whatever role that one has in the room: only how fast
    // one may write there and how long it is kept. Else: forbidden.
    static Result<model::Draft> room_by_moderator(model::RoomId, model::UserId actor,
                                                  model::RoomDraft);
    static Result<model::Draft> create(model::UserId creator, model::CreateDraft);

private:
    static model::Draft by_server(model::RoomId, model::UserId, model::DraftBody);
};

} // namespace parley::chat
