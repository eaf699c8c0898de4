// JSON bodies: what the strict reader takes, a general reader takes too, with the same texts.
#include "api/json.hpp"
#include "base/assert.hpp"
#include "base/text.hpp"

#include <boost/json/parse.hpp>

#include <cstddef>
#include <cstdint>

using namespace parley;
namespace json = boost::json;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto body = api::JsonBody::parse(text);
    if (!body) return 0;
    json::error_code ec;
    const json::value value = json::parse({text.data(), text.size()}, ec);
    PARLEY_ASSERT(!ec && value.is_object());
    for (const auto& member : value.get_object()) {
        const std::string_view key(member.key().data(), member.key().size());
        PARLEY_ASSERT(body->has(key));
        const auto found = body->text(key);
        PARLEY_ASSERT(found.has_value() == member.value().is_string());
        if (found)
            PARLEY_ASSERT(*found == std::string_view(member.value().get_string()) &&
                          is_valid_utf8(*found) && !has_nul(*found));
        (void)body->clearable_text(key);
        (void)body->optional_id<model::UserId>(key);
        (void)body->ids<model::UserId>(key, 3);
    }
    return 0;
}
