#include "adapters/crypto/claims.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <array>

namespace parley::crypto {

namespace {

namespace json = boost::json;

enum Claim : std::uint8_t { iss, aud, typ, sub, sid, iat, exp, nbf, other };

constexpr std::array<std::string_view, other> kNames{"iss", "aud", "typ", "sub",
                                                     "sid", "iat", "exp", "nbf"};
constexpr unsigned kRequired = (1u << nbf) - 1;
constexpr std::int64_t kSecondsMax = 253'402'300'799; // 9999-12-31T23:59:59Z

// Collects claims from the parser's events. A method answers false to stop it.
struct Collector {
    static constexpr std::size_t max_object_size = 32, max_array_size = 0, max_key_size = 64,
                                 max_string_size = 256;

    std::string text; // of the key or string that is being read
    Claim current = other;
    unsigned seen = 0;
    std::array<std::int64_t, other> integers{};
    ports::AccessClaims access;

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code& ec) { return x_depth++ == 0 || refuse(ec); }
    bool on_object_end(std::size_t, json::error_code&) { return true; }
    bool on_array_begin(json::error_code& ec) { return refuse(ec); }
    bool on_array_end(std::size_t, json::error_code& ec) { return refuse(ec); }
    bool on_comment_part(json::string_view, json::error_code& ec) { return refuse(ec); }
    bool on_comment(json::string_view, json::error_code& ec) { return refuse(ec); }
    bool on_number_part(json::string_view, json::error_code&) { return true; }

    bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
        text.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
        text.append(part.data(), part.size());
        current = other;
        for (std::size_t i = 0; i < kNames.size(); ++i)
            if (text == kNames[i]) current = static_cast<Claim>(i);
        text.clear();
        if (current == other) return true;
        const unsigned bit = 1u << current;
        if (seen & bit) return refuse(ec);
        seen |= bit;
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
        text.append(part.data(), part.size());
        return true;
    }
    bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
        text.append(part.data(), part.size());
        const bool good = x_depth > 0 && take_text();
        text.clear();
        return good || refuse(ec);
    }
    bool on_int64(std::int64_t value, json::string_view, json::error_code& ec) {
        return (x_depth > 0 && take_integer(value)) || refuse(ec);
    }
    bool on_uint64(std::uint64_t value, json::string_view, json::error_code& ec) {
        const bool fits = value <= static_cast<std::uint64_t>(kSecondsMax);
        return (x_depth > 0 && take_integer(fits ? static_cast<std::int64_t>(value) : -1)) ||
               refuse(ec);
    }
    bool on_double(double, json::string_view, json::error_code& ec) { return refuse(ec); }
    bool on_bool(bool, json::error_code& ec) {
        return (x_depth > 0 && current == other) || refuse(ec);
    }
    bool on_null(json::error_code& ec) { return (x_depth > 0 && current == other) || refuse(ec); }

private:
    bool refuse(json::error_code& ec) {
        ec = json::error::syntax;
        return false;
    }
    bool take_text() {
        switch (current) {
        case iss:
        case aud:
            return text == "parley";
        case typ:
            return text == "access";
        case sub:
            return take_id(access.user_id);
        case sid:
            return take_id(access.session_id);
        case iat:
        case exp:
        case nbf:
            return false;
        case other:
            return true;
        }
        return false;
    }
    template <class Id>
    bool take_id(Id& id) {
        const auto parsed = Id::parse(text);
        if (parsed) id = *parsed;
        return parsed.has_value();
    }
    bool take_integer(std::int64_t value) {
        if (current == other) return true;
        if (current < iat || value < 0 || value > kSecondsMax) return false;
        integers[current] = value;
        return true;
    }
    int x_depth = 0;
};

} // namespace

std::optional<ParsedClaims> parse_claims(std::string_view text) {
    json::parse_options options;
    options.max_depth = 2;
    json::basic_parser<Collector> parser(options);
    json::error_code ec;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
    const Collector& found = parser.handler();
    if (ec || used != text.size() || (found.seen & kRequired) != kRequired) return std::nullopt;
    ParsedClaims claims{found.access, found.integers[nbf]};
    claims.access.issued_at = {found.integers[iat] * 1000};
    claims.access.expires_at = {found.integers[exp] * 1000};
    return claims;
}

} // namespace parley::crypto
