#include "model/time.hpp"

#include <algorithm>

namespace parley::model {

namespace {
void digits(char* out, int width, std::int64_t value) {
    for (int i = width - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
}
} // namespace

void write_rfc3339(Time time, char* out) {
    constexpr std::int64_t kDay = 86'400'000;
    constexpr std::int64_t kLast = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z
    const std::int64_t ms = std::clamp<std::int64_t>(time.ms, 0, kLast);
    std::int64_t days = ms / kDay, rest = ms % kDay;
    // Civil date from days: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    days += 719'468;
    const std::int64_t era = days / 146'097, doe = days % 146'097;
    const std::int64_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
    const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const std::int64_t mp = (5 * doy + 2) / 153;
    const std::int64_t day = doy - (153 * mp + 2) / 5 + 1;
    const std::int64_t month = mp < 10 ? mp + 3 : mp - 9;
    const std::int64_t year = yoe + era * 400 + (month <= 2);
    digits(out, 4, year), out[4] = '-', digits(out + 5, 2, month), out[7] = '-';
    digits(out + 8, 2, day), out[10] = 'T', digits(out + 11, 2, rest / 3'600'000), out[13] = ':';
    digits(out + 14, 2, rest / 60'000 % 60), out[16] = ':', digits(out + 17, 2, rest / 1000 % 60);
    out[19] = '.', digits(out + 20, 3, rest % 1000), out[23] = 'Z';
}

std::string to_rfc3339(Time time) {
    std::string out(24, '0');
    write_rfc3339(time, out.data());
    return out;
}

} // namespace parley::model
