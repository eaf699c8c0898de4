// Histogram: latencies in nanoseconds, log-linear with 128 steps to each power of two (error < 0.8
// %). Threading: one thread. Bounds: a fixed table of 60 KB.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace parley::bench {

class Histogram {
public:
    void add(std::uint64_t value_ns) {
        ++x_steps[std::min(step_of(value_ns), x_steps.size() - 1)];
        ++x_count;
        x_max = std::max(x_max, value_ns);
    }
    std::uint64_t count() const { return x_count; }
    double max_ms() const { return static_cast<double>(x_max) * 1e-6; }

    // The smallest step that `share` (0..1) of the values do not exceed.
    double quantile_ms(double share) const {
        const auto wanted =
            static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(x_count)));
        std::uint64_t seen = 0;
        for (std::size_t step = 0; step < x_steps.size(); ++step) {
            seen += x_steps[step];
            if (seen >= wanted && seen > 0)
                return std::min(middle_of(step), static_cast<double>(x_max)) * 1e-6;
        }
        return 0;
    }

private:
    static constexpr unsigned kStepBits = 7;
    static constexpr std::uint64_t kSteps = 1u << kStepBits;

    static std::size_t step_of(std::uint64_t value) {
        if (value < kSteps) return value;
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kStepBits - 1;
        return (shift + 1) * kSteps + (value >> shift) - kSteps;
    }
    static double middle_of(std::size_t step) {
        if (step < kSteps) return static_cast<double>(step);
        const std::size_t shift = step / kSteps - 1;
        const auto low = static_cast<double>((step % kSteps + kSteps) << shift);
        return low + static_cast<double>(std::uint64_t{1} << shift) / 2;
    }

    std::vector<std::uint64_t> x_steps = std::vector<std::uint64_t>(58 * kSteps, 0);
    std::uint64_t x_count = 0;
    std::uint64_t x_max = 0;
};

} // namespace parley::bench
