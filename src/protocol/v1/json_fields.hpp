// The fields of one JSON object, as a frame of v1 or of classic has them: the whole text is
// checked, the fields that they know are kept as they stand, and what they mean is decided
// afterwards (client_frame.cpp of each), so that their order is free and an error can still give
// the `ref` that stands behind the mistake.
//
// Threading: one per Decoder, not shared. Owner: the Decoder. Bounds: the text is at most
// limits::kFrameBytes, nesting at most limits::kJsonDepth; all memory is taken in the constructor,
// but for the list of unknown keys, which grows to what the largest frame needs.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace parley::protocol::v1 {

enum class Key : std::uint8_t {
    op,
    ref,
    token,
    room_id,
    since,
    nonce,
    type,
    content,
    media_id,
    reply_to,
    message_id,
    emoji,
    added,
    event_type, // of classic frames, as is the next
    message_type,
};
inline constexpr std::size_t kKeys = 15;
std::string_view name_of(Key key);

struct Field {
    enum class Kind : std::uint8_t { absent, null, truth, falsehood, string, number, other };
    Kind kind = Kind::absent;
    // Of a string, unescaped; of a number, as it was written. Lives until the next read().
    std::string_view text;
};

class JsonFields {
public:
    JsonFields();
    ~JsonFields();
    JsonFields(const JsonFields&) = delete;
    JsonFields& operator=(const JsonFields&) = delete;

    // "" or what is wrong with the text, for a person. The fields before the fault can be asked
    // for.
    std::string_view read(std::string_view text);
    const Field& field(Key key) const {
        const auto index = static_cast<std::size_t>(key);
        return x_seen >> index & 1u ? x_fields[index] : x_absent;
    }

private:
    struct Reader; // the simdjson side; it alone knows the library
    std::unique_ptr<Reader> x_reader;
    // By reference all the way: copies of what was written a moment ago stall the processor's store
    // buffer and were half of the time of a frame.
    std::array<Field, kKeys> x_fields;
    const Field x_absent;
    std::uint32_t x_seen = 0; // bit k: x_fields[k] is of this text
    std::vector<std::string_view> x_unknown;
};

} // namespace parley::protocol::v1
