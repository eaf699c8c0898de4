#include "tests/sim/cluster/draft_log.hpp"

#include <algorithm>

namespace parley::sim {

DraftLog::DraftLog(Weather& weather, ports::Partition partitions)
    : clock(weather.world.scheduler), x_weather(weather), x_partitions(partitions) {}

std::int64_t DraftLog::append(ports::Partition partition, std::string value) {
    const std::int64_t offset = end(partition);
    x_partitions[partition].push_back({offset, clock.now(), std::move(value)});
    ++x_weather.stats.appended;
    x_weather.note_activity();
    if (x_listener) x_listener(partition);
    return offset;
}

std::vector<ports::DraftRecord> DraftLog::read(ports::Partition partition, std::int64_t from,
                                               std::size_t most) const {
    const auto& records = x_partitions[partition];
    const auto first = static_cast<std::size_t>(std::clamp<std::int64_t>(from, 0, end(partition)));
    const std::size_t last = std::min(records.size(), first + most);
    return {records.begin() + static_cast<std::ptrdiff_t>(first),
            records.begin() + static_cast<std::ptrdiff_t>(last)};
}

LogProducer::LogProducer(Weather& weather, DraftLog& log, Process& process)
    : x_weather(weather), x_log(log), x_process(process), x_queues(log.partitions()) {}

void LogProducer::produce(ports::Partition partition, std::string, std::string value, Done done) {
    Queue& queue = x_queues[partition];
    queue.records.push_back({std::move(value), std::move(done),
                             x_weather.now_ms() + x_log.produce_timeout_ms});
    if (!queue.trying) try_later(partition, queue.pipe.arrival_ms(x_weather));
}

void LogProducer::try_later(ports::Partition partition, std::int64_t at_ms) {
    x_queues[partition].trying = true;
    x_weather.world.scheduler.at(at_ms, [this, partition] {
        x_process.run([this, partition] { send(partition); });
    });
}

void LogProducer::answer(std::int64_t after_ms, Done done, Result<std::int64_t> offset) {
    x_weather.world.scheduler.after(after_ms, [this, done = std::move(done), offset] {
        x_process.run([done, offset] { done(offset); });
    });
}

void LogProducer::send(ports::Partition partition) {
    Queue& queue = x_queues[partition];
    queue.trying = false;
    while (!queue.records.empty()) {
        Waiting& first = queue.records.front();
        if (!x_log.up() && x_weather.now_ms() < first.deadline_ms)
            return try_later(partition, x_weather.now_ms() + 20);
        Waiting record = std::move(first);
        queue.records.pop_front();
        const Error unknown(Errc::unavailable, "the log did not answer in time");
        if (!x_log.up()) {
            answer(0, std::move(record.done), unknown);
            continue;
        }
        const std::int64_t offset = x_log.append(partition, std::move(record.value));
        if (x_weather.happens(x_weather.faults.produce_unknown))
            answer(x_weather.world.random.between(50, 900), std::move(record.done), unknown);
        else
            answer(x_weather.world.random.between(0, 8), std::move(record.done), offset);
        if (queue.records.empty() || x_weather.happens(700)) continue;
        return try_later(partition, queue.pipe.arrival_ms(x_weather)); // the rest in a later batch
    }
}

} // namespace parley::sim
