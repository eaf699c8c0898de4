// Records of the log and the bus: what decodes encodes to what decodes to the same, and nothing
// else happens. (Not to the same bytes: what is known of a file is read leniently.)
#include "base/assert.hpp"
#include "protocol/log/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using parley::protocol::log::Codec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view record(reinterpret_cast<const char*>(data), size);
    if (const auto draft = Codec::decode_draft(record)) {
        const auto bytes = Codec::encode(draft->sender, draft->draft);
        const auto again = Codec::decode_draft(bytes);
        PARLEY_ASSERT(again && Codec::encode(again->sender, again->draft) == bytes);
    }
    if (const auto event = Codec::decode_event(record)) {
        const auto bytes = Codec::encode(event->sender, event->durable);
        const auto again = Codec::decode_event(bytes);
        PARLEY_ASSERT(again && Codec::encode(again->sender, again->durable) == bytes);
    }
    if (const auto answer = Codec::decode_answer(record)) {
        const auto bytes = Codec::encode(*answer);
        const auto again = Codec::decode_answer(bytes);
        PARLEY_ASSERT(again && Codec::encode(*again) == bytes);
    }
    if (const auto transient = Codec::decode_transient(record))
        PARLEY_ASSERT(Codec::encode(*transient) == record);
    return 0;
}
