#include "service/rate_limits.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace parley::service {

namespace {

constexpr std::size_t kLooks = 16; // entries compared when one must go
constexpr double kMinute = 60, kHour = 3600;
constexpr double kKib = 1024, kMib = 1024 * kKib;

using enum Limit;
using S = LimitScope;

// Defaults think of a school or an office behind one address, of a person with several devices, and
// of a client that comes back with thousands of rooms.
// clang-format off
constexpr std::array<LimitInfo, kLimits> kTable{{
    {connection_sends, S::connection, "sends-per-connection", {50, 200}, "sends",
     "Messages, edits, deletions and reactions on one socket"},
    {connection_bytes, S::connection, "bytes-per-connection", {256 * kKib, 4 * kMib}, "bytes",
     "Bytes received on one socket; beyond, it is read no faster"},
    {connection_requests, S::connection, "requests-per-connection", {200, 5'000}, "requests",
     "Frames of any kind on one socket"},
    {connection_subscribes, S::connection, "subscribes-per-connection", {100, 4'000},
     "subscribes", "Subscriptions on one socket"},
    {user_sends, S::user, "sends-per-user", {50, 200}, "sends",
     "Messages, edits, deletions and reactions of one user, by all ways"},
    {user_bytes, S::user, "bytes-per-user", {512 * kKib, 8 * kMib}, "bytes",
     "Bytes received from one user"},
    {user_requests, S::user, "requests-per-user", {500, 10'000}, "requests",
     "REST calls and frames of one user"},
    {user_subscribes, S::user, "subscribes-per-user", {200, 8'000}, "subscribes",
     "Subscriptions of one user, on all sockets"},
    {user_joins, S::user, "joins-per-user", {20, 2'000}, "changes of membership",
     "Joins, leaves, invitations, changes of role and new rooms by one user"},
    {user_connects, S::user, "connects-per-user", {10, 2'000}, "connections",
     "Sockets opened by one user"},
    {user_tickets, S::user, "tickets-per-user", {2, 500}, "upload tickets",
     "Tickets to upload a file, used or not, of one user"},
    {address_sends, S::address, "sends-per-address", {2'000, 8'000}, "sends from this address",
     "Messages, edits, deletions and reactions from one address"},
    {address_bytes, S::address, "bytes-per-address", {8 * kMib, 64 * kMib},
     "bytes from this address", "Bytes received from one address"},
    {address_connects, S::address, "connects-per-address", {500, 12'000},
     "connections from this address", "Sockets opened from one address"},
    {address_sign_ups, S::address, "sign-ups-per-address", {1'200 / kHour, 1'000},
     "sign-ups from this address", "Accounts made from one address"},
    {address_log_ins, S::address, "log-ins-per-address", {1'200 / kHour, 600},
     "wrong log-ins from this address", "Wrong log-ins from one address"},
    {account_log_ins, S::account, "log-ins-per-account", {1 / kMinute, 19},
     "wrong log-ins to this account", "Wrong log-ins to one account: the twentieth is refused"},
    {room_sends, S::room, "sends-per-room", {1'000, 4'000}, "sends to this room",
     "Messages, edits, deletions and reactions in one room"},
    {room_joins, S::room, "joins-per-room", {1'000, 20'000}, "changes of members of this room",
     "Members who come, go or change in one room"},
}};
// clang-format on

constexpr std::array<std::string_view, kLimitScopes> kScopes{"connection", "user", "address",
                                                             "account", "room"};

constexpr std::size_t index_of(Limit limit) { return static_cast<std::size_t>(limit); }

// The bucket of a limit among those of its scope; the table is grouped by scope.
constexpr std::size_t slot_of(Limit limit) {
    std::size_t slot = 0;
    while (slot < index_of(limit) &&
           kTable[index_of(limit) - slot - 1].scope == kTable[index_of(limit)].scope)
        ++slot;
    return slot;
}

constexpr bool table_is_in_order(std::size_t buckets) {
    for (std::size_t i = 0; i < kLimits; ++i)
        if (index_of(kTable[i].limit) != i || slot_of(kTable[i].limit) >= buckets) return false;
    return true;
}

constexpr auto kSlots = [] {
    std::array<std::uint8_t, kLimits> slots{};
    for (std::size_t i = 0; i < kLimits; ++i)
        slots[i] = static_cast<std::uint8_t>(slot_of(kTable[i].limit));
    return slots;
}();

constexpr RateLimit kNone;

} // namespace

std::span<const LimitInfo, kLimits> all_limits() { return kTable; }

const LimitInfo& info(Limit limit) { return kTable[index_of(limit)]; }

RateSettings::RateSettings() {
    for (std::size_t i = 0; i < kLimits; ++i) rates[i] = kTable[i].standard;
}

RateBucket& RateRecord::operator[](Limit limit) {
    static_assert(table_is_in_order(kBuckets));
    return x_buckets[kSlots[index_of(limit)]];
}

std::chrono::nanoseconds RateRecord::until_full(RateBucket::Time now) const {
    std::chrono::nanoseconds longest{0};
    for (const RateBucket& bucket : x_buckets) longest = std::max(longest, bucket.until_full(now));
    return longest;
}

RateLimits::RateLimits(const RateSettings& settings, Metrics& metrics)
    : x_settings(settings),
      x_sockets(settings.enabled ? settings.sockets_per_address
                                 : std::numeric_limits<std::size_t>::max()) {
    for (std::size_t i = 0; i < kLimits; ++i) {
        std::string name(kTable[i].name);
        std::replace(name.begin(), name.end(), '-', '_');
        x_refused[i] =
            &metrics.counter("parley_rate_limited_total",
                             "What was refused or slowed down, by limit", "limit=\"" + name + "\"");
    }
    for (const S scope : {S::user, S::address, S::account}) {
        const std::string label = "of=\"" + std::string(kScopes[static_cast<int>(scope)]) + "\"";
        Table& table = x_tables[static_cast<std::size_t>(scope)];
        table.records =
            &metrics.gauge("parley_rate_records", "Whose rates are remembered now", label);
        table.forgotten = &metrics.counter(
            "parley_rate_records_forgotten_total",
            "Rates forgotten before they were full again, for want of room", label);
    }
}

std::size_t RateLimits::sockets_per_user() const {
    return enabled() ? x_settings.sockets_per_user : std::numeric_limits<std::size_t>::max();
}

const RateLimit& RateLimits::limit(Limit limit) const {
    return x_settings.enabled ? x_settings.rates[index_of(limit)] : kNone;
}

RateRecordRef RateLimits::of_user(model::UserId user, Time now) {
    return find(S::user, {0, static_cast<std::uint64_t>(user.value)}, now);
}

RateRecordRef RateLimits::of_room(model::RoomId room, Time now) {
    return find(S::room, {0, static_cast<std::uint64_t>(room.value)}, now);
}

RateRecordRef RateLimits::of_address(AddressBlock address, Time now) {
    return find(S::address, {address.high, address.low}, now);
}

RateRecordRef RateLimits::of_account(std::string_view name_key, Time now) {
    return find(S::account, {std::hash<std::string_view>{}(name_key), name_key.size()}, now);
}

RateRecordRef RateLimits::find(LimitScope scope, Key key, Time now) {
    constexpr std::size_t most = limits::kRateRecords / kShards;
    Table& table = x_tables[static_cast<std::size_t>(scope)];
    Shard& shard = table.shards[KeyHash{}(key) % kShards];
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.index.find(key); found != shard.index.end())
        return shard.entries[found->second].record;
    auto record = std::make_shared<RateRecord>();
    if (shard.entries.size() < most) {
        shard.index.emplace(key, static_cast<std::uint32_t>(shard.entries.size()));
        shard.entries.push_back({key, record});
        table.records->add(1);
        return record;
    }
    const std::uint32_t at = least_used(shard, now);
    Entry& entry = shard.entries[at];
    if (entry.record->until_full(now).count() > 0) table.forgotten->add();
    shard.index.erase(entry.key);
    entry = {key, record};
    shard.index.emplace(key, at);
    return record;
}

// Held ones would be made a second time for the next connection, so they go last.
std::uint32_t RateLimits::least_used(Shard& shard, Time now) {
    std::uint32_t best = shard.hand;
    bool best_held = true;
    auto best_wait = std::chrono::nanoseconds::max();
    for (std::size_t i = 0; i < kLooks; ++i) {
        const Entry& entry = shard.entries[shard.hand];
        const bool held = entry.record.use_count() > 1;
        const auto wait = entry.record->until_full(now);
        if (held < best_held || (held == best_held && wait < best_wait)) {
            best = shard.hand;
            best_held = held;
            best_wait = wait;
        }
        shard.hand = static_cast<std::uint32_t>((shard.hand + 1) % shard.entries.size());
        if (!best_held && best_wait.count() == 0) break;
    }
    return best;
}

Result<void> RateLimits::take(Limit limit, RateRecord& record, Time now, double cost) {
    const auto wait = record[limit].take(this->limit(limit), now, cost);
    if (!wait) return {};
    x_refused[index_of(limit)]->add();
    return Error(Errc::rate_limited, "too many " + std::string(info(limit).what), *wait);
}

RateBucket::Wait RateLimits::charge(Limit limit, RateRecord& record, Time now, double cost) {
    const auto wait = record[limit].charge(this->limit(limit), now, cost);
    if (wait.count() > 0) x_refused[index_of(limit)]->add();
    return wait;
}

void RateLimits::forgive(Limit limit, RateRecord& record) { record[limit].fill(); }

void RateLimits::give_back(Limit limit, RateRecord& record) {
    record[limit].give_back(this->limit(limit));
}

Counter& RateLimits::refusals(Limit limit) { return *x_refused[index_of(limit)]; }

std::size_t RateLimits::size(LimitScope scope) const {
    std::size_t count = 0;
    for (const Shard& shard : x_tables[static_cast<std::size_t>(scope)].shards)
        count += shard.entries.size();
    return count;
}

} // namespace parley::service
