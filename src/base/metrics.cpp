#include "base/metrics.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cstdio>

namespace parley {

Histogram::Histogram(std::span<const double> bounds)
    : x_bounds(bounds.begin(), bounds.end()), x_buckets(bounds.size() + 1) {}

void Histogram::observe(double value) {
    const auto at = std::lower_bound(x_bounds.begin(), x_bounds.end(), value) - x_bounds.begin();
    x_buckets[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
    x_sum.fetch_add(value, std::memory_order_relaxed);
}

std::span<const double> latency_bounds() {
    static constexpr std::array bounds{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                       0.005,   0.01,   0.025,   0.05,   0.1,   0.25,
                                       0.5,     1.0,    2.5,     10.0};
    return bounds;
}

std::span<const double> size_bounds() {
    static constexpr std::array bounds{1.0,    4.0,    16.0,    64.0,   256.0,
                                       1024.0, 4096.0, 16384.0, 65536.0};
    return bounds;
}

const Metrics::Entry* Metrics::find(std::string_view name, std::string_view labels) const {
    for (const Entry& entry : x_entries)
        if (entry.name == name && entry.labels == labels) return &entry;
    return nullptr;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, std::string_view labels) {
    std::lock_guard lock(x_mutex);
    if (const Entry* entry = find(name, labels)) return x_counters[entry->slot];
    x_entries.push_back({Kind::counter, std::string(name), std::string(help), std::string(labels),
                         x_counters.size()});
    return x_counters.emplace_back();
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, std::string_view labels) {
    std::lock_guard lock(x_mutex);
    if (const Entry* entry = find(name, labels)) return x_gauges[entry->slot];
    x_entries.push_back(
        {Kind::gauge, std::string(name), std::string(help), std::string(labels), x_gauges.size()});
    return x_gauges.emplace_back();
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              std::span<const double> bounds, std::string_view labels) {
    std::lock_guard lock(x_mutex);
    if (const Entry* entry = find(name, labels)) return x_histograms[entry->slot];
    x_entries.push_back({Kind::histogram, std::string(name), std::string(help), std::string(labels),
                         x_histograms.size()});
    return x_histograms.emplace_back(bounds);
}

void Metrics::render_histogram(std::string& out, const Entry& entry) const {
    const Histogram& h = x_histograms[entry.slot];
    const std::string comma = entry.labels.empty() ? "" : entry.labels + ",";
    std::uint64_t total = 0;
    char number[64];
    for (std::size_t i = 0; i < h.x_buckets.size(); ++i) {
        total += h.x_buckets[i].load(std::memory_order_relaxed);
        if (i < h.x_bounds.size())
            std::snprintf(number, sizeof number, "%g", h.x_bounds[i]);
        else
            std::snprintf(number, sizeof number, "+Inf");
        out += entry.name + "_bucket{" + comma + "le=\"" + number + "\"} " + std::to_string(total) +
               "\n";
    }
    const std::string braces = entry.labels.empty() ? "" : "{" + entry.labels + "}";
    std::snprintf(number, sizeof number, "%.9g", h.x_sum.load(std::memory_order_relaxed));
    out += entry.name + "_sum" + braces + " " + number + "\n";
    out += entry.name + "_count" + braces + " " + std::to_string(total) + "\n";
}

std::string Metrics::render() const {
    std::lock_guard lock(x_mutex);
    std::vector<const Entry*> sorted;
    for (const Entry& entry : x_entries) sorted.push_back(&entry);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Entry* a, const Entry* b) { return a->name < b->name; });
    std::string out;
    std::string_view last;
    for (const Entry* entry : sorted) {
        if (entry->name != last) {
            static constexpr const char* kinds[] = {"counter", "gauge", "histogram"};
            out += "# HELP " + entry->name + " " + entry->help + "\n# TYPE " + entry->name + " " +
                   kinds[static_cast<int>(entry->kind)] + "\n";
            last = entry->name;
        }
        const std::string braces = entry->labels.empty() ? "" : "{" + entry->labels + "}";
        switch (entry->kind) {
        case Kind::counter:
            out +=
                entry->name + braces + " " + std::to_string(x_counters[entry->slot].value()) + "\n";
            break;
        case Kind::gauge:
            out +=
                entry->name + braces + " " + std::to_string(x_gauges[entry->slot].value()) + "\n";
            break;
        case Kind::histogram:
            render_histogram(out, *entry);
            break;
        }
    }
    return out;
}

} // namespace parley
