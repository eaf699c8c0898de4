// Exporter: sends spans to a collector, OTLP over HTTP with JSON (POST ENDPOINT/v1/traces), by
// libcurl, in batches, from a thread of its own.
//
// The collector is never in a message's way: add() puts a span into a bounded queue or leaves it
// out. A batch that is not taken (no answer in time, 429, 502, 503, 504) is sent again after a
// pause that grows, limits::kSpanAttempts times in all; any other answer but 2xx ends it at once.
//
// Threading: add() from any thread (a lock, for a sampled span only). Owner: app, outliving all
// that add. Bounds: limits::kSpan*. What is lost is counted: parley_spans_total{outcome="full" or
// "failed"}. Shutdown: stop() tries what is left once, within limits::kSpanFarewell, and joins.
#pragma once

#include "adapters/otlp/spans.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/trace_limits.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace parley::otlp {

struct Settings {
    std::string endpoint; // http://HOST:PORT, a path may follow
    std::vector<std::pair<std::string, std::string>> headers;
    double ratio = 1;
    Resource resource;
};

class Exporter final : public ports::SpanSink {
public:
    Exporter(Settings settings, Logger& log, Metrics& metrics);
    ~Exporter();
    Exporter(const Exporter&) = delete;
    Exporter& operator=(const Exporter&) = delete;
    void stop();

    bool takes(model::EventId event) const override {
        return is_sampled(event, x_rejected_below);
    }
    std::int64_t now_us() const override;
    void add(const ports::MessageSpan& span) override;

private:
    enum class Answer : std::uint8_t { taken, refused, none };
    struct Client;
    void run();
    std::vector<ports::MessageSpan> wait_for_batch();
    void send(const std::vector<ports::MessageSpan>& batch, Client& client);
    std::chrono::milliseconds time_left(); // for one call
    bool pause(std::chrono::milliseconds time); // false: stopping
    void note(bool works, std::string_view why);

    const Settings x_settings;
    const std::uint64_t x_rejected_below;
    Logger& x_log;
    std::mutex x_mutex;
    std::condition_variable x_work;
    std::deque<ports::MessageSpan> x_queue; // guarded by x_mutex
    bool x_stopping = false;                // guarded by x_mutex
    std::chrono::steady_clock::time_point x_end; // of stopping; guarded by x_mutex
    bool x_works = true; // of the thread: an outage is logged once
    Counter &x_sent, &x_full, &x_failed;
    Gauge& x_waiting;
    std::thread x_thread;
};

} // namespace parley::otlp
