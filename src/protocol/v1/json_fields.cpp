// simdjson on demand indexes the text (and proves quotes, control characters and UTF-8 in doing
// so); the walk over the index is complete, unknown fields included, since on-demand checks nothing
// that it does not visit. Two things are done here instead of by the library: strings without a
// backslash are used in place, and escapes are resolved by unescape(), because 3.0 lets a lone low
// surrogate through as three bytes that are not UTF-8.
#include "protocol/v1/json_fields.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"

// The library turns its self-checks on by the optimisation level; they need a deeper bookkeeping
// than the walk gives and add nothing to its own checks.
#define SIMDJSON_DEVELOPMENT_CHECKS 0
#include <simdjson.h>

#include <algorithm>
#include <cstring>

namespace parley::protocol::v1 {

namespace ondemand = simdjson::ondemand;

namespace {

constexpr std::string_view kNotJson = "the frame is not one JSON object";
constexpr std::string_view kTooDeep = "the frame is nested too deeply";
constexpr std::string_view kTwice = "a field stands twice in the frame";
constexpr std::string_view kTrailing = "text follows the JSON object";
constexpr std::string_view kBadString =
    "a string has a bad escape, a lone surrogate or the character U+0000";
constexpr std::string_view kBadNumber = "a number is malformed or too large";

constexpr std::array<std::string_view, kKeys> kNames{
    "op",         "ref",   "token",   "room_id",    "since",
    "nonce",      "type",  "content", "media_id",   "reply_to",
    "message_id", "emoji", "added",   "event_type", "message_type"};

template <std::size_t N>
bool starts_with(const char* p, const char (&literal)[N]) {
    return std::memcmp(p, literal, N - 1) == 0;
}

// Which of v1's names stands at `p`, as it is, with a quote behind it; kKeys for any other and for
// one written with escapes. May look at 13 bytes: there is padding behind the frame. One comparison
// of a constant size for most keys, where finding the end of the key first would be a loop.
std::size_t plain_key(const char* p) {
    const auto key = [](Key found) { return static_cast<std::size_t>(found); };
    switch (*p) {
    case 'a':
        return starts_with(p, "added\"") ? key(Key::added) : kKeys;
    case 'c':
        return starts_with(p, "content\"") ? key(Key::content) : kKeys;
    case 'e':
        if (starts_with(p, "emoji\"")) return key(Key::emoji);
        return starts_with(p, "event_type\"") ? key(Key::event_type) : kKeys;
    case 'n':
        return starts_with(p, "nonce\"") ? key(Key::nonce) : kKeys;
    case 'o':
        return starts_with(p, "op\"") ? key(Key::op) : kKeys;
    case 's':
        return starts_with(p, "since\"") ? key(Key::since) : kKeys;
    case 'm':
        if (starts_with(p, "message_id\"")) return key(Key::message_id);
        if (starts_with(p, "media_id\"")) return key(Key::media_id);
        return starts_with(p, "message_type\"") ? key(Key::message_type) : kKeys;
    case 'r':
        if (starts_with(p, "room_id\"")) return key(Key::room_id);
        if (starts_with(p, "ref\"")) return key(Key::ref);
        return starts_with(p, "reply_to\"") ? key(Key::reply_to) : kKeys;
    case 't':
        if (starts_with(p, "type\"")) return key(Key::type);
        return starts_with(p, "token\"") ? key(Key::token) : kKeys;
    default:
        return kKeys;
    }
}

// -1 unless four hexadecimal digits stand at `p`.
int hex4(const char* p, const char* end) {
    if (end - p < 4) return -1;
    int value = 0;
    for (int i = 0; i < 4; ++i) {
        const char c = p[i];
        const char lower = static_cast<char>(c | 0x20);
        int digit = 0;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (lower >= 'a' && lower <= 'f')
            digit = lower - 'a' + 10;
        else
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

char* put_utf8(char* out, std::uint32_t point) {
    const auto byte = [&](std::uint32_t value) { *out++ = static_cast<char>(value); };
    if (point < 0x80) {
        byte(point);
    } else if (point < 0x800) {
        byte(0xC0 | point >> 6), byte(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        byte(0xE0 | point >> 12), byte(0x80 | (point >> 6 & 0x3F)), byte(0x80 | (point & 0x3F));
    } else {
        byte(0xF0 | point >> 18), byte(0x80 | (point >> 12 & 0x3F));
        byte(0x80 | (point >> 6 & 0x3F)), byte(0x80 | (point & 0x3F));
    }
    return out;
}

// The character of the escape whose `u` is just before `p`, and `p` moved behind it; 0 if it is
// none.
std::uint32_t unicode_escape(const char*& p, const char* end) {
    const int first = hex4(p, end);
    if (first <= 0) return 0;
    p += 4;
    const auto high = static_cast<std::uint32_t>(first);
    if (high < 0xD800 || high > 0xDFFF) return high;
    if (high > 0xDBFF || end - p < 6 || p[0] != '\\' || p[1] != 'u') return 0;
    const int second = hex4(p + 2, end);
    if (second < 0xDC00 || second > 0xDFFF) return 0;
    p += 6;
    return 0x10000 + ((high - 0xD800) << 10) + (static_cast<std::uint32_t>(second) - 0xDC00);
}

// Writes `raw` without its escapes to `out`; the end of what was written, or null for a bad escape.
// The result is never longer than `raw`.
char* unescape(std::string_view raw, char* out) {
    const char* p = raw.data();
    const char* const end = p + raw.size();
    while (p != end) {
        const auto* stop =
            static_cast<const char*>(std::memchr(p, '\\', static_cast<std::size_t>(end - p)));
        if (!stop) stop = end;
        const auto plain = static_cast<std::size_t>(stop - p);
        std::memcpy(out, p, plain);
        out += plain;
        p = stop;
        if (p == end) break;
        if (end - p < 2) return nullptr;
        const char kind = p[1];
        p += 2;
        switch (kind) {
        case '"':
        case '\\':
        case '/':
            *out++ = kind;
            break;
        case 'b':
            *out++ = '\b';
            break;
        case 'f':
            *out++ = '\f';
            break;
        case 'n':
            *out++ = '\n';
            break;
        case 'r':
            *out++ = '\r';
            break;
        case 't':
            *out++ = '\t';
            break;
        case 'u': {
            const std::uint32_t point = unicode_escape(p, end);
            if (point == 0) return nullptr;
            out = put_utf8(out, point);
            break;
        }
        default:
            return nullptr;
        }
    }
    return out;
}

// What stands between the quote before `p` and the next one that is not escaped. There is one: an
// unclosed string does not get through the index.
std::string_view up_to_quote(const char* p) {
    const char* end = p;
    for (; *end != '"'; ++end)
        if (*end == '\\') ++end;
    return {p, static_cast<std::size_t>(end - p)};
}

} // namespace

std::string_view name_of(Key key) { return kNames[static_cast<std::size_t>(key)]; }

struct JsonFields::Reader {
    ondemand::parser parser;
    std::unique_ptr<char[]> text;      // the frame, and the padding that simdjson may read
    std::unique_ptr<char[]> unescaped; // the frame's strings that had escapes; fits them all
    char* unescaped_end = nullptr;
    std::string_view fault;

    bool fail(std::string_view why) {
        fault = why;
        return false;
    }

    bool read_string(std::string_view raw, std::string_view& out) {
        if (raw.find('\\') == std::string_view::npos) {
            out = raw;
            return true;
        }
        char* const start = unescaped_end;
        char* const end = unescape(raw, start);
        if (!end) return fail(kBadString);
        unescaped_end = end;
        out = {start, static_cast<std::size_t>(end - start)};
        return true;
    }

    // The string that `value` is known to be. Its token runs to the next one: spaces may follow it.
    bool read_string(ondemand::value& value, std::string_view& out) {
        std::string_view token = value.raw_json_token();
        ondemand::raw_json_string consumed;
        if (value.get_raw_json_string().get(consumed)) return fail(kNotJson);
        while (token.back() != '"') token.remove_suffix(1);
        return read_string(token.substr(1, token.size() - 2), out);
    }

    bool read_scalar(ondemand::value& value, ondemand::json_type type, Field& out) {
        switch (type) {
        case ondemand::json_type::string:
            out.kind = Field::Kind::string;
            return read_string(value, out.text);
        case ondemand::json_type::boolean: {
            bool truth = false;
            if (value.get_bool().get(truth)) return fail(kNotJson);
            out.kind = truth ? Field::Kind::truth : Field::Kind::falsehood;
            return true;
        }
        case ondemand::json_type::null: {
            bool null = false;
            if (value.is_null().get(null) || !null) return fail(kNotJson);
            out.kind = Field::Kind::null;
            return true;
        }
        default: {
            const std::string_view token = value.raw_json_token();
            double number = 0;
            if (value.get_double().get(number)) return fail(kBadNumber);
            out.kind = Field::Kind::number;
            out.text = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
            return true;
        }
        }
    }

    // `depth`: how many objects and arrays are open around the value.
    bool read_value(ondemand::value& value, int depth, Field& out) {
        out.text = {}; // of an earlier frame, perhaps somebody else's
        ondemand::json_type type{};
        if (value.type().get(type)) return fail(kNotJson);
        const bool object = type == ondemand::json_type::object;
        if (!object && type != ondemand::json_type::array) return read_scalar(value, type, out);
        out.kind = Field::Kind::other;
        if (depth >= limits::kJsonDepth) return fail(kTooDeep);
        // Strings below are only checked: their unescaped form is dropped again.
        char* const mark = unescaped_end;
        const bool good = object ? read_members(value, depth) : read_elements(value, depth);
        unescaped_end = mark;
        return good;
    }

    bool read_members(ondemand::value& value, int depth) {
        ondemand::object object;
        if (value.get_object().get(object)) return fail(kNotJson);
        for (auto member : object) {
            std::string_view name;
            Field ignored;
            if (member.error()) return fail(kNotJson);
            ondemand::field& field = member.value_unsafe();
            if (!read_string(up_to_quote(field.key().raw()), name)) return false;
            if (!read_value(field.value(), depth + 1, ignored)) return false;
        }
        return true;
    }

    bool read_elements(ondemand::value& value, int depth) {
        ondemand::array array;
        if (value.get_array().get(array)) return fail(kNotJson);
        for (auto element : array) {
            Field ignored;
            if (element.error()) return fail(kNotJson);
            if (!read_value(element.value_unsafe(), depth + 1, ignored)) return false;
        }
        return true;
    }

    bool read_frame(std::string_view frame, JsonFields& to) {
        std::memcpy(text.get(), frame.data(), frame.size());
        // Zeros behind the text: whatever runs past the last token meets something that is no JSON.
        std::memset(text.get() + frame.size(), 0, simdjson::SIMDJSON_PADDING);
        unescaped_end = unescaped.get();
        fault = {};
        ondemand::document document;
        ondemand::object object;
        if (parser.iterate(text.get(), frame.size(), frame.size() + simdjson::SIMDJSON_PADDING)
                .get(document) ||
            document.get_object().get(object))
            return fail(kNotJson);
        for (auto member : object) {
            if (member.error()) return fail(kNotJson);
            ondemand::field& field = member.value_unsafe();
            const char* const key = field.key().raw();
            std::size_t index = plain_key(key);
            if (index == kKeys) {
                std::string_view name;
                if (!read_string(up_to_quote(key), name)) return false;
                index = static_cast<std::size_t>(std::find(kNames.begin(), kNames.end(), name) -
                                                 kNames.begin());
                if (index == kKeys) to.x_unknown.push_back(name);
            }
            if (index == kKeys) {
                Field ignored;
                if (!read_value(field.value(), 1, ignored)) return false;
                continue;
            }
            if (to.x_seen >> index & 1u) return fail(kTwice);
            if (!read_value(field.value(), 1, to.x_fields[index])) return false;
            to.x_seen |= 1u << index;
        }
        if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) return fail(kTrailing);
        return true;
    }
};

JsonFields::JsonFields() : x_reader(std::make_unique<Reader>()) {
    const auto error = x_reader->parser.allocate(limits::kFrameBytes);
    PARLEY_ASSERT(error == simdjson::SUCCESS);
    x_reader->text =
        std::make_unique_for_overwrite<char[]>(limits::kFrameBytes + simdjson::SIMDJSON_PADDING);
    x_reader->unescaped = std::make_unique_for_overwrite<char[]>(limits::kFrameBytes);
}

JsonFields::~JsonFields() = default;

std::string_view JsonFields::read(std::string_view text) {
    PARLEY_ASSERT(text.size() <= limits::kFrameBytes);
    x_seen = 0;
    x_unknown.clear();
    // Later versions of the library skip a byte order mark.
    if (text.starts_with("\xEF\xBB\xBF")) return kNotJson;
    if (!x_reader->read_frame(text, *this)) return x_reader->fault;
    if (x_unknown.size() > 1) {
        // Sorted, not hashed: a frame of thousands of chosen keys costs n log n at worst.
        std::sort(x_unknown.begin(), x_unknown.end());
        if (std::adjacent_find(x_unknown.begin(), x_unknown.end()) != x_unknown.end())
            return kTwice;
    }
    return {};
}

} // namespace parley::protocol::v1
