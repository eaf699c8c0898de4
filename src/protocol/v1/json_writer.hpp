// Writes JSON to the end of a string, through a pointer: room for what is coming is made ahead, the
// string gets its true length at the end. (An append per field costs three times as much, and so
// does a copy of bytes that were written one by one a moment ago.)
//
// Threading: a value. Owner: the function that writes; nobody else touches `out` meanwhile.
// Bounds: between two calls of text(), or from the start to the first, at most kFixedBytes may be
// written; the largest frame without a text in it needs about 250. Longer lists call ensure().
#pragma once

#include "base/assert.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace parley::protocol::v1 {

// A number below 2^63 in decimal: made once where it is written twice.
class Digits {
public:
    explicit Digits(std::uint64_t value);
    // Writes 24 bytes, whatever the length; the end of what counts.
    char* put(char* out) const {
        std::memcpy(out, &x_words[0], 8);
        std::memcpy(out + x_lead, &x_words[1], 8);
        std::memcpy(out + x_lead + 8, &x_words[2], 8);
        return out + x_size;
    }

private:
    std::uint64_t x_words[3]; // up to eight leading digits, then eight, then eight, as text
    std::uint32_t x_lead;     // how many of the first word count
    std::uint32_t x_size;
};

class JsonWriter {
public:
    static constexpr std::size_t kFixedBytes = 384;

    // `likely_bytes`: of the texts that will be written, so that growing once is enough.
    explicit JsonWriter(std::string& out, std::size_t likely_bytes = 0) : x_out(out) {
        x_end = x_last = out.data() + out.size();
        grow(likely_bytes + kFixedBytes);
    }
    ~JsonWriter() {
        PARLEY_ASSERT(x_end <= x_last);
        x_out.resize(static_cast<std::size_t>(x_end - x_out.data()));
    }
    JsonWriter(const JsonWriter&) = delete;
    JsonWriter& operator=(const JsonWriter&) = delete;

    template <std::size_t N>
    JsonWriter& raw(const char (&literal)[N]) {
        std::memcpy(x_end, literal, N - 1);
        x_end += N - 1;
        return *this;
    }
    JsonWriter& number(std::uint64_t value) { return digits(Digits(value)); }
    JsonWriter& digits(const Digits& value) {
        x_end = value.put(x_end);
        return *this;
    }
    JsonWriter& id(const Digits& value) {
        *x_end++ = '"';
        x_end = value.put(x_end);
        *x_end++ = '"';
        return *this;
    }
    template <class Tag>
    JsonWriter& id(model::Id<Tag> value) {
        return id(Digits(static_cast<std::uint64_t>(value.value)));
    }
    template <class Tag>
    JsonWriter& id_or_null(model::Id<Tag> value) {
        return value ? id(value) : raw("null");
    }
    JsonWriter& time(model::Time value) {
        *x_end++ = '"';
        model::write_rfc3339(value, x_end);
        x_end += 24;
        *x_end++ = '"';
        return *this;
    }
    JsonWriter& flag(bool value) { return value ? raw("true") : raw("false"); }
    // With quotes, but unescaped: a name out of one of the protocol's own enums.
    JsonWriter& name(std::string_view value) {
        *x_end++ = '"';
        std::memcpy(x_end, value.data(), value.size());
        x_end += value.size();
        *x_end++ = '"';
        return *this;
    }
    // With quotes, escaped. Leaves room for kFixedBytes behind it.
    JsonWriter& text(std::string_view value);
    // JSON that is valid already. Leaves room as text() does.
    JsonWriter& json(std::string_view value) {
        ensure(value.size() + kFixedBytes);
        std::memcpy(x_end, value.data(), value.size());
        x_end += value.size();
        return *this;
    }

    void ensure(std::size_t bytes) {
        if (static_cast<std::size_t>(x_last - x_end) < bytes) grow(bytes);
    }

private:
    void grow(std::size_t bytes);
    void escaped_text(const char* p, const char* end);

    std::string& x_out;
    char* x_end;  // where the next byte goes
    char* x_last; // the string's present end
};

} // namespace parley::protocol::v1
