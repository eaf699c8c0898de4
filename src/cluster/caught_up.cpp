#include "cluster/caught_up.hpp"

#include "base/cluster_limits.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace parley::cluster {

CaughtUp::CaughtUp(CaughtUpParts parts)
    : x_parts(std::move(parts)),
      x_ends(x_parts.partitions),
      x_stored(x_parts.partitions),
      x_waits(x_parts.metrics.counter("parley_reads_waited_total",
                                      "Reads that waited for the store to have what the log has")),
      x_uncertain(x_parts.metrics.counter("parley_reads_uncertain_total",
                                          "Reads while the log could not be asked for its end")),
      x_timeouts(x_parts.metrics.counter("parley_reads_behind_total",
                                         "Reads refused because the store was behind")) {}

Task<void> CaughtUp::learn_ends() {
    const auto ends = co_await x_parts.ends.ends();
    if (!ends) {
        x_uncertain.add();
        co_return;
    }
    for (std::size_t i = 0; i < std::min(ends->size(), x_ends.size()); ++i)
        x_ends[i] = std::max(x_ends[i], (*ends)[i]);
}

Task<Result<void>> CaughtUp::learn_positions(std::size_t shard) {
    const auto positions = co_await x_parts.positions(shard);
    if (!positions) co_return positions.error();
    for (const StoredPosition& one : *positions)
        if (one.partition < x_stored.size())
            x_stored[one.partition] = std::max(x_stored[one.partition], one.next_offset);
    co_return Result<void>{};
}

Task<Result<void>> CaughtUp::room(model::RoomId room) {
    std::vector<ports::Partition> one(1, x_parts.partition_of(room));
    co_return co_await wait_for(std::move(one));
}

Task<Result<void>> CaughtUp::rooms(std::vector<model::RoomId> rooms) {
    std::vector<ports::Partition> some;
    some.reserve(rooms.size());
    for (const model::RoomId room : rooms) some.push_back(x_parts.partition_of(room));
    co_return co_await wait_for(std::move(some));
}

Task<Result<void>> CaughtUp::all() {
    std::vector<ports::Partition> every(x_ends.size());
    for (std::size_t i = 0; i < every.size(); ++i) every[i] = static_cast<ports::Partition>(i);
    co_return co_await wait_for(std::move(every));
}

Task<Result<void>> CaughtUp::wait_for(std::vector<ports::Partition> partitions) {
    co_await learn_ends();
    const std::vector<std::int64_t> ends = x_ends; // of now: later drafts are not waited for
    const auto deadline = x_parts.clock.steady() + limits::kCaughtUpTimeout;
    boost::asio::steady_timer timer(x_parts.core.io());
    std::chrono::milliseconds pause = limits::kCaughtUpLook;
    bool counted = false;
    for (;;) {
        std::erase_if(partitions, [&](auto partition) {
            return reached(partition, ends[partition]);
        });
        if (partitions.empty()) co_return Result<void>{};
        if (x_parts.clock.steady() > deadline) {
            x_timeouts.add();
            co_return Error(Errc::unavailable, "the store is behind the log; try again");
        }
        const std::size_t shard = x_parts.shard_of(partitions.front());
        PARLEY_CO_CHECK(co_await learn_positions(shard));
        if (reached(partitions.front(), ends[partitions.front()])) continue;
        if (!std::exchange(counted, true)) x_waits.add();
        timer.expires_after(pause);
        co_await timer.async_wait(boost::asio::use_awaitable);
        pause = std::min<std::chrono::milliseconds>(2 * pause, limits::kCaughtUpLookMax);
    }
}

} // namespace parley::cluster
