// Cursors and the other parameters of lists: a value has one spelling, and stays within its bounds.
#include "api/page.hpp"
#include "base/assert.hpp"
#include "base/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

using namespace parley;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    int lists = 0;
    for (const auto tag :
         {api::CursorTag::my_rooms, api::CursorTag::open_rooms, api::CursorTag::members})
        if (const auto id = api::decode_cursor(tag, text)) {
            PARLEY_ASSERT(*id > 0 && api::encode_cursor(tag, *id) == text);
            ++lists;
        }
    PARLEY_ASSERT(lists <= 1);

    net::HttpRequest request;
    request.query = text;
    if (const auto limit = api::page_limit(request))
        PARLEY_ASSERT(*limit >= 1 && *limit <= limits::kPageMax);
    if (const auto after = api::page_cursor(request, api::CursorTag::members))
        PARLEY_ASSERT(*after >= 0);
    if (const auto before = api::query_id<model::MessageId>(request, "before"))
        PARLEY_ASSERT(!*before || (*before)->value > 0);
    return 0;
}
