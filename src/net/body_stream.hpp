// BodyStream: the body of a request whose handler takes it piece by piece, so that it is never
// whole in memory. FileBody: an answer's body that the kernel copies out of a file.
//
// Bound: about limits::kBodyStreamBytes wait for the handler; then the connection is not read, and
// the client's own window fills. Threading: the connection's core. Ownership: shared by the
// connection, which feeds it, and the handler. Whatever ends the connection ends the stream.
#pragma once

#include "base/limits.hpp"
#include "base/one_shot.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace parley::net {

class BodyStream {
public:
    BodyStream(boost::asio::any_io_executor executor, std::uint64_t size);
    BodyStream(const BodyStream&) = delete;
    BodyStream& operator=(const BodyStream&) = delete;

    std::uint64_t size() const { return x_size; } // as announced
    // In place of `bytes`, whose memory is used again: all that has come since the last call, but
    // for the rest of a body limits::kBodyStreamPiece or more; "" after the last one. unavailable:
    // the client is gone, or was too slow. One call at a time.
    Task<Result<void>> read(std::string& bytes);

    // --- for the connection
    void feed(std::string_view bytes); // no more than left()
    std::uint64_t left() const { return x_size - x_fed; }
    bool full() const { return x_waiting.size() >= limits::kBodyStreamBytes; }
    void lose();
    // Called when a full stream has room again; nothing: nobody cares any more.
    void on_room(std::function<void()> tell) { x_on_room = std::move(tell); }

private:
    void wake();

    const boost::asio::any_io_executor x_executor;
    const std::uint64_t x_size;
    std::uint64_t x_fed = 0;
    std::string x_waiting;
    std::shared_ptr<OneShot> x_reader; // while one waits
    std::function<void()> x_on_room;
    bool x_lost = false;
};

class FileBody {
public:
    // Takes the descriptor over.
    FileBody(int descriptor, std::uint64_t offset, std::uint64_t size)
        : x_descriptor(descriptor), x_offset(offset), x_size(size) {}
    ~FileBody();
    FileBody(const FileBody&) = delete;
    FileBody& operator=(const FileBody&) = delete;

    int descriptor() const { return x_descriptor; }
    std::uint64_t offset() const { return x_offset; }
    std::uint64_t size() const { return x_size; }

private:
    const int x_descriptor;
    const std::uint64_t x_offset, x_size;
};

} // namespace parley::net
