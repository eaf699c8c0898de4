#include "adapters/disk/http_range.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

namespace parley::disk {
namespace {

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    return text;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

} // namespace

RangeAnswer choose_range(std::string_view header, std::uint64_t file_size) {
    using Kind = RangeAnswer::Kind;
    constexpr std::string_view kUnit = "bytes=";
    if (!header.starts_with(kUnit)) return {};
    const std::string_view spec = trimmed(header.substr(kUnit.size()));
    const std::size_t dash = spec.find('-');
    if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) return {};
    const std::string_view first = trimmed(spec.substr(0, dash));
    const std::string_view last = trimmed(spec.substr(dash + 1));
    if (first.empty()) {
        const auto suffix = whole_number(last);
        if (!suffix) return {};
        if (*suffix == 0 || file_size == 0) return {Kind::unsatisfiable};
        const std::uint64_t size = std::min(*suffix, file_size);
        return {Kind::part, {file_size - size, size}};
    }
    const auto from = whole_number(first);
    const auto to = last.empty() ? std::optional(UINT64_MAX) : whole_number(last);
    if (!from || !to || *from > *to) return {};
    if (*from >= file_size) return {Kind::unsatisfiable};
    return {Kind::part, {*from, std::min(*to, file_size - 1) - *from + 1}};
}

bool names_tag(std::string_view list, std::string_view tag) {
    if (trimmed(list) == "*") return true;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        std::string_view one = trimmed(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one == tag) return true;
    }
    return false;
}

std::string to_http_date(std::int64_t seconds) {
    const auto time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char text[64];
    return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

std::optional<std::int64_t> from_http_date(std::string_view text) {
    std::tm parts{};
    const std::string copy(text);
    const char* const end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (!end || *end != 0) return std::nullopt;
    return static_cast<std::int64_t>(::timegm(&parts));
}

} // namespace parley::disk
