// Result<T>: the answer of everything that the outside world can make fail.
//
// Errc names what went wrong in the words of the wire contract; each surface maps the whole enum to
// its statuses once (api/errors.cpp, protocol/v1/errors.cpp), without a default branch. Bugs are
// not errors: see assert.hpp. Exceptions stay inside adapters/ and app/.
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace parley {

enum class Errc : std::uint8_t {
    unavailable = 1, // nothing stored; send again with the same nonce
    overloaded,      // a bounded queue was full; nothing done, retry later
    shutting_down,   // this process is going away; retry on another one
    bad_json,        // not JSON, or JSON of a wrong shape
    invalid_field,   // one named field has a wrong type or value
    invalid_username,
    invalid_email,
    invalid_password,
    too_long,
    email_taken,
    username_taken,
    room_name_taken,
    invalid_credentials,
    unauthorized, // no token, or one that does not verify
    token_expired,
    token_reused, // a refresh token was used twice: its session is revoked
    session_revoked,
    not_a_member,
    unknown_room,
    unknown_user,
    unknown_message,
    forbidden,
    nonce_conflict,
    last_owner,
    last_admin, // of the server
    rate_limited,
    media_not_available, // media are not served here
    content_held,        // waits for a moderator; sending it again changes nothing
    content_rejected,    // a word that this server or room does not take
    internal,            // a broken invariant of the store; logged where it is made
    unknown_media,       // none, or none that one may know of
    media_too_large,
    media_type_not_allowed,
    media_not_uploaded, // its upload is not finished
    media_mismatch,     // what was uploaded is not what its ticket said
    media_quota,        // of the user's day, or of the server
    media_unavailable,  // the storage of media does not answer
    media_storage_full,
    unknown_session, // none, or not one of one's own
};

struct Error {
    Errc code = Errc::internal;
    std::string detail; // one sentence for a person; never a secret, never user content
    // Of rate_limited: when the same would be allowed. REST says it as Retry-After, a socket as
    // retry_after_ms.
    std::optional<std::chrono::milliseconds> retry_after;

    Error() = default;
    Error(Errc c) : code(c) {} // NOLINT: `return Errc::x;` is the common case
    Error(Errc c, std::string d) : code(c), detail(std::move(d)) {}
    Error(Errc c, std::string d, std::chrono::milliseconds wait)
        : code(c), detail(std::move(d)), retry_after(wait) {}
};

[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
    throw std::runtime_error("parley: value() of a failed Result: " + error.detail);
}

template <class T>
using Result = boost::system::result<T, Error>;

// snake_case name of a code; stable, part of the wire contract.
std::string_view name_of(Errc code);

} // namespace parley

#define PARLEY_CONCAT_INNER(a, b) a##b
#define PARLEY_CONCAT(a, b) PARLEY_CONCAT_INNER(a, b)

// PARLEY_TRY(auto x, expression): x = value, or return the error from this function.
#define PARLEY_TRY(declaration, expression)                                                        \
    auto PARLEY_CONCAT(try_result_, __LINE__) = (expression);                                      \
    if (!PARLEY_CONCAT(try_result_, __LINE__))                                                     \
        return std::move(PARLEY_CONCAT(try_result_, __LINE__)).error();                            \
    declaration = std::move(*PARLEY_CONCAT(try_result_, __LINE__))

// The same in a coroutine.
#define PARLEY_CO_TRY(declaration, expression)                                                     \
    auto PARLEY_CONCAT(try_result_, __LINE__) = (expression);                                      \
    if (!PARLEY_CONCAT(try_result_, __LINE__))                                                     \
        co_return std::move(PARLEY_CONCAT(try_result_, __LINE__)).error();                         \
    declaration = std::move(*PARLEY_CONCAT(try_result_, __LINE__))

// For Result<void>.
#define PARLEY_CHECK(expression)                                                                   \
    if (auto check_result_ = (expression); !check_result_) return std::move(check_result_).error()
#define PARLEY_CO_CHECK(expression)                                                                \
    if (auto check_result_ = (expression); !check_result_)                                         \
    co_return std::move(check_result_).error()
