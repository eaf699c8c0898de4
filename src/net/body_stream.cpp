#include "net/body_stream.hpp"

#include "base/assert.hpp"
#include "base/media_limits.hpp"

#include <unistd.h>
#include <utility>

namespace parley::net {

BodyStream::BodyStream(boost::asio::any_io_executor executor, std::uint64_t size)
    : x_executor(std::move(executor)), x_size(size) {}

void BodyStream::wake() {
    if (const auto reader = std::exchange(x_reader, nullptr)) reader->set();
}

void BodyStream::feed(std::string_view bytes) {
    PARLEY_ASSERT(bytes.size() <= left());
    x_waiting += bytes;
    x_fed += bytes.size();
    if (left() == 0 || x_waiting.size() >= limits::kBodyStreamPiece) wake();
}

void BodyStream::lose() {
    x_lost = true;
    x_on_room = nullptr;
    wake();
}

Task<Result<void>> BodyStream::read(std::string& bytes) {
    while (x_waiting.size() < limits::kBodyStreamPiece && !x_lost && left() > 0) {
        const auto reader = std::make_shared<OneShot>(x_executor);
        x_reader = reader;
        co_await reader->wait();
    }
    if (x_waiting.empty() && left() > 0)
        co_return Error(Errc::unavailable, "the client has gone in the middle of the body");
    const bool was_full = full();
    bytes.clear();
    bytes.swap(x_waiting);
    if (was_full && x_on_room) x_on_room();
    co_return Result<void>{};
}

FileBody::~FileBody() { ::close(x_descriptor); }

} // namespace parley::net
