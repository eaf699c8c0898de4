// The query parameters of lists: `limit`, and `cursor`, which a client got as `next` and sends back
// unread.
//
//   cursor = base64url(tag[1] id[8], big endian)      12 characters; the tag tells one list from
//   another
//
// Anything else than a well-formed value, given once, is invalid_field. Threading: pure functions.
#pragma once

#include "base/result.hpp"
#include "model/ids.hpp"
#include "net/http.hpp"
#include "protocol/v1/server_frame.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::api {

enum class CursorTag : char {
    my_rooms = 'r',
    open_rooms = 'o',
    members = 'm',
    users = 'u',
    held = 'h',
    all_rooms = 'a',
    sessions = 's'
};

std::string encode_cursor(CursorTag tag, std::int64_t id);
std::optional<std::int64_t> decode_cursor(CursorTag tag, std::string_view text);

// 1..limits::kPageMax; limits::kPageDefault when absent.
Result<std::size_t> page_limit(const net::HttpRequest& request);
// The id after which the page begins; 0 when there is no cursor.
Result<std::int64_t> page_cursor(const net::HttpRequest& request, CursorTag tag);
// A parameter that may be given once; nullopt when absent.
Result<std::optional<std::string>> query_text(const net::HttpRequest& request,
                                              std::string_view name);

template <class Id>
Result<std::optional<Id>> query_id(const net::HttpRequest& request, std::string_view name) {
    PARLEY_TRY(const std::optional<std::string> text, query_text(request, name));
    if (!text) return std::optional<Id>{};
    const std::optional<Id> id = Id::parse(*text);
    if (!id) return Error(Errc::invalid_field, std::string(name) + ": an id was expected.");
    return id;
}

// The stores are asked for one more than the page holds: that there is one means that there is a
// next page.
template <class Item, class Append, class IdOf>
std::string page(std::string_view name, std::vector<Item> items, std::size_t limit, CursorTag tag,
                 Append append, IdOf id_of) {
    const bool more = items.size() > limit;
    if (more) items.resize(limit);
    std::string out = "{\"" + std::string(name) + "\":[";
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ',';
        append(out, items[i], i);
    }
    out += R"(],"next":)";
    if (more)
        protocol::v1::append_string(out, encode_cursor(tag, id_of(items.back())));
    else
        out += "null";
    return out + "}";
}

} // namespace parley::api
