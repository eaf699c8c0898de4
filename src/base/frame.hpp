// Frame: immutable bytes shared by many outbound queues of ONE core.
//
// An event is encoded once; every recipient on a core holds a FrameRef to the same bytes. The count
// is not atomic, so a Frame never leaves its core: what crosses cores is a std::string inside a
// posted value, and the receiving core makes its own Frame of it (a copy of a few hundred bytes per
// core, not per recipient).
#pragma once

#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace parley {

class FrameRef;

class Frame {
public:
    std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), x_size}; }

    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

private:
    friend class FrameRef;
    explicit Frame(std::uint32_t size) : x_size(size) {}
    std::uint32_t x_references = 1;
    std::uint32_t x_size;
};

// Owns one reference. Cheap to copy: one increment without a lock prefix.
class FrameRef {
public:
    FrameRef() = default;
    // Copies `head` + `body` into one new frame.
    static FrameRef copy_of(std::string_view head, std::string_view body = {}) {
        const std::size_t size = head.size() + body.size();
        void* place = ::operator new(sizeof(Frame) + size);
        auto* frame = new (place) Frame(static_cast<std::uint32_t>(size));
        char* out = reinterpret_cast<char*>(frame + 1);
        if (!head.empty()) std::memcpy(out, head.data(), head.size());
        if (!body.empty()) std::memcpy(out + head.size(), body.data(), body.size());
        return FrameRef(frame);
    }
    FrameRef(const FrameRef& other) : x_frame(other.x_frame) {
        if (x_frame) ++x_frame->x_references;
    }
    FrameRef(FrameRef&& other) noexcept : x_frame(std::exchange(other.x_frame, nullptr)) {}
    FrameRef& operator=(FrameRef other) noexcept {
        std::swap(x_frame, other.x_frame);
        return *this;
    }
    ~FrameRef() {
        if (x_frame && --x_frame->x_references == 0) {
            x_frame->~Frame();
            ::operator delete(x_frame);
        }
    }
    explicit operator bool() const { return x_frame != nullptr; }
    std::string_view bytes() const { return x_frame ? x_frame->bytes() : std::string_view{}; }
    std::size_t size() const { return x_frame ? x_frame->x_size : 0; }

private:
    explicit FrameRef(Frame* frame) : x_frame(frame) {}
    Frame* x_frame = nullptr;
};

} // namespace parley
