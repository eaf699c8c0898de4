#include "adapters/kafka/reserve.hpp"

#include "base/cluster_limits.hpp"

#include <algorithm>
#include <charconv>
#include <pthread.h>
#include <string_view>

namespace parley::kafka {
namespace {

using ConfigResource = Handle<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;
using AdminOptions = Handle<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;

constexpr int kTimeoutMs =
    static_cast<int>(std::chrono::milliseconds(limits::kReserveTimeout).count());

} // namespace

Reserve::Reserve(ReserveSettings settings, Metrics& metrics, Logger& logger)
    : x_settings(std::move(settings)),
      x_opaque{logger, this},
      x_logger(logger),
      x_short(x_settings.partitions),
      x_aging(metrics.gauge("parley_log_aging_partitions",
                            "Partitions with records beyond half of the retention that no shard "
                            "has")),
      x_closed(metrics.gauge("parley_log_closed_partitions",
                             "Partitions that take nothing, so that the log deletes nothing "
                             "unread")),
      x_failures(metrics.counter("parley_log_reserve_failures_total",
                                 "Looks at what the log will delete that failed")) {
    Config config(x_settings.client);
    config.set("group.id", x_settings.group).set("enable.auto.commit", "false");
    x_client = config.make_client(RD_KAFKA_CONSUMER, x_opaque); // it never joins the group
    x_thread = std::thread([this] { run(); });
    ::pthread_setname_np(x_thread.native_handle(), "log reserve");
}

void Reserve::stop() {
    {
        const std::lock_guard lock(x_mutex);
        x_stopping = true;
    }
    x_wake.notify_all();
    if (x_thread.joinable()) x_thread.join();
}

void Reserve::run() {
    std::unique_lock lock(x_mutex);
    while (!x_stopping) {
        lock.unlock();
        look();
        lock.lock();
        x_wake.wait_for(lock, pause(), [this] { return x_stopping; });
    }
}

Reserve::Time Reserve::pause() const {
    if (x_retention <= Time(0)) return limits::kReserveLook;
    return std::clamp<Time>(x_retention / 40, limits::kReserveLookMin, limits::kReserveLook);
}

void Reserve::look() {
    const auto kept = retention();
    if (!kept) return x_failures.add();
    x_retention = *kept;
    const auto now = std::chrono::duration_cast<Time>(
        std::chrono::system_clock::now().time_since_epoch());
    const Offsets in_shards = stored();
    const Offsets half = first_since(now - x_retention / 2);
    const Offsets nearly = first_since(now - x_retention * limits::kReserveShort / 100);
    if (!in_shards || !half || !nearly) return x_failures.add();
    std::int64_t aging = 0, closed = 0;
    for (std::size_t i = 0; i < x_short.size(); ++i) {
        const bool for_ever = x_retention <= Time(0);
        const bool is_short = !for_ever && (*in_shards)[i] < (*nearly)[i];
        aging += !for_ever && (*in_shards)[i] < (*half)[i];
        closed += is_short;
        if (x_short[i].exchange(is_short) == is_short) continue;
        if (is_short)
            x_logger.error("the log would soon delete what no shard has: the partition takes "
                           "nothing more",
                           {{"partition", i}, {"stored", (*in_shards)[i]}});
        else
            x_logger.info("the partition takes changes again", {{"partition", i}});
    }
    x_aging.set(aging);
    x_closed.set(closed);
}

std::optional<Reserve::Time> Reserve::retention() const {
    const ConfigResource topic(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC,
                                                           x_settings.client.topic.c_str()));
    const Queue queue(rd_kafka_queue_new(x_client.get()));
    const AdminOptions options(
        rd_kafka_AdminOptions_new(x_client.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
    char why[512];
    rd_kafka_AdminOptions_set_request_timeout(options.get(), kTimeoutMs, why, sizeof why);
    rd_kafka_ConfigResource_t* one = topic.get();
    rd_kafka_DescribeConfigs(x_client.get(), &one, 1, options.get(), queue.get());
    const Event event(rd_kafka_queue_poll(queue.get(), kTimeoutMs + 200));
    if (!event || rd_kafka_event_error(event.get())) return std::nullopt;
    std::size_t count = 0;
    const auto* const found = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event.get()), &count);
    if (count != 1) return std::nullopt;
    const auto* const entries = rd_kafka_ConfigResource_configs(found[0], &count);
    for (std::size_t i = 0; i < count; ++i) {
        if (std::string_view(rd_kafka_ConfigEntry_name(entries[i])) != "retention.ms") continue;
        const char* const value = rd_kafka_ConfigEntry_value(entries[i]);
        const std::string_view text = value ? value : "";
        std::int64_t ms = 0;
        if (std::from_chars(text.data(), text.data() + text.size(), ms).ec != std::errc{})
            return std::nullopt;
        // Beyond some centuries, times would not fit.
        const std::chrono::hours most(24 * 365 * 200);
        return ms < 0 || Time(ms) > most ? Time(0) : Time(ms);
    }
    return std::nullopt;
}

Reserve::Offsets Reserve::offsets_at(std::int64_t time) const {
    const Partitions list = partition_list(static_cast<int>(x_settings.partitions));
    for (ports::Partition i = 0; i < x_settings.partitions; ++i)
        rd_kafka_topic_partition_list_add(list.get(), x_settings.client.topic.c_str(),
                                          static_cast<std::int32_t>(i))
            ->offset = time;
    if (rd_kafka_offsets_for_times(x_client.get(), list.get(), kTimeoutMs) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return std::nullopt;
    std::vector<std::int64_t> offsets(x_settings.partitions);
    for (int i = 0; i < list->cnt; ++i) {
        const rd_kafka_topic_partition_t& one = list->elems[i];
        if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
        offsets[static_cast<std::size_t>(one.partition)] = one.offset;
    }
    return offsets;
}

Reserve::Offsets Reserve::first_since(Time since) const {
    // To Kafka the end is a time too. What comes between the two questions is young: it is found by
    // the second one, and must not be before the end.
    const Offsets ends = offsets_at(RD_KAFKA_OFFSET_END);
    Offsets first = offsets_at(since.count());
    if (!first || !ends) return std::nullopt;
    for (std::size_t i = 0; i < first->size(); ++i)
        if ((*first)[i] < 0) (*first)[i] = (*ends)[i];
    return first;
}

Reserve::Offsets Reserve::stored() const {
    const Partitions list = partition_list(static_cast<int>(x_settings.partitions));
    for (ports::Partition i = 0; i < x_settings.partitions; ++i)
        rd_kafka_topic_partition_list_add(list.get(), x_settings.client.topic.c_str(),
                                          static_cast<std::int32_t>(i));
    if (rd_kafka_committed(x_client.get(), list.get(), kTimeoutMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return std::nullopt;
    const Offsets begins = offsets_at(RD_KAFKA_OFFSET_BEGINNING);
    if (!begins) return std::nullopt;
    std::vector<std::int64_t> offsets(x_settings.partitions);
    for (int i = 0; i < list->cnt; ++i) {
        const rd_kafka_topic_partition_t& one = list->elems[i];
        if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
        const auto at = static_cast<std::size_t>(one.partition);
        offsets[at] = one.offset < 0 ? (*begins)[at] : one.offset; // nothing stored, ever
    }
    return offsets;
}

} // namespace parley::kafka
