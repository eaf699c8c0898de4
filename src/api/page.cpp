#include "api/page.hpp"

#include "base/assert.hpp"
#include "base/base64url.hpp"
#include "base/limits.hpp"

#include <charconv>

namespace parley::api {

namespace {

constexpr std::size_t kCursorBytes = 9;

} // namespace

std::string encode_cursor(CursorTag tag, std::int64_t id) {
    PARLEY_ASSERT(id > 0);
    std::string bytes(1, static_cast<char>(tag));
    for (int shift = 56; shift >= 0; shift -= 8)
        bytes += static_cast<char>(static_cast<std::uint64_t>(id) >> shift & 0xFF);
    return to_base64url(bytes);
}

std::optional<std::int64_t> decode_cursor(CursorTag tag, std::string_view text) {
    if (text.size() != base64url_size(kCursorBytes)) return std::nullopt;
    const auto bytes = from_base64url(text);
    if (!bytes || bytes->front() != static_cast<char>(tag)) return std::nullopt;
    std::uint64_t id = 0;
    for (const char c : std::string_view(*bytes).substr(1))
        id = id << 8 | static_cast<unsigned char>(c);
    if (id == 0 || id > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<std::int64_t>(id);
}

Result<std::optional<std::string>> query_text(const net::HttpRequest& request,
                                              std::string_view name) {
    if (request.query_is_ambiguous(name))
        return Error(Errc::invalid_field, std::string(name) + ": one value was expected.");
    return request.query_value(name);
}

Result<std::size_t> page_limit(const net::HttpRequest& request) {
    PARLEY_TRY(const std::optional<std::string> text, query_text(request, "limit"));
    if (!text) return limits::kPageDefault;
    std::size_t limit = 0;
    const char* const end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, limit);
    if (error != std::errc{} || stop != end || text->front() == '0' || limit > limits::kPageMax)
        return Error(Errc::invalid_field, "limit: a number from 1 to " +
                                              std::to_string(limits::kPageMax) + " was expected.");
    return limit;
}

Result<std::int64_t> page_cursor(const net::HttpRequest& request, CursorTag tag) {
    PARLEY_TRY(const std::optional<std::string> text, query_text(request, "cursor"));
    if (!text) return std::int64_t{0};
    const auto id = decode_cursor(tag, *text);
    if (!id)
        return Error(Errc::invalid_field,
                     "cursor: a value of `next` of the same list was expected.");
    return *id;
}

} // namespace parley::api
