#include "adapters/kafka/ends.hpp"

#include "base/cluster_limits.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <pthread.h>

namespace parley::kafka {

namespace asio = boost::asio;

namespace {

constexpr auto kPause = std::chrono::milliseconds(20); // between two attempts of one look

} // namespace

Ends::Ends(Settings settings, ports::Partition partitions, Metrics& metrics, Logger& logger)
    : x_settings(std::move(settings)),
      x_partitions(partitions),
      x_opaque{logger, this},
      x_looks(metrics.counter("parley_log_ends_total", "Looks at the ends of the log")),
      x_failures(metrics.counter("parley_log_ends_failures_total",
                                 "Looks at the ends of the log that failed")),
      x_seconds(metrics.histogram("parley_log_ends_seconds",
                                  "What a look at the ends of the log takes", latency_bounds())) {
    x_client = Config(x_settings).make_client(RD_KAFKA_PRODUCER, x_opaque);
    x_thread = std::thread([this] { run(); });
    ::pthread_setname_np(x_thread.native_handle(), "log ends");
}

Ends::~Ends() { stop(); }

Task<Result<std::vector<std::int64_t>>> Ends::ends() {
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Answer)>(
        [this](auto handler) {
            auto held = std::make_shared<decltype(handler)>(std::move(handler));
            auto executor = asio::get_associated_executor(*held);
            add([held, executor](const Answer& answer) {
                asio::post(executor, [held, answer = answer]() mutable {
                    std::move (*held)(std::move(answer));
                });
            });
        },
        asio::use_awaitable);
}

void Ends::add(Waiter waiter) {
    Errc refused{};
    {
        std::lock_guard lock(x_mutex);
        if (x_stopping)
            refused = Errc::shutting_down;
        else if (x_waiting.size() >= limits::kLogEndsWaiting)
            refused = Errc::overloaded;
        else
            x_waiting.push_back(std::move(waiter));
    }
    if (refused != Errc{}) return waiter(Error(refused, "the server is busy"));
    x_wake.notify_one();
}

void Ends::stop() {
    {
        std::lock_guard lock(x_mutex);
        x_stopping = true;
    }
    x_wake.notify_one();
    if (x_thread.joinable()) x_thread.join();
}

void Ends::run() {
    for (;;) {
        std::vector<Waiter> waiters;
        bool stopping = false;
        {
            std::unique_lock lock(x_mutex);
            x_wake.wait(lock, [this] { return x_stopping || !x_waiting.empty(); });
            waiters.swap(x_waiting);
            stopping = x_stopping;
        }
        const Answer answer =
            stopping ? Answer(Error(Errc::shutting_down, "this process is going away")) : look();
        for (const Waiter& waiter : waiters) waiter(answer);
        if (stopping) return;
    }
}

Ends::Answer Ends::look() {
    const auto begun = std::chrono::steady_clock::now();
    const auto deadline = begun + limits::kLogEndsTimeout;
    for (;;) {
        Answer answer = ask(deadline - std::chrono::steady_clock::now());
        const auto now = std::chrono::steady_clock::now();
        x_looks.add();
        x_seconds.observe(std::chrono::duration<double>(now - begun).count());
        if (answer) return answer;
        x_failures.add();
        // A leader that has just changed is known in a moment.
        if (now + kPause >= deadline) return answer;
        std::this_thread::sleep_for(kPause);
    }
}

Ends::Answer Ends::ask(std::chrono::steady_clock::duration limit) {
    const Partitions list = partition_list(static_cast<int>(x_partitions));
    // To Kafka the end is a time: the one after all others.
    for (ports::Partition i = 0; i < x_partitions; ++i)
        rd_kafka_topic_partition_list_add(list.get(), x_settings.topic.c_str(),
                                          static_cast<std::int32_t>(i))
            ->offset = RD_KAFKA_OFFSET_END;
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(limit);
    const auto failed =
        rd_kafka_offsets_for_times(x_client.get(), list.get(), static_cast<int>(ms.count()));
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) return unavailable(failed);
    std::vector<std::int64_t> ends(x_partitions);
    for (int i = 0; i < list->cnt; ++i) {
        const rd_kafka_topic_partition_t& one = list->elems[i];
        if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) return unavailable(one.err);
        if (one.offset < 0) return unavailable(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION);
        ends[static_cast<std::size_t>(one.partition)] = one.offset;
    }
    return ends;
}

} // namespace parley::kafka
