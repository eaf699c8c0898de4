// PendingAnswers: the changes of this process that were written to the log and are not answered
// yet. Each is taken once: by its answer, by its event, by its message when that was read from the
// store, or by time.
//
// Numbers begin anywhere: an answer to a draft that this process wrote in an earlier life, under
// the same name, must not meet a number of this one; and if it did, the room would tell.
//
// Threading: any thread (a lock: held for a few map operations). Owner: app. Bound:
// limits::kPendingAnswers; add() then gives nothing.
#pragma once

#include "base/cluster_limits.hpp"
#include "base/metrics.hpp"
#include "ports/entropy.hpp"
#include "ports/room_log.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace parley::cluster {

struct Pending {
    ports::Origin origin;
    model::RoomId room_id;
    model::UserId user_id;
    // Of a PostDraft: what tells its message from another one.
    std::string nonce, content;
    bool names = false; // what this room is called must be settled before the answer
    bool makes_room = false;
    std::int64_t written_us = 0; // when the log had it, for spans; 0: not known
};

class PendingAnswers {
public:
    using Instant = std::chrono::steady_clock::time_point;

    PendingAnswers(ports::Entropy& entropy, Metrics& metrics)
        : x_last(first_number(entropy)),
          x_waiting(metrics.gauge("parley_answers_waiting",
                                  "Changes in the log that are not answered yet")),
          x_expired(metrics.counter("parley_answers_expired_total",
                                    "Changes that nobody answered in time")) {}

    // Its number, never 0. Without room `pending` stays as it is.
    std::optional<std::uint64_t> add(Pending&& pending, Instant now);
    void note_written(std::uint64_t number, std::int64_t at_us);
    std::optional<Pending> take(std::uint64_t number, model::RoomId room);
    // Whose message this is, as it was sent: nobody's if it was edited since.
    std::optional<Pending> take_by_message(const model::MessagePosted& posted);
    // Those that have waited for limits::kAnswerTimeout.
    std::vector<Pending> expire(Instant now);

private:
    static std::uint64_t first_number(ports::Entropy& entropy);

    std::mutex x_mutex;
    // Guarded by x_mutex:
    std::unordered_map<std::uint64_t, Pending> x_pending;
    std::unordered_multimap<std::string, std::uint64_t> x_by_nonce;
    std::deque<std::pair<Instant, std::uint64_t>> x_by_age; // also of those taken since
    std::uint64_t x_last;
    void forget_nonce(const Pending& pending, std::uint64_t number);

    Gauge& x_waiting;
    Counter& x_expired;
};

} // namespace parley::cluster
