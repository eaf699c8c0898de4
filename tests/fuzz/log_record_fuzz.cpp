// Records of the log and the bus: what decodes encodes to the same bytes, and nothing else happens.
#include "base/assert.hpp"
#include "protocol/log/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using parley::protocol::log::Codec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view record(reinterpret_cast<const char*>(data), size);
    if (const auto draft = Codec::decode_draft(record))
        PARLEY_ASSERT(Codec::encode(draft->sender, draft->draft) == record);
    if (const auto event = Codec::decode_event(record))
        PARLEY_ASSERT(Codec::encode(event->sender, event->durable) == record);
    if (const auto answer = Codec::decode_answer(record))
        PARLEY_ASSERT(Codec::encode(*answer) == record);
    if (const auto transient = Codec::decode_transient(record))
        PARLEY_ASSERT(Codec::encode(*transient) == record);
    return 0;
}
