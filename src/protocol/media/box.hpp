// The boxes that ISO media files are made of (ISO/IEC 14496-12, 4.2). Threading: value types.
#pragma once

#include "protocol/media/bytes.hpp"

#include <optional>

namespace parley::protocol::media {

struct Box {
    std::string_view type, body;
    std::size_t body_at = 0; // in the bytes that were walked
};

// Box by box through bytes that are in memory; ends where one does not fit.
class Boxes {
public:
    explicit Boxes(std::string_view bytes, std::size_t at = 0) : x_bytes(bytes), x_at(at) {}

    std::optional<Box> next() {
        if (x_at >= x_bytes.size() || x_bytes.size() - x_at < 8) return {};
        std::uint64_t size = be32(x_bytes, x_at);
        std::size_t header = 8;
        if (size == 1) {
            size = big_endian(x_bytes, x_at + 8, 8);
            header = 16;
        } else if (size == 0) { // to the end
            size = x_bytes.size() - x_at;
        }
        if (size < header || size > x_bytes.size() - x_at) return {};
        const Box box{x_bytes.substr(x_at + 4, 4),
                      x_bytes.substr(x_at + header, static_cast<std::size_t>(size) - header),
                      x_at + header};
        x_at += static_cast<std::size_t>(size);
        return box;
    }

    // The next one of that type.
    std::optional<Box> next(std::string_view type) {
        while (auto box = next())
            if (box->type == type) return box;
        return {};
    }

private:
    const std::string_view x_bytes;
    std::size_t x_at;
};

} // namespace parley::protocol::media
