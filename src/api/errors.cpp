#include "api/errors.hpp"

#include "base/assert.hpp"
#include "net/http_codec.hpp"
#include "protocol/v1/server_frame.hpp"

#include <algorithm>

namespace parley::api {

int status_of(Errc code) {
    switch (code) {
    case Errc::bad_json:
        return 400;
    case Errc::invalid_credentials:
    case Errc::unauthorized:
    case Errc::token_expired:
    case Errc::token_reused:
    case Errc::session_revoked:
        return 401;
    case Errc::not_a_member:
    case Errc::forbidden:
        return 403;
    case Errc::unknown_room:
    case Errc::unknown_user:
    case Errc::unknown_message:
    case Errc::unknown_media:
    case Errc::unknown_session:
        return 404;
    case Errc::email_taken:
    case Errc::username_taken:
    case Errc::room_name_taken:
    case Errc::nonce_conflict:
    case Errc::last_owner:
    case Errc::content_held:
    case Errc::last_admin:
    case Errc::media_not_uploaded:
    case Errc::media_mismatch:
        return 409;
    case Errc::media_too_large:
        return 413;
    case Errc::media_type_not_allowed:
        return 415;
    case Errc::invalid_field:
    case Errc::invalid_username:
    case Errc::invalid_email:
    case Errc::invalid_password:
    case Errc::too_long:
    case Errc::media_not_available:
    case Errc::content_rejected:
        return 422;
    case Errc::rate_limited:
    case Errc::media_quota:
        return 429;
    case Errc::internal:
        return 500;
    case Errc::unavailable:
    case Errc::overloaded:
    case Errc::shutting_down:
    case Errc::media_unavailable:
        return 503;
    case Errc::media_storage_full:
        return 507;
    }
    PARLEY_ASSERT(!"an Errc outside its enum");
}

namespace {

std::string_view account_detail(Errc code) {
    switch (code) {
    case Errc::invalid_username:
        return "username: 3 to 20 letters, digits, _ . or - were expected.";
    case Errc::invalid_email:
        return "email: an address was expected.";
    case Errc::invalid_password:
        return "password: 8 to 128 characters were expected.";
    case Errc::email_taken:
        return "There is an account with this e-mail address.";
    case Errc::username_taken:
        return "This name is taken.";
    case Errc::room_name_taken:
        return "There is a room of this name.";
    case Errc::invalid_credentials:
        return "The name or the password is wrong.";
    case Errc::unauthorized:
        return "Send a valid access token as 'Authorization: Bearer'.";
    case Errc::token_expired:
        return "The access token has expired. Refresh it.";
    case Errc::token_reused:
        return "This refresh token was used before. Its session is ended; log in again.";
    case Errc::session_revoked:
        return "This session was ended. Log in again.";
    case Errc::unknown_session:
        return "You have no such session, or it was ended.";
    case Errc::last_owner:
        return "The room would be left without an owner. Make somebody else owner first.";
    case Errc::last_admin:
        return "The server would be left without an admin. Make somebody else admin first.";
    default:
        PARLEY_ASSERT(!"not one of these codes");
    }
}

std::string_view media_detail(Errc code) {
    switch (code) {
    case Errc::media_not_available:
        return "This server does not take media.";
    case Errc::unknown_media:
        return "There is no such file, or it is not yours to see.";
    case Errc::media_too_large:
        return "The file is larger than this server takes.";
    case Errc::media_type_not_allowed:
        return "This server does not take files of this type.";
    case Errc::media_not_uploaded:
        return "Upload the file first.";
    case Errc::media_mismatch:
        return "What was uploaded is not what was announced.";
    case Errc::media_quota:
        return "So much may not be uploaded today. Try again after the time in Retry-After.";
    case Errc::media_unavailable:
        return "The storage of files does not answer. Try again.";
    case Errc::media_storage_full:
        return "The storage of files is full.";
    default:
        PARLEY_ASSERT(!"not one of these codes");
    }
}

} // namespace

std::string_view default_detail(Errc code) {
    switch (code) {
    case Errc::bad_json:
        return "The body is not one JSON object.";
    case Errc::invalid_field:
        return "A field has a wrong type or value.";
    case Errc::too_long:
        return "A text is too long.";
    case Errc::not_a_member:
        return "Join the room first.";
    case Errc::unknown_room:
        return "There is no such room, or it is not yours to see.";
    case Errc::unknown_user:
        return "There is no such user.";
    case Errc::unknown_message:
        return "There is no such message in this room.";
    case Errc::forbidden:
        return "Your role in this room does not allow that.";
    case Errc::nonce_conflict:
        return "This nonce was used for another message in this room.";
    case Errc::rate_limited:
        return "Too many requests. Try again after the time in Retry-After.";
    case Errc::content_held:
        return "A moderator looks at this first. Sending it again changes nothing.";
    case Errc::content_rejected:
        return "There is a word in this that is not allowed here.";
    case Errc::internal:
        return "Something is broken here; it was logged.";
    case Errc::unavailable:
        return "Nothing was stored. Try again; a message with the same nonce.";
    case Errc::overloaded:
        return "The server is busy. Nothing was done; try again.";
    case Errc::shutting_down:
        return "This server stops. Try again.";
    case Errc::invalid_username:
    case Errc::invalid_email:
    case Errc::invalid_password:
    case Errc::email_taken:
    case Errc::username_taken:
    case Errc::room_name_taken:
    case Errc::invalid_credentials:
    case Errc::unauthorized:
    case Errc::token_expired:
    case Errc::token_reused:
    case Errc::session_revoked:
    case Errc::unknown_session:
    case Errc::last_owner:
    case Errc::last_admin:
        return account_detail(code);
    case Errc::media_not_available:
    case Errc::unknown_media:
    case Errc::media_too_large:
    case Errc::media_type_not_allowed:
    case Errc::media_not_uploaded:
    case Errc::media_mismatch:
    case Errc::media_quota:
    case Errc::media_unavailable:
    case Errc::media_storage_full:
        return media_detail(code);
    }
    PARLEY_ASSERT(!"an Errc outside its enum");
}

namespace {

// RFC 9110 section 10.2.3: whole seconds; rounded up, so that who waits that long is let in.
std::string retry_after_seconds(const Error& error) {
    const auto wait = error.retry_after.value_or(std::chrono::milliseconds(0));
    return std::to_string(std::max<std::int64_t>(1, (wait.count() + 999) / 1000));
}

} // namespace

net::HttpResponse problem(int status, std::string_view code, std::string_view detail) {
    net::HttpResponse response;
    response.status = status;
    response.content_type = kProblemType;
    std::string& out = response.body;
    out = R"({"type":"about:blank","title":)";
    protocol::v1::append_string(out, net::reason_phrase(status));
    out += R"(,"status":)" + std::to_string(status) + R"(,"detail":)";
    protocol::v1::append_string(out, detail);
    out += R"(,"code":)";
    protocol::v1::append_string(out, code);
    out += '}';
    return response;
}

net::HttpResponse problem(const Error& error) {
    // What broke inside is for the log, not for the client.
    const bool own_words = !error.detail.empty() && error.code != Errc::internal;
    net::HttpResponse response =
        problem(status_of(error.code), name_of(error.code),
                own_words ? std::string_view(error.detail) : default_detail(error.code));
    if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
    if (response.status == 429 || response.status == 503)
        response.headers.emplace_back("Retry-After", retry_after_seconds(error));
    return response;
}

} // namespace parley::api
