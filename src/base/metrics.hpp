// Metrics: counters, gauges and histograms, rendered as Prometheus text (exposition format 0.0.4).
//
// A module has one probe struct that asks for its metrics once, by name, and then counts with a
// relaxed atomic: no lock, no look-up on a hot path. The same name and labels give the same metric.
//
// Threading: metrics may be counted from any thread; registering takes a lock. Owner: app/wiring,
// before everything that counts and after it at the end. Bound: names and labels come from code
// only, never from input.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace parley {

class Counter {
public:
    void add(std::uint64_t n = 1) { x_value.fetch_add(n, std::memory_order_relaxed); }
    std::uint64_t value() const { return x_value.load(std::memory_order_relaxed); }

private:
    alignas(64) std::atomic<std::uint64_t> x_value{0};
};

class Gauge {
public:
    void set(std::int64_t value) { x_value.store(value, std::memory_order_relaxed); }
    void add(std::int64_t n) { x_value.fetch_add(n, std::memory_order_relaxed); }
    std::int64_t value() const { return x_value.load(std::memory_order_relaxed); }

private:
    alignas(64) std::atomic<std::int64_t> x_value{0};
};

// Fixed upper bounds, ascending; the last bucket (+Inf) is implied.
class Histogram {
public:
    explicit Histogram(std::span<const double> bounds);
    void observe(double value);

private:
    friend class Metrics;
    std::vector<double> x_bounds;
    std::deque<std::atomic<std::uint64_t>> x_buckets;
    std::atomic<double> x_sum{0};
};

// Seconds, from 50 microseconds to 10 seconds.
std::span<const double> latency_bounds();
// Counts, powers of four from 1 to 65,536.
std::span<const double> size_bounds();

class Metrics {
public:
    Metrics() = default;
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    // `labels` as in the text format, without braces: `pool="reader"`. Empty for none.
    Counter& counter(std::string_view name, std::string_view help, std::string_view labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, std::string_view labels = {});
    Histogram& histogram(std::string_view name, std::string_view help,
                         std::span<const double> bounds, std::string_view labels = {});
    std::string render() const;

private:
    enum class Kind { counter, gauge, histogram };
    struct Entry {
        Kind kind;
        std::string name, help, labels;
        std::size_t slot; // in the deque of its kind
    };
    const Entry* find(std::string_view name, std::string_view labels) const;
    void render_histogram(std::string& out, const Entry& entry) const;

    mutable std::mutex x_mutex;
    std::vector<Entry> x_entries;   // guarded by x_mutex; so are the deques' shapes
    std::deque<Counter> x_counters; // deques: addresses stay
    std::deque<Gauge> x_gauges;
    std::deque<Histogram> x_histograms;
};

} // namespace parley
