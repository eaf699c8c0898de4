// RateLimits: how much each user, address, account name and connection may still do.
//
// Each of them has a RateRecord: a bucket (base/rate_bucket.hpp) for each limit of its kind. Who
// works for long (a socket, at sign-in) asks for the records once and keeps them; taking from a
// record then is one atomic number for each limit: no lock and no look-up on the way of a message.
// What a room may take is kept by the sequencer, which knows who is a member: an outsider cannot
// use a room's limit up.
//
// Threading: any thread. Finding a record takes the lock of one of kShards parts. Owner:
// app/wiring, before what uses it. Shutdown: nothing to do. Bound: limits::kRateRecords of each
// kind; of a few that stand next to each other the one that has used the least goes, which loses
// little, and one that a connection holds stays. Records that are held live on by themselves.
#pragma once

#include "base/address_counts.hpp"
#include "base/limits.hpp"
#include "base/metrics.hpp"
#include "base/rate_bucket.hpp"
#include "base/result.hpp"
#include "model/ids.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace parley::service {

// Grouped by whose they are (rate_limits.cpp has the table). Classes of work:
//   sends       changes of the log: send, edit, delete, react, on any surface
//   bytes       received on sockets, whatever they say; and bodies of REST calls
//   requests    ops of a socket, whatever they do; and REST calls of a signed-in user
//   subscribes  of a socket
//   joins       joining, leaving, adding, removing, changing a role; making a room
//   connects    sockets opened
//   tickets     leave to upload a file, used or not
enum class Limit : std::uint8_t {
    connection_sends,
    connection_bytes,
    connection_requests,
    connection_subscribes,
    user_sends,
    user_bytes,
    user_requests,
    user_subscribes,
    user_joins,
    user_connects,
    user_tickets,
    address_sends,
    address_bytes,
    address_connects,
    address_sign_ups,
    address_log_ins, // wrong ones
    account_log_ins, // wrong ones, by the name that was given, whether there is such an account
    room_sends, // in the sequencer, as the next one; in a cluster by each node, before the log
    room_joins,
};
inline constexpr std::size_t kLimits = 19;

enum class LimitScope : std::uint8_t { connection, user, address, account, room };
inline constexpr std::size_t kLimitScopes = 5;

struct LimitInfo {
    Limit limit;
    LimitScope scope;
    std::string_view name; // "sends-per-user": of the setting, with "limit-" before it
    RateLimit standard;    // so high that nobody who is honest meets it
    std::string_view what; // "sends", for texts
    std::string_view help;
};
std::span<const LimitInfo, kLimits> all_limits();
const LimitInfo& info(Limit limit);

struct RateSettings {
    RateSettings(); // the standard ones
    bool enabled = true;
    std::array<RateLimit, kLimits> rates;
    std::size_t sockets_per_user = limits::kConnectionsPerUser;
    std::size_t sockets_per_address = limits::kConnectionsPerAddress;
};

class RateRecord {
public:
    RateBucket& operator[](Limit limit);

private:
    friend class RateLimits;
    static constexpr std::size_t kBuckets = 7;
    std::chrono::nanoseconds until_full(RateBucket::Time now) const;
    std::array<RateBucket, kBuckets> x_buckets;
};
using RateRecordRef = std::shared_ptr<RateRecord>;

class RateLimits {
public:
    using Time = RateBucket::Time;

    RateLimits(const RateSettings& settings, Metrics& metrics);
    RateLimits(const RateLimits&) = delete;
    RateLimits& operator=(const RateLimits&) = delete;

    bool enabled() const { return x_settings.enabled; }
    // What is in force: no limit at all when limits are switched off.
    const RateLimit& limit(Limit limit) const;

    RateRecordRef of_user(model::UserId user, Time now);
    RateRecordRef of_address(AddressBlock address, Time now);
    RateRecordRef of_room(model::RoomId room, Time now); // where the sequencer is elsewhere
    // By the name that was given to log in with, folded (chat::name_key).
    RateRecordRef of_account(std::string_view name_key, Time now);

    // rate_limited with retry_after; counted. The record must be of the limit's kind.
    Result<void> take(Limit limit, RateRecord& record, Time now, double cost = 1);
    // For what has come already: how long to wait before the next, 0 for not at all. Waits are
    // counted.
    RateBucket::Wait charge(Limit limit, RateRecord& record, Time now, double cost);
    void give_back(Limit limit, RateRecord& record);
    // As if nothing had ever been taken.
    void forgive(Limit limit, RateRecord& record);

    // Sockets that are open now: caps, not rates.
    std::size_t sockets_per_user() const;
    AddressCounts& sockets() { return x_sockets; }

    // Of the limits that are taken elsewhere (the sequencer's).
    Counter& refusals(Limit limit);

    std::size_t size(LimitScope scope) const; // records, for tests

private:
    struct Key {
        std::uint64_t high = 0, low = 0;
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const {
            std::uint64_t mixed = (key.high ^ (key.low << 29 | key.low >> 35)) + key.low;
            mixed *= 0x9E3779B97F4A7C15u; // Fibonacci hashing: ids and addresses are in sequence
            return mixed ^ mixed >> 32;
        }
    };
    struct Entry {
        Key key;
        RateRecordRef record;
    };
    struct Shard {
        std::mutex mutex;
        std::unordered_map<Key, std::uint32_t, KeyHash> index; // into entries
        std::vector<Entry> entries;
        std::uint32_t hand = 0; // where the search for one to forget goes on
    };
    static constexpr std::size_t kShards = 16;
    struct Table {
        std::array<Shard, kShards> shards;
        Gauge* records = nullptr;
        Counter* forgotten = nullptr;
    };
    RateRecordRef find(LimitScope scope, Key key, Time now);
    static std::uint32_t least_used(Shard& shard, Time now);

    const RateSettings x_settings;
    AddressCounts x_sockets;
    std::array<Table, kLimitScopes> x_tables;
    std::array<Counter*, kLimits> x_refused;
};

} // namespace parley::service
