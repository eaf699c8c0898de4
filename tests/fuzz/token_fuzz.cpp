// Tokens: only what the service signed verifies, and the claims of what it signed are read
// strictly.
#include "adapters/crypto/claims.hpp"
#include "adapters/crypto/hs256_signer.hpp"
#include "base/assert.hpp"
#include "service/refresh_token.hpp"

#include <boost/json/parse.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using namespace parley;
namespace json = boost::json;

constexpr model::Time kNow{1'767'323'045'000};

bool is_text(const json::object& claims, const char* name, std::string_view value) {
    const json::value* found = claims.if_contains(name);
    return found && found->is_string() && std::string_view(found->get_string()) == value;
}

bool is_number(const json::object& claims, const char* name, std::int64_t value) {
    const json::value* found = claims.if_contains(name);
    return found && found->is_int64() && found->get_int64() == value;
}

// Whatever the strict reader takes, a general JSON reader must understand in the same way.
void check_claims(std::string_view text) {
    const auto claims = crypto::parse_claims(text);
    if (!claims) return;
    json::error_code ec;
    const json::value value = json::parse({text.data(), text.size()}, ec);
    PARLEY_ASSERT(!ec && value.is_object());
    const json::object& object = value.get_object();
    PARLEY_ASSERT(is_text(object, "iss", "parley") && is_text(object, "aud", "parley") &&
                  is_text(object, "typ", "access"));
    PARLEY_ASSERT(claims->access.user_id && claims->access.session_id);
    PARLEY_ASSERT(is_text(object, "sub", claims->access.user_id.to_string()));
    PARLEY_ASSERT(is_text(object, "sid", claims->access.session_id.to_string()));
    PARLEY_ASSERT(is_number(object, "iat", claims->access.issued_at.ms / 1000));
    PARLEY_ASSERT(is_number(object, "exp", claims->access.expires_at.ms / 1000));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const crypto::Hs256Signer signer("0123456789abcdef0123456789abcdef");
    static const std::string access =
        signer.sign({model::UserId{42}, model::SessionId{77}, kNow, {kNow.ms + 900'000}});
    static const std::string refresh =
        service::encode({model::SessionId{77}, "0123456789abcdef"}, signer);
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    PARLEY_ASSERT(signer.verify(text, kNow).has_value() == (text == access));
    PARLEY_ASSERT(service::decode_refresh_token(text, signer).has_value() == (text == refresh));
    check_claims(text);
    return 0;
}
