// Where the log's owner keeps events, and the facts that decide whether a draft may become one:
// the transactional, synchronous side of the room log. Used by ingest::Ingester only.
//
// Threading: one thread, the log's. Between begin() and commit() look-ups see what put() has
// written. put() stores the event AND everything derived from it (a message's present state,
// reactions, members, the room, the name's uniqueness) so that both are durable together or not at
// all. Errors of every call: unavailable (disk full, I/O); after one the caller rolls back.
#pragma once

#include "base/result.hpp"
#include "model/stages.hpp"

#include <optional>
#include <string_view>

namespace parley::ports {

// The message that a nonce made.
struct StoredNonce {
    model::Event event; // MessagePosted, with the message's present state
    std::uint64_t body_hash = 0;
};

struct StoredRoom {
    model::Room room;
    model::EventId last_id; // the newest event
    std::size_t owners = 0;
};

class EventStore {
public:
    virtual Result<void> begin() = 0;
    virtual Result<void> put(const model::Sequenced& sequenced) = 0;
    // Durable when it returns: fsync'd, if the store is one that can be.
    virtual Result<void> commit() = 0;
    virtual void rollback() = 0;

    // The greatest id ever given out by this store; at start, so that ids never go back.
    virtual Result<model::EventId> last_id() = 0;
    virtual Result<std::optional<StoredRoom>>
    room(model::RoomId room) = 0; // nullopt also if deleted
    virtual Result<std::optional<model::Role>> role(model::RoomId room, model::UserId user) = 0;
    virtual Result<std::optional<StoredNonce>> nonce(model::RoomId room, model::UserId user,
                                                     std::string_view nonce) = 0;
    virtual Result<std::optional<model::Message>> message(model::RoomId room,
                                                          model::MessageId message) = 0;
    // When this user's newest message that was put as paced() was made; nullopt: none since slow
    // mode was switched on. Leaving and coming back changes nothing.
    virtual Result<std::optional<model::Time>> paced_at(model::RoomId room, model::UserId user) = 0;
    // Whether this user's emoji stands on the message, and how many reactions the message has.
    struct ReactionFacts {
        bool present = false;
        std::size_t total = 0;
    };
    virtual Result<ReactionFacts> reaction(model::RoomId room, model::MessageId message,
                                           model::UserId user, std::string_view emoji) = 0;
    // `key` is the folded name (chat::name_key); of group rooms that are not deleted.
    virtual Result<std::optional<model::RoomId>> room_by_name_key(std::string_view key) = 0;
    virtual Result<std::optional<model::RoomId>> dm_of(model::UserId a, model::UserId b) = 0;
    virtual Result<bool> user_exists(model::UserId user) = 0;

protected:
    ~EventStore() = default;
};

} // namespace parley::ports
