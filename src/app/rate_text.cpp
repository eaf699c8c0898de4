#include "app/rate_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace parley::app {

namespace {

constexpr double kLeast = 0.001, kMost = 1e12;
constexpr std::array<std::pair<char, double>, 3> kUnits{{{'s', 1}, {'m', 60}, {'h', 3600}}};

std::optional<double> number_from(std::string_view text) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    if (error != std::errc{} || rest != end || !(value >= kLeast && value <= kMost))
        return std::nullopt;
    return value;
}

std::string text_of(double number) {
    std::array<char, 32> text;
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    return {text.data(), end};
}

} // namespace

std::optional<RateLimit> rate_from(std::string_view text) {
    if (text == "off") return RateLimit{};
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos || slash + 1 >= text.size()) return std::nullopt;
    const auto rate = number_from(text.substr(0, slash));
    std::optional<double> seconds;
    for (const auto& [name, length] : kUnits)
        if (text[slash + 1] == name) seconds = length;
    const std::string_view rest = text.substr(slash + 2);
    if (!rate || !seconds || (!rest.empty() && rest.front() != ':')) return std::nullopt;
    const auto burst = rest.empty() ? std::max(1.0, *rate) : number_from(rest.substr(1));
    if (!burst || *burst < 1) return std::nullopt;
    return RateLimit{.per_second = *rate / *seconds, .burst = *burst};
}

// In the shortest unit in which the rate is a whole number.
std::string text_of(const RateLimit& limit) {
    if (limit.is_unlimited()) return "off";
    for (const auto& [name, length] : kUnits) {
        const double rate = std::round(limit.per_second * length * 1e6) / 1e6;
        if (rate != std::floor(rate) && name != kUnits.back().first) continue;
        return text_of(rate) + "/" + name + ":" + text_of(limit.burst);
    }
    return {};
}

} // namespace parley::app
