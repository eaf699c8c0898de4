#include "protocol/media/report.hpp"

#include "protocol/media/blurhash.hpp"

#include <charconv>

namespace parley::protocol::media {
namespace {

constexpr std::uint64_t kSideMax = 1'000'000;
constexpr std::uint64_t kDurationMax = 31ull * 24 * 3600 * 1000; // ms

// Takes a number off the front of `text`, and the space before it.
std::optional<std::uint64_t> take_number(std::string_view& text, std::uint64_t max) {
    if (!text.starts_with(' ')) return {};
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), value);
    if (error != std::errc() || value > max) return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

bool read_side(std::string_view rest, std::optional<std::uint32_t>& side) {
    const auto value = take_number(rest, kSideMax);
    if (!value || *value == 0 || !rest.empty()) return false;
    side = static_cast<std::uint32_t>(*value);
    return true;
}

bool read_size(std::string_view rest, model::MediaVariant variant,
               std::optional<model::PictureSize>& size) {
    const auto longest = static_cast<std::uint64_t>(variant);
    const auto width = take_number(rest, longest), height = take_number(rest, longest);
    if (!width || !height || *width == 0 || *height == 0 || !rest.empty()) return false;
    size = {static_cast<std::uint32_t>(*width), static_cast<std::uint32_t>(*height)};
    return true;
}

bool read_line(std::string_view word, std::string_view rest, Report& report) {
    if (word == "width") return read_side(rest, report.width);
    if (word == "height") return read_side(rest, report.height);
    if (word == "small") return read_size(rest, model::MediaVariant::small, report.small);
    if (word == "large") return read_size(rest, model::MediaVariant::large, report.large);
    if (word == "duration_ms") {
        report.duration_ms = take_number(rest, kDurationMax);
        return report.duration_ms && rest.empty();
    }
    if (word == "blurhash") {
        report.blurhash = rest.substr(rest.empty() ? 0 : 1);
        return is_blurhash(report.blurhash);
    }
    report.broken = report.broken || word == "broken";
    report.stripped = report.stripped || word == "stripped";
    return (word == "broken" || word == "stripped") && rest.empty();
}

} // namespace

std::string to_text(const Report& report) {
    std::string text;
    const auto say = [&](std::string_view word, auto... values) {
        text += word;
        ((text += ' ' + std::to_string(values)), ...);
        text += '\n';
    };
    if (report.width) say("width", *report.width);
    if (report.height) say("height", *report.height);
    if (report.duration_ms) say("duration_ms", *report.duration_ms);
    if (!report.blurhash.empty()) text += "blurhash " + report.blurhash + '\n';
    if (report.small) say("small", report.small->width, report.small->height);
    if (report.large) say("large", report.large->width, report.large->height);
    if (report.broken) say("broken");
    if (report.stripped) say("stripped");
    return text + "end\n";
}

std::optional<Report> read_report(std::string_view text) {
    Report report;
    while (!text.empty()) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos) return {};
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (line == "end") return text.empty() ? std::optional(report) : std::nullopt;
        const std::string_view word = line.substr(0, line.find(' '));
        if (!read_line(word, line.substr(word.size()), report)) return {};
    }
    return {};
}

} // namespace parley::protocol::media
