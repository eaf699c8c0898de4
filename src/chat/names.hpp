// Names that people give: what is allowed, and the key under which two names are the same.
// Source of the key: Unicode NFKC_Casefold (UAX 31, UTS 39), by utf8proc; so `Admin`, `admin` and
// the full-width form are one name. Threading: pure functions.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace parley::chat {

// NFKC, case-folded, default-ignorable code points dropped. Input must be valid UTF-8.
std::string name_key(std::string_view name);
// 3..20 letters or digits of any script, `_ . -`; answers the NFC form. invalid_username.
Result<std::string> check_username(std::string_view name);
// One @, a local part and a domain with a dot, no space or control, at most 254 bytes.
// invalid_email.
Result<std::string> check_email(std::string_view email);
// 8..128 code points, no NUL. invalid_password.
Result<void> check_password(std::string_view password);
// 3..50 code points, trimmed; no control, bidi override or zero-width character. invalid_field.
Result<std::string> check_room_name(std::string_view name);
// At most 250 code points, trimmed; the same characters, and newline. too_long, invalid_field.
Result<std::string> check_topic(std::string_view topic);
// At most 50 code points, trimmed. too_long, invalid_field.
Result<std::string> check_display_name(std::string_view name);

} // namespace parley::chat
