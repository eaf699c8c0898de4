// OutboundQueue: the frames that one connection still has to write.
//
// Threading: the connection's core. Owner: the connection. Bounds: the caller's (it asks bytes()
// and frames() before it pushes). Holds no memory when it was never used or after release().
#pragma once

#include "base/frame.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/uio.h>
#include <vector>

namespace parley::net {

class OutboundQueue {
public:
    bool empty() const { return x_bytes == 0; }
    std::size_t bytes() const { return x_bytes; }
    std::size_t frames() const { return x_frames.size() - x_head; }

    void push(const FrameRef& frame) {
        if (frame.size() == 0) return;
        x_bytes += frame.size();
        x_frames.push_back(frame);
    }

    // What to write next: runs of small frames are copied together into `scratch`, large ones are
    // pointed at. A flat copy and one send() beat an iovec of small pieces.
    struct Parts {
        std::array<iovec, 16> list;
        std::size_t count = 0;
    };
    void gather(std::span<char> scratch, Parts& parts) const;
    // The next bytes, copied, at most as many as `scratch` holds.
    std::size_t copy(std::span<char> scratch) const;
    // `bytes` of the front are written.
    void consume(std::size_t bytes);

    // Drops the frames of which nothing is written, nor is among the next `committed` bytes (those
    // that OpenSSL has already made a record of). Returns how many frames that were.
    std::size_t drop_unsent(std::size_t committed);
    void release() {
        if (empty()) std::vector<FrameRef>().swap(x_frames);
    }

private:
    static constexpr std::size_t kLarge = 4096;    // from here on a copy costs more than an iovec
    static constexpr std::size_t kKeptFrames = 16; // capacity that an emptied queue keeps
    void clear();
    std::vector<FrameRef> x_frames;
    std::uint32_t x_head = 0;   // frames before it are written
    std::uint32_t x_offset = 0; // bytes of the front frame that are written
    std::size_t x_bytes = 0;
};

} // namespace parley::net
