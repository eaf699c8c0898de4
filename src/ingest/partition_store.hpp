// PartitionStore: what the sequencer asks about the rooms of one partition, in memory, in front of
// the partition's shard; and the events that the shard does not have yet.
//
// Kafka has made each draft durable before it comes here, and what becomes of a draft depends on
// nothing but the log before it. So an event may be shown before it is in the shard: whoever takes
// the partition over goes on from what the shard has and comes to the same events with the same
// ids. commit() therefore waits for nothing; take_unstored() gives what is to be written.
//
// What is asked: rooms with their members, read once and then moved on by each event; nonces, only
// those that may have been used (model::NewNonces); messages, reactions and slow mode, of what is
// not stored from memory, else from the shard. What must be unique over all partitions (names,
// pairs, users) was settled before the draft was written: here it is not asked.
//
// Threading: the worker's thread of the shard. Owner: the worker. Bounds: limits::kWorkerRooms;
// unstored events are bounded by who puts (they stop reading the log).
#pragma once

#include "model/membership.hpp"
#include "model/new_nonces.hpp"
#include "ports/event_store.hpp"
#include "ports/shard_store.hpp"

#include <list>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace parley::ingest {

class PartitionStore final : public ports::EventStore {
public:
    // `newest_nonce`: ShardStore::newest_nonce() after the partition was taken over.
    PartitionStore(ports::ShardStore& shard, model::EventId last_id, std::string newest_nonce);

    // Reads what these drafts will ask for in few calls. Errors: unavailable.
    Result<void> prepare(std::span<const model::Draft* const> drafts);

    // Whether the shard was read since the last call. If another worker owned the partition by
    // then, what was sequenced meanwhile is not what the log makes.
    bool take_read() { return std::exchange(x_has_read, false); }

    // The events put since the last call, in order.
    std::vector<model::Sequenced> take_unstored();
    // They are in the shard now: memory of them may go.
    void note_stored(std::span<const model::Sequenced> events);

    Result<void> begin() override;
    Result<void> put(const model::Sequenced& sequenced) override;
    Result<void> commit() override { return {}; }
    void rollback() override {}
    Result<model::EventId> last_id() override { return x_last_id; }
    Result<std::optional<ports::StoredRoom>> room(model::RoomId room) override;
    Result<std::optional<model::Role>> role(model::RoomId room, model::UserId user) override;
    Result<std::optional<ports::StoredNonce>> nonce(model::RoomId room, model::UserId user,
                                                    std::string_view nonce) override;
    Result<std::optional<model::Message>> message(model::RoomId room,
                                                  model::MessageId message) override;
    Result<std::optional<model::Time>> paced_at(model::RoomId room, model::UserId user) override;
    Result<ReactionFacts> reaction(model::RoomId room, model::MessageId message, model::UserId user,
                                   std::string_view emoji) override;
    Result<std::optional<model::RoomId>> room_by_name_key(std::string_view) override {
        return std::optional<model::RoomId>{};
    }
    Result<std::optional<model::RoomId>> dm_of(model::UserId, model::UserId) override {
        return std::optional<model::RoomId>{};
    }
    Result<bool> user_exists(model::UserId) override { return true; }

private:
    struct Room {
        bool exists = false; // else it was asked for and is not there, or is deleted
        ports::StoredRoom stored;
        std::unordered_map<model::UserId, model::Role> roles;
        std::size_t unstored = 0; // events
        // Of these, those that ended slow mode: until they are stored, the shard still knows who
        // posted when.
        std::size_t ends_of_slow_mode = 0;
        std::list<model::RoomId>::iterator used;
    };
    // Something of a message that is not stored yet.
    struct Message {
        std::optional<model::Message> state; // nullopt: only its reactions changed
        std::optional<std::vector<ports::ShardStore::Reaction>> reactions;
        std::size_t unstored = 0; // events
    };
    struct Nonce {
        model::RoomId room_id;
        model::UserId user_id;
        model::MessageId message_id;
        model::EventId prev_id;
        model::Time at;
        std::uint64_t body_hash = 0;
    };

    Result<Room*> find(model::RoomId room);
    Room& remember(model::RoomId room);
    void fill(Room& entry, ports::ShardRoom read);
    void trim();
    void apply(const model::Sequenced& sequenced, const model::MessagePosted& posted);
    void apply(const model::Sequenced& sequenced, const model::MessageEdited& edited);
    void apply(const model::Sequenced& sequenced, const model::MessageDeleted& deleted);
    void apply(const model::Sequenced& sequenced, const model::ReactionChanged& reaction);
    void apply(const model::Sequenced& sequenced, const model::MemberChanged& change);
    void apply(const model::Sequenced& sequenced, const model::RoomChanged& change);
    void set_role(Room& room, model::UserId user, std::optional<model::Role> role);
    static bool ends_slow_mode(const model::Event& event);
    static model::MessageId subject_of(const model::Event& event);
    const Nonce* find_unstored(model::RoomId room, model::UserId user,
                               std::string_view nonce) const;

    ports::ShardStore& shard() {
        x_has_read = true;
        return x_shard;
    }

    ports::ShardStore& x_shard;
    bool x_has_read = false;
    const model::EventId x_last_id;
    model::NewNonces x_new_nonces;
    std::unordered_map<model::RoomId, Room> x_rooms;
    std::list<model::RoomId> x_by_use; // most recent first
    std::unordered_map<model::MessageId, Message> x_messages;
    std::optional<model::Message> x_read; // the shard's answer to the present draft
    model::MessageId x_asked;             // whose reactions were read for the present draft
    std::unordered_multimap<std::string, Nonce> x_nonces; // of unstored messages
    std::unordered_map<model::Membership, model::Time, model::MembershipHash> x_paced;
    std::vector<model::Sequenced> x_unstored;
    // What prepare() has read, good until the next.
    std::unordered_multimap<std::string, std::pair<ports::NonceKey,
                                                   std::optional<ports::StoredNonce>>> x_prepared;
};

} // namespace parley::ingest
