#include "net/ws_deflate.hpp"

#include "base/assert.hpp"
#include "net/ws_codec.hpp"

#include <algorithm>
#include <cctype>
#include <new>
#include <zlib.h>

namespace parley::net {

namespace {

constexpr std::string_view kTail("\x00\x00\xFF\xFF", 4); // of a flushed stream; not sent
constexpr std::size_t kChunk = 16 * 1024;
constexpr std::size_t kKept = 128 * 1024; // a larger buffer is given back
constexpr int kWideBits = 13, kNarrowBits = 9, kLevel = 6, kMemoryLevel = 6;

// --- the handshake -------------------------------------------------------------------------------

bool is_token_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// RFC 6455 section 9.1: extension-list. Reads from the front.
class Scanner {
public:
    explicit Scanner(std::string_view text) : x_text(text) { skip_blanks(); }
    bool at_end() const { return x_text.empty(); }
    bool take(char c) {
        if (x_text.empty() || x_text.front() != c) return false;
        x_text.remove_prefix(1);
        skip_blanks();
        return true;
    }
    // "" if there is none.
    std::string_view token() {
        std::size_t size = 0;
        while (size < x_text.size() && is_token_char(x_text[size])) ++size;
        const std::string_view found = x_text.substr(0, size);
        x_text.remove_prefix(size);
        skip_blanks();
        return found;
    }
    // A token, which may stand in quotes.
    std::string_view value() {
        if (x_text.empty() || x_text.front() != '"') return token();
        x_text.remove_prefix(1);
        const std::string_view found = token();
        return take('"') ? found : std::string_view();
    }

private:
    void skip_blanks() {
        while (!x_text.empty() && (x_text.front() == ' ' || x_text.front() == '\t'))
            x_text.remove_prefix(1);
    }
    std::string_view x_text;
};

struct Parameter {
    std::string_view name;
    std::optional<std::string_view> value;
};

// Of a window: 8 to 15 without a leading zero. 0: it is none.
int window_bits(std::string_view text) {
    if (text == "8" || text == "9") return text[0] - '0';
    if (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5')
        return 10 + text[1] - '0';
    return 0;
}

// RFC 7692 section 7.1. nullopt: the offer is to be declined.
std::optional<DeflateTerms> accept_offer(const std::vector<Parameter>& parameters) {
    int server_bits = 0;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const auto& [name, value] = parameters[i];
        for (std::size_t k = 0; k < i; ++k)
            if (parameters[k].name == name) return std::nullopt;
        if (name == "server_no_context_takeover" || name == "client_no_context_takeover") {
            if (value) return std::nullopt;
        } else if (name == "server_max_window_bits") {
            server_bits = value ? window_bits(*value) : 0;
            if (server_bits == 0) return std::nullopt;
        } else if (name == "client_max_window_bits") {
            if (value && window_bits(*value) == 0) return std::nullopt;
        } else {
            return std::nullopt;
        }
    }
    // Either side's takeover may be ruled out unasked. Of the client every window is taken.
    DeflateTerms terms{
        .answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"};
    if (server_bits == 0) return terms;
    terms.answer += "; server_max_window_bits=" + std::to_string(server_bits);
    if (server_bits < kWideBits)
        terms.window = server_bits < kNarrowBits ? DeflateWindow::none : DeflateWindow::narrow;
    return terms;
}

} // namespace

std::optional<DeflateTerms> choose_deflate(std::string_view offers) {
    std::optional<DeflateTerms> chosen;
    Scanner scanner(offers);
    while (!scanner.at_end()) {
        if (scanner.take(',')) continue; // an empty element
        const std::string_view extension = scanner.token();
        if (extension.empty()) return std::nullopt;
        std::vector<Parameter> parameters;
        while (scanner.take(';')) {
            Parameter parameter{scanner.token(), {}};
            if (parameter.name.empty()) return std::nullopt;
            if (scanner.take('=')) {
                parameter.value = scanner.value();
                if (parameter.value->empty()) return std::nullopt;
            }
            parameters.push_back(parameter);
        }
        if (!scanner.at_end() && !scanner.take(',')) return std::nullopt;
        if (!chosen && extension == "permessage-deflate") chosen = accept_offer(parameters);
    }
    return chosen;
}

// --- inflating -----------------------------------------------------------------------------------

void Inflater::Freed::operator()(z_stream_s* stream) const {
    ::inflateEnd(stream);
    delete stream;
}

Inflater::Inflater() = default;
Inflater::~Inflater() = default;

Inflater::Outcome Inflater::inflate(std::string_view payload, std::size_t bytes_max,
                                    Utf8Validator* utf8) {
    if (!x_stream) {
        x_stream.reset(new z_stream{});
        if (::inflateInit2(x_stream.get(), -MAX_WBITS) != Z_OK) throw std::bad_alloc();
    }
    ::inflateReset(x_stream.get());
    if (x_out.capacity() > kKept) std::string().swap(x_out);
    x_size = 0;
    x_failure.reset();
    x_ended = false;
    if (!feed(payload, bytes_max, utf8)) return {.failure = x_failure};
    // A stream may end with a final block in place of the flush whose tail is left out.
    if (!x_ended) {
        if (!feed(kTail, bytes_max, utf8)) return {.failure = x_failure};
        constexpr int kBetweenBlocks = 128;
        if (x_ended || !(x_stream->data_type & kBetweenBlocks))
            return {.failure = CloseCode::invalid_payload};
    }
    return {.failure = {}, .message = std::string_view(x_out).substr(0, x_size)};
}

bool Inflater::feed(std::string_view bytes, std::size_t bytes_max, Utf8Validator* utf8) {
    const auto fail = [this](CloseCode code) {
        x_failure = code;
        return false;
    };
    z_stream& stream = *x_stream;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    for (;;) {
        if (x_ended && stream.avail_in > 0) { // blocks may follow a final one
            ::inflateReset(&stream);
            x_ended = false;
        }
        const std::size_t room = std::min(kChunk, bytes_max + 1 - x_size);
        if (x_out.size() < x_size + room) x_out.resize(x_size + room);
        stream.next_out = reinterpret_cast<Bytef*>(x_out.data() + x_size);
        stream.avail_out = static_cast<uInt>(room);
        const int state = ::inflate(&stream, Z_NO_FLUSH);
        const std::size_t made = room - stream.avail_out;
        if (utf8 && !utf8->feed(std::string_view(x_out).substr(x_size, made)))
            return fail(CloseCode::invalid_payload);
        x_size += made;
        if (x_size > bytes_max) return fail(CloseCode::message_too_big);
        x_ended = state == Z_STREAM_END;
        if (!x_ended && state != Z_OK && state != Z_BUF_ERROR)
            return fail(CloseCode::invalid_payload);
        if (stream.avail_in == 0 && stream.avail_out > 0) return true;
    }
}

// --- deflating -----------------------------------------------------------------------------------

void Deflater::Freed::operator()(z_stream_s* stream) const {
    ::deflateEnd(stream);
    delete stream;
}

Deflater::Deflater() = default;
Deflater::~Deflater() = default;

const FrameRef& Deflater::compress(const FrameRef& frame, DeflateWindow window) {
    const bool control = frame.size() > 0 && (frame.bytes()[0] & 0x08);
    if (window == DeflateWindow::none || control || frame.size() < kPayloadMin ||
        !is_one_frame(frame.bytes()))
        return frame;
    Kind& kind = x_kinds[window == DeflateWindow::wide ? 0 : 1];
    if (kind.plain.bytes().data() == frame.bytes().data()) return kind.packed;
    kind.packed = pack(kind, window == DeflateWindow::wide ? kWideBits : kNarrowBits, frame);
    kind.plain = frame;
    return kind.packed;
}

FrameRef Deflater::pack(Kind& kind, int window_bits, const FrameRef& frame) {
    if (!kind.stream) {
        kind.stream.reset(new z_stream{});
        if (::deflateInit2(kind.stream.get(), kLevel, Z_DEFLATED, -window_bits, kMemoryLevel,
                           Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::bad_alloc();
    }
    ++x_compressed;
    const std::string_view payload = payload_of(frame.bytes());
    z_stream& stream = *kind.stream;
    ::deflateReset(&stream);
    if (x_out.size() > kKept) std::string().swap(x_out);
    x_out.resize(std::max(x_out.size(), payload.size()));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(payload.data()));
    stream.avail_in = static_cast<uInt>(payload.size());
    stream.next_out = reinterpret_cast<Bytef*>(x_out.data());
    stream.avail_out = static_cast<uInt>(payload.size());
    const int state = ::deflate(&stream, Z_SYNC_FLUSH);
    // Without room for all of it, it is no smaller.
    if (state != Z_OK || stream.avail_out == 0) return frame;
    const std::size_t size = payload.size() - stream.avail_out - kTail.size();
    PARLEY_ASSERT(std::string_view(x_out).substr(size, kTail.size()) == kTail);
    return make_compressed_frame(static_cast<Opcode>(frame.bytes()[0] & 0x0F),
                                 std::string_view(x_out).substr(0, size));
}

} // namespace parley::net
