// Erasing a user: the job, kept in the store so that any process may ask for it and a crash does
// not end it, and what is left to erase. What the rooms must hear of goes through the log; here it
// is looked up, and the rows are blanked of what the log keeps.
//
// Threading: any core. Writes are durable when they answer. Errors besides those named: overloaded,
// unavailable.
#pragma once

#include "base/task.hpp"
#include "model/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace parley::ports {

// Also the receipt: it names nobody.
struct Erasure {
    model::UserId user_id;
    model::Time requested_at;
    std::optional<model::Time> done_at;
    std::uint64_t messages = 0, reactions = 0, rooms = 0, sessions = 0, held = 0;
    model::MessageId scanned; // messages up to here have been looked through
};

// A room that the user is still in.
struct ErasedMembership {
    model::RoomId room_id;
    bool alone = false; // nobody else is in it
    // Set where no owner would be left: who has been in it longest, admins first.
    std::optional<model::UserId> successor;
};

struct ErasedMessages {
    std::vector<std::pair<model::RoomId, model::MessageId>> messages;
    model::MessageId scanned;
    bool at_end = false;
};

struct ErasedReaction {
    model::RoomId room_id;
    model::MessageId message_id;
    std::string emoji;
};

class ErasureStore {
public:
    // Once for each user; again: the same job. In the same moment the account is disabled and its
    // sessions end. unknown_user, last_admin.
    virtual Task<Result<Erasure>> request_erasure(model::UserId user, model::Time now) = 0;
    virtual Task<Result<Erasure>> find_erasure(model::UserId user) = 0; // unknown_user
    virtual Task<Result<std::optional<Erasure>>> next_erasure() = 0;    // that is not done

    virtual Task<Result<std::vector<ErasedMembership>>> memberships_of(model::UserId user,
                                                                       std::size_t limit) = 0;
    // Not yet blanked messages of the user above `after`, also in deleted rooms. A call looks at a
    // bounded part of the log.
    virtual Task<Result<ErasedMessages>> messages_of(model::UserId user, model::MessageId after,
                                                     std::size_t limit) = 0;
    virtual Task<Result<std::vector<ErasedReaction>>> reactions_of(model::UserId user,
                                                                   std::size_t limit) = 0;

    // Blanks the rows of these messages (text, media, nonce) and keeps how far the job is.
    virtual Task<Result<void>> blank_messages(model::UserId user,
                                              std::vector<model::MessageId> messages,
                                              model::MessageId scanned) = 0;
    // A room that the job has deleted: its name and topic.
    virtual Task<Result<void>> blank_room(model::UserId user, model::RoomId room) = 0;
    virtual Task<Result<void>> count_left_room(model::UserId user) = 0;
    // Removes these reactions, and the user's emoji from the events of reactions, some at a time:
    // false when there may be more.
    virtual Task<Result<bool>> blank_reactions(model::UserId user,
                                               std::vector<ErasedReaction> reactions) = 0;
    // The rest: held messages, read marks, sessions, name, e-mail. The account stays, without a
    // name. Then nothing of it is left in the store's files either, as soon as no reader looks at
    // an older state.
    virtual Task<Result<Erasure>> finish_erasure(model::UserId user, model::Time now) = 0;

protected:
    ~ErasureStore() = default;
};

} // namespace parley::ports
