#include "chat/names.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <cstdlib>
#include <memory>
#include <utf8proc.h>

namespace parley::chat {

namespace {

const utf8proc_uint8_t* bytes_of(std::string_view text) {
    return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

std::string mapped(std::string_view text, int options) {
    utf8proc_uint8_t* out = nullptr;
    const utf8proc_ssize_t size =
        utf8proc_map(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &out,
                     static_cast<utf8proc_option_t>(options | UTF8PROC_STABLE));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> guard(out, &std::free);
    if (size < 0) return std::string(text);
    return {reinterpret_cast<const char*>(out), static_cast<std::size_t>(size)};
}

// Calls `accept(code point, is first)` for each code point until it says false.
template <class Accept>
bool all_of_code_points(std::string_view text, Accept accept) {
    bool first = true;
    while (!text.empty()) {
        utf8proc_int32_t code_point = 0;
        const utf8proc_ssize_t size = utf8proc_iterate(
            bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &code_point);
        if (size <= 0 || !accept(code_point, first)) return false;
        text.remove_prefix(static_cast<std::size_t>(size));
        first = false;
    }
    return true;
}

bool is_username_char(utf8proc_int32_t c, bool first) {
    if (c == '_' || c == '.' || c == '-') return true;
    const utf8proc_property_t* property = utf8proc_get_property(c);
    // Some letters are invisible (the Hangul fillers); the key drops them, so the name must not
    // have them.
    if (property->ignorable) return false;
    switch (property->category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
        return true;
    // Vowel signs and the like: part of a letter in many scripts, never a letter's beginning.
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
        return !first;
    default:
        return false;
    }
}

enum class Newline : std::uint8_t { refused, allowed };

bool is_shown_char(utf8proc_int32_t c, Newline newline) {
    if (c == '\n') return newline == Newline::allowed;
    if (c == 0xFE0E || c == 0xFE0F) return true; // choose text or emoji style; part of many emoji
    const utf8proc_property_t* property = utf8proc_get_property(c);
    switch (property->category) {
    case UTF8PROC_CATEGORY_CC: // controls
    case UTF8PROC_CATEGORY_CF: // bidi controls, zero-width characters
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return false;
    default:
        return !property->ignorable;
    }
}

bool is_shown(std::string_view text, Newline newline) {
    return all_of_code_points(
        text, [newline](utf8proc_int32_t c, bool) { return is_shown_char(c, newline); });
}

// The rules that topics and display names share: bounded above, and shown as they are.
Result<std::string> check_line(std::string_view text, std::size_t code_points_max, Newline newline,
                               const char* what) {
    if (!is_valid_utf8(text))
        return Error(Errc::invalid_field, std::string(what) + " is not UTF-8");
    text = trim(text);
    if (count_code_points(text) > code_points_max)
        return Error(Errc::too_long, std::string(what) + " has more than " +
                                         std::to_string(code_points_max) + " characters");
    if (!is_shown(text, newline))
        return Error(Errc::invalid_field,
                     std::string(what) + " has a control or an invisible character");
    return std::string(text);
}

bool is_domain(std::string_view domain) {
    if (domain.find('.') == std::string_view::npos) return false;
    return domain.front() != '.' && domain.back() != '.' &&
           domain.find("..") == std::string_view::npos;
}

} // namespace

std::string name_key(std::string_view name) {
    return mapped(name, UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
}

Result<std::string> check_username(std::string_view name) {
    const Error refused(Errc::invalid_username,
                        "username: 3 to 20 letters, digits, or one of _ . -");
    if (name.size() > 4 * limits::kUsernameMax || !is_valid_utf8(name)) return refused;
    std::string composed = mapped(name, UTF8PROC_COMPOSE);
    const std::size_t length = count_code_points(composed);
    if (length < limits::kUsernameMin || length > limits::kUsernameMax) return refused;
    if (!all_of_code_points(composed, is_username_char)) return refused;
    return composed;
}

Result<std::string> check_email(std::string_view email) {
    const Error refused(Errc::invalid_email, "email: not an address");
    if (email.size() > limits::kEmailBytes || !is_valid_utf8(email)) return refused;
    const std::size_t at = email.find('@');
    if (at == 0 || at == std::string_view::npos || at + 1 == email.size() ||
        email.find('@', at + 1) != std::string_view::npos || !is_domain(email.substr(at + 1)))
        return refused;
    const bool plain = all_of_code_points(email, [](utf8proc_int32_t c, bool) {
        return utf8proc_category(c) != UTF8PROC_CATEGORY_ZS && is_shown_char(c, Newline::refused);
    });
    if (!plain) return refused;
    return std::string(email);
}

Result<void> check_password(std::string_view password) {
    const std::size_t length = count_code_points(password);
    if (!is_valid_utf8(password) || has_nul(password) || length < limits::kPasswordMin ||
        length > limits::kPasswordMax)
        return Error(Errc::invalid_password, "password: 8 to 128 characters");
    return {};
}

Result<std::string> check_room_name(std::string_view name) {
    const std::string_view trimmed = trim(name);
    const std::size_t length = count_code_points(trimmed);
    if (!is_valid_utf8(name) || length < limits::kRoomNameMin || length > limits::kRoomNameMax)
        return Error(Errc::invalid_field, "name: 3 to 50 characters");
    if (!is_shown(trimmed, Newline::refused))
        return Error(Errc::invalid_field, "name has a control or an invisible character");
    if (name_key(trimmed).empty())
        return Error(Errc::invalid_field, "name has nothing that can be seen");
    return std::string(trimmed);
}

Result<std::string> check_topic(std::string_view topic) {
    return check_line(topic, limits::kTopicMax, Newline::allowed, "topic");
}

Result<std::string> check_display_name(std::string_view name) {
    return check_line(name, limits::kDisplayNameMax, Newline::refused, "display_name");
}

} // namespace parley::chat
