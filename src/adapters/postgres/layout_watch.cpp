#include "adapters/postgres/layout_watch.hpp"

#include "base/move_limits.hpp"

#include <pthread.h>

#include <utility>

namespace parley::postgres {

LayoutWatch::LayoutWatch(LayoutWatchSettings settings, Logger& log, Metrics& metrics)
    : x_settings(std::move(settings)),
      x_log(log),
      x_connection(x_settings.target),
      x_epoch(x_settings.epoch),
      x_epoch_gauge(metrics.gauge("parley_layout_epoch",
                                  "Which table of partitions and shards this process goes by")),
      x_moves_gauge(metrics.gauge("parley_layout_moves",
                                  "Partitions on their way to another shard")) {
    x_epoch_gauge.set(x_epoch);
}

void LayoutWatch::start(Follow follow) {
    x_follow = std::move(follow);
    x_thread = std::thread([this] { run(); });
    ::pthread_setname_np(x_thread.native_handle(), "layout");
}

void LayoutWatch::stop() {
    {
        const std::lock_guard lock(x_mutex);
        x_stopping = true;
    }
    x_wake.notify_all();
    if (x_thread.joinable()) x_thread.join();
}

void LayoutWatch::run() {
    std::unique_lock lock(x_mutex);
    while (!x_stopping) {
        lock.unlock();
        try {
            look();
        } catch (const DatabaseError&) {
            // The directory is away: nothing moves then.
        }
        lock.lock();
        x_wake.wait_for(lock, limits::kLayoutLook, [this] { return x_stopping; });
    }
    lock.unlock();
    try {
        x_connection.query("DELETE FROM layout_readers WHERE node = $1", Params(x_settings.node));
    } catch (const DatabaseError&) {
        // It is dead after limits::kLayoutDead.
    }
}

void LayoutWatch::look() {
    const Rows rows = x_connection.query(
        "SELECT epoch, (SELECT count(*) FROM moves) FROM layout_epoch");
    const std::int64_t epoch = rows.front().integer(0);
    x_moves_gauge.set(rows.front().integer(1));
    x_moving = rows.front().integer(1) > 0;
    if (epoch != x_epoch) {
        Transaction snapshot(x_connection);
        const Layout layout = read_layout(x_connection);
        snapshot.commit();
        if (x_follow(layout)) {
            x_epoch = layout.epoch;
            x_epoch_gauge.set(x_epoch);
            x_tell_at = {};
            x_log.info("partitions are in other shards", {{"epoch", x_epoch}});
        } else if (std::exchange(x_refused, epoch) != epoch) {
            x_log.error("partitions are in a shard that shard-dbs does not name; restart this "
                        "process with the new settings",
                        {{"epoch", epoch}});
        }
    }
    if (std::chrono::steady_clock::now() >= x_tell_at) tell();
}

void LayoutWatch::tell() {
    x_connection.query(
        "INSERT INTO layout_readers (node, epoch, shards, seen_at) "
        "VALUES ($1, $2, $3::bigint::integer, clock_timestamp()) ON CONFLICT (node) DO UPDATE SET "
        "epoch = excluded.epoch, shards = excluded.shards, seen_at = excluded.seen_at",
        Params(x_settings.node, x_epoch, x_settings.shards));
    x_tell_at = std::chrono::steady_clock::now() + limits::kLayoutTell;
}

} // namespace parley::postgres
