// Sequencer: turns a room's drafts into its one ordered log. State + draft in log order -> event.
//
// It drops a (room, user, nonce) that the log has had, however long ago (no time window), asks the
// authoriser with the facts of that moment (so a role that changed a moment earlier counts), gives
// the id and the prev_id. It keeps each room's rate, and its slow mode: how long ago a member
// posted is asked of the store, so a restart changes nothing. The same class runs in both products;
// the store answers for what came before.
//
// Threading: the log's thread. Owner: ingest::Ingester. Bounds: limits::kRoomHeadsCached.
// After a commit that failed call forget(): what the cache learnt in that transaction is not true.
#pragma once

#include "base/metrics.hpp"
#include "base/rate_bucket.hpp"
#include "base/result.hpp"
#include "chat/snowflake.hpp"
#include "model/stages.hpp"
#include "ports/event_store.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace parley::chat {

// What a room may take, from members: outsiders are refused before. Counters may be null.
struct RoomLimits {
    RateLimit sends, joins;
    Counter* sends_refused = nullptr;
    Counter* joins_refused = nullptr;
    Counter* slow_mode_refused = nullptr;
};

class Sequencer {
public:
    Sequencer(ports::EventStore& store, Snowflake snowflake, RoomLimits limits = {});

    // Exactly one of the three is set when there is no error.
    struct Verdict {
        std::optional<model::Sequenced> event;    // new: put it into the store
        std::optional<model::Sequenced> repeated; // the log has it: answer it, store nothing
        bool nothing_to_do = false; // it is so already (reaction there, member in, deleted)
    };
    // Errors: unavailable (the store; roll back), and refusals, which change nothing: forbidden,
    // not_a_member, unknown_room, unknown_user, unknown_message, nonce_conflict, last_owner,
    // room_name_taken, rate_limited (the room's limit, or its slow mode; a message whose nonce the
    // log has is answered all the same).
    Result<Verdict> sequence(const model::Filtered& filtered, model::Time now);

    void forget();
    // For tests/sim only to plant a bug; see tests/sim/README.md.
    enum class PlantedBug : std::uint8_t { none, no_nonce_check };
    void plant(PlantedBug bug) { x_bug = bug; }

private:
    struct Context; // the draft, its room's facts, the time
    Result<Verdict> post(const Context&, const model::PostDraft&);
    Result<Verdict> edit(const Context&, const model::EditDraft&);
    Result<Verdict> remove(const Context&, const model::DeleteDraft&);
    Result<Verdict> media(const Context&, const model::MediaDraft&);
    Result<Verdict> react(const Context&, const model::ReactDraft&);
    Result<Verdict> member(const Context&, const model::MemberDraft&);
    Result<Verdict> room(const Context&, const model::RoomDraft&);
    Result<Verdict> create(const Context&, const model::CreateDraft&);
    Result<Context> look_up(const model::Draft&, model::Time now);
    static model::Sequenced present_state(ports::StoredRoom stored);
    Result<void> check_users(const std::vector<model::UserId>&);
    model::Sequenced next(const Context&, model::EventBody);
    // What is known of a room while it is in use.
    struct Head {
        model::EventId id; // the newest event
        std::uint32_t slow_mode_seconds = 0;
        RateBucket sends, joins;
    };
    Head& head_of(model::RoomId);
    Result<void> take(RateBucket Head::* bucket, const Context&);
    Result<void> wait_for_turn(const Context&);

    ports::EventStore& x_store;
    Snowflake x_snowflake;
    const RoomLimits x_limits;
    model::Time x_newest;                            // time that a draft was sequenced at
    std::unordered_map<model::RoomId, Head> x_heads; // of rooms that are there
    PlantedBug x_bug = PlantedBug::none;
};

} // namespace parley::chat
