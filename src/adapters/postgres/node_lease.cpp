#include "adapters/postgres/node_lease.hpp"

#include "base/assert.hpp"
#include "base/cluster_limits.hpp"

#include <array>
#include <utility>

namespace parley::postgres {
namespace {

// Who it is, for people, and something that no other process has, also not an earlier one of this
// name.
std::string holder_of(std::string_view node, ports::Entropy& entropy) {
    std::array<std::byte, 8> bytes{};
    entropy.fill(bytes);
    std::string holder = std::string(node) + "/";
    for (const std::byte byte : bytes) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        holder += kDigits[std::to_integer<unsigned>(byte) >> 4];
        holder += kDigits[std::to_integer<unsigned>(byte) & 15];
    }
    return holder;
}

} // namespace

LeaseTimes LeaseTimes::usual() {
    return {limits::kNodeLease, limits::kNodeLeaseRenew, limits::kNodeLeaseMargin};
}

NodeLease::NodeLease(std::unique_ptr<Connection> database, std::string_view node,
                     ports::Entropy& entropy, Logger& logger, Metrics& metrics, LeaseTimes times)
    : x_database(std::move(database)),
      x_holder(holder_of(node, entropy)),
      x_logger(logger),
      x_failures(metrics.counter("parley_node_lease_failures_total",
                                 "Renewals of the node's number that failed")),
      x_held_gauge(metrics.gauge("parley_node_lease_held", "1 while the node has its number")),
      x_times(times) {
    take();
}

NodeLease::~NodeLease() { stop(); }

void NodeLease::take() {
    const auto asked_at = Steady::now();
    const Rows rows = x_database->query(
        "UPDATE node_leases SET holder = $1, "
        "expires_at = clock_timestamp() + $2 * interval '1 millisecond' WHERE id = "
        "(SELECT id FROM node_leases WHERE expires_at < clock_timestamp() "
        "ORDER BY expires_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, last_id",
        Params(x_holder, x_times.lease.count()));
    if (rows.empty()) throw DatabaseError(Errc::unavailable, "all numbers of nodes are taken");
    x_number = static_cast<std::uint16_t>(rows.front().integer(0));
    x_first_id = rows.front().integer(1) + 1;
    extend(asked_at);
    x_held_gauge.set(1);
}

// Counted from before the question, and a little less: what the database grants ends later.
void NodeLease::extend(Steady::time_point asked_at) {
    x_ends_at = (asked_at + x_times.lease - x_times.margin / 10).time_since_epoch().count();
}

bool NodeLease::held() const { return held_at(Steady::now()); }

bool NodeLease::held_at(Steady::time_point then) const {
    return !x_lost && then.time_since_epoch().count() < x_ends_at;
}

void NodeLease::start(std::function<std::int64_t()> last_id, std::function<void()> on_lost) {
    PARLEY_ASSERT(!x_thread.joinable());
    x_last_id = std::move(last_id);
    x_on_lost = std::move(on_lost);
    x_thread = std::thread([this] { work(); });
}

void NodeLease::stop() {
    {
        const std::lock_guard lock(x_mutex);
        if (std::exchange(x_stopping, true)) return;
        x_wake.notify_all();
    }
    if (x_thread.joinable()) x_thread.join();
    if (!x_lost.exchange(true)) give_back();
    x_held_gauge.set(0);
}

void NodeLease::work() {
    auto wait = x_times.renew;
    std::unique_lock lock(x_mutex);
    while (!x_wake.wait_for(lock, wait, [this] { return x_stopping; })) {
        lock.unlock();
        wait = x_times.renew;
        if (!held_at(Steady::now() + x_times.margin))
            return tell_lost("it could not be renewed in time");
        try {
            if (!renew()) {
                x_lost = true;
                return tell_lost("another process has it");
            }
        } catch (const DatabaseError& error) {
            x_failures.add();
            x_logger.warning("the node's number could not be renewed", {{"why", error.what()}});
            wait = x_times.renew / 10;
        }
        lock.lock();
    }
}

bool NodeLease::renew() {
    const auto asked_at = Steady::now();
    const std::int64_t last_id = x_last_id ? x_last_id() : 0;
    const Rows rows = x_database->query(
        "UPDATE node_leases SET expires_at = clock_timestamp() + $3 * interval '1 millisecond', "
        "last_id = greatest(last_id, $4) WHERE id = $1 AND holder = $2",
        Params(x_number, x_holder, x_times.lease.count(), last_id));
    if (rows.changes() == 0) return false;
    extend(asked_at);
    return true;
}

// The next one who looks for a number gets another one, since this one's lease ends last.
void NodeLease::give_back() {
    try {
        x_database->query("UPDATE node_leases SET holder = '', expires_at = clock_timestamp(), "
                          "last_id = greatest(last_id, $3) WHERE id = $1 AND holder = $2",
                          Params(x_number, x_holder, x_last_id ? x_last_id() : 0));
    } catch (const DatabaseError&) {
        // It ends by itself.
    }
}

void NodeLease::tell_lost(std::string_view why) {
    x_held_gauge.set(0);
    x_logger.error("the node's number is lost", {{"number", x_number}, {"why", why}});
    if (x_on_lost) x_on_lost();
}

} // namespace parley::postgres
