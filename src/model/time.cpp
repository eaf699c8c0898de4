#include "model/time.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace parley::model {

namespace {
// "00" to "99": a time is written for every message.
constexpr auto kPairs = [] {
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < 100; ++i) {
        pairs[2 * i] = static_cast<char>('0' + i / 10);
        pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return pairs;
}();

void pair(char* out, std::uint32_t value) {
    std::memcpy(out, kPairs.data() + std::size_t{2} * value, 2);
}
} // namespace

void write_rfc3339(Time time, char* out) {
    constexpr std::int64_t kDay = 86'400'000;
    constexpr std::int64_t kLast = 253'402'300'799'999; // 9999-12-31T23:59:59.999Z
    const std::int64_t ms = std::clamp<std::int64_t>(time.ms, 0, kLast);
    const auto rest = static_cast<std::uint32_t>(ms % kDay);
    // Civil date from days: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    const auto days = static_cast<std::uint32_t>(ms / kDay) + 719'468;
    const std::uint32_t era = days / 146'097, doe = days % 146'097;
    const std::uint32_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
    const std::uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const std::uint32_t mp = (5 * doy + 2) / 153;
    const std::uint32_t day = doy - (153 * mp + 2) / 5 + 1;
    const std::uint32_t month = mp < 10 ? mp + 3 : mp - 9;
    const std::uint32_t year = yoe + era * 400 + (month <= 2);
    const std::uint32_t seconds = rest / 1000, minutes = seconds / 60, thousandths = rest % 1000;
    pair(out, year / 100), pair(out + 2, year % 100), out[4] = '-';
    pair(out + 5, month), out[7] = '-', pair(out + 8, day), out[10] = 'T';
    pair(out + 11, minutes / 60), out[13] = ':', pair(out + 14, minutes % 60), out[16] = ':';
    pair(out + 17, seconds % 60), out[19] = '.', pair(out + 20, thousandths / 10);
    out[22] = static_cast<char>('0' + thousandths % 10), out[23] = 'Z';
}

std::string to_rfc3339(Time time) {
    std::string out(24, '0');
    write_rfc3339(time, out.data());
    return out;
}

} // namespace parley::model
