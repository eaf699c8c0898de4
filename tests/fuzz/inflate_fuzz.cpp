// Fuzz target: permessage-deflate. The first two bytes are the cap and the kind, the rest is a
// compressed payload, an offer of a client, and a message: nothing inflates beyond the cap, a lower
// cap changes only that, an answer offers nothing twice, and what is compressed comes back.
#include "net/ws_codec.hpp"
#include "net/ws_deflate.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace parley;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    static net::Inflater inflater;
    static net::Deflater deflater;
    const std::size_t cap = data[0] * 257U;
    const bool text = data[1] & 1;
    const std::string payload(reinterpret_cast<const char*>(data) + 2, size - 2);

    Utf8Validator utf8;
    const auto outcome = inflater.inflate(payload, cap, text ? &utf8 : nullptr);
    if (!outcome.failure) {
        if (outcome.message.size() > cap) std::abort();
        if (text && utf8.complete() != is_valid_utf8(outcome.message)) std::abort();
        const std::size_t made = outcome.message.size();
        if (made > 0 &&
            inflater.inflate(payload, made - 1, nullptr).failure != net::CloseCode::message_too_big)
            std::abort();
    }
    if (const auto terms = net::choose_deflate(payload)) {
        const auto own = net::choose_deflate(terms->answer);
        if (!own || own->window != terms->window) std::abort();
    }
    const auto window = data[1] & 2 ? net::DeflateWindow::wide : net::DeflateWindow::narrow;
    const FrameRef frame = net::make_frame(net::Opcode::binary, payload);
    const FrameRef packed = deflater.compress(frame, window);
    if (packed.size() > frame.size()) std::abort();
    if (packed.bytes().data() == frame.bytes().data()) return 0;
    const auto back = inflater.inflate(net::payload_of(packed.bytes()), payload.size(), nullptr);
    if (back.failure || back.message != payload) std::abort();
    return 0;
}
