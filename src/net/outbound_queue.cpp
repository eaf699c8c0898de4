#include "net/outbound_queue.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cstring>

namespace parley::net {

void OutboundQueue::gather(std::span<char> scratch, Parts& parts) const {
    parts.count = 0;
    char* out = scratch.data();
    char* const end = out + scratch.size();
    const bool only_one = frames() == 1;
    std::size_t offset = x_offset;
    for (std::size_t i = x_head; i < x_frames.size(); ++i, offset = 0) {
        const std::string_view bytes = x_frames[i].bytes().substr(offset);
        if (only_one || bytes.size() >= kLarge) {
            if (parts.count == parts.list.size()) return;
            parts.list[parts.count++] = {const_cast<char*>(bytes.data()), bytes.size()};
            continue;
        }
        if (static_cast<std::size_t>(end - out) < bytes.size()) return;
        iovec* last = parts.count ? &parts.list[parts.count - 1] : nullptr;
        if (!last || static_cast<char*>(last->iov_base) + last->iov_len != out) {
            if (parts.count == parts.list.size()) return;
            last = &parts.list[parts.count++];
            *last = {out, 0};
        }
        std::memcpy(out, bytes.data(), bytes.size());
        last->iov_len += bytes.size();
        out += bytes.size();
    }
}

std::size_t OutboundQueue::copy(std::span<char> scratch) const {
    std::size_t done = 0;
    std::size_t offset = x_offset;
    for (std::size_t i = x_head; i < x_frames.size() && done < scratch.size(); ++i, offset = 0) {
        const std::string_view bytes = x_frames[i].bytes().substr(offset);
        const std::size_t size = std::min(bytes.size(), scratch.size() - done);
        std::memcpy(scratch.data() + done, bytes.data(), size);
        done += size;
    }
    return done;
}

void OutboundQueue::consume(std::size_t bytes) {
    PARLEY_ASSERT(bytes <= x_bytes);
    x_bytes -= bytes;
    if (x_bytes == 0) return clear();
    bytes += x_offset;
    while (bytes >= x_frames[x_head].size()) {
        bytes -= x_frames[x_head].size();
        x_frames[x_head++] = FrameRef();
    }
    x_offset = static_cast<std::uint32_t>(bytes);
    if (x_head >= 64 && x_head * 2 >= x_frames.size()) {
        x_frames.erase(x_frames.begin(), x_frames.begin() + x_head);
        x_head = 0;
    }
}

std::size_t OutboundQueue::drop_unsent(std::size_t committed) {
    std::size_t keep = x_head;
    for (std::size_t begun = x_offset + committed, covered = 0; covered < begun; ++keep)
        covered += x_frames[keep].size();
    const std::size_t dropped = x_frames.size() - keep;
    for (std::size_t i = keep; i < x_frames.size(); ++i) x_bytes -= x_frames[i].size();
    x_frames.resize(keep);
    if (x_bytes == 0) clear();
    return dropped;
}

void OutboundQueue::clear() {
    x_head = x_offset = 0;
    x_frames.clear();
    if (x_frames.capacity() > kKeptFrames) std::vector<FrameRef>().swap(x_frames);
}

} // namespace parley::net
