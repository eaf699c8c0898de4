#include "net/testing.hpp"
#include "net/ws_codec.hpp"
#include "net/ws_deflate.hpp"

#include <zlib.h>

namespace parley::net {
namespace {

using testing::TestClient;
using testing::TestServer;
using testing::WsFrame;

constexpr std::size_t kCap = 1000;

// What a client sends for `message`: a raw stream, flushed, without the tail.
std::string deflated(std::string_view message, int end = Z_SYNC_FLUSH) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, message.size()) + 16, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
    stream.avail_in = static_cast<uInt>(message.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, end);
    out.resize(out.size() - stream.avail_out - (end == Z_SYNC_FLUSH ? 4 : 0));
    deflateEnd(&stream);
    return out;
}

// The message, or "failure CODE".
std::string inflated(std::string_view payload, std::size_t bytes_max = kCap, bool text = false) {
    Inflater inflater;
    Utf8Validator utf8;
    const auto outcome = inflater.inflate(payload, bytes_max, text ? &utf8 : nullptr);
    if (outcome.failure) return "failure " + std::to_string(static_cast<int>(*outcome.failure));
    return std::string(outcome.message);
}

std::string noise(std::size_t size) {
    std::uint32_t seed = 1;
    std::string out(size, '\0');
    for (char& c : out) c = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
    return out;
}

// --- the handshake -------------------------------------------------------------------------------

constexpr const char* kPlainAnswer =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

std::string answer_to(std::string_view offers) {
    const auto terms = choose_deflate(offers);
    if (!terms) return "declined";
    EXPECT_TRUE(terms->answer.starts_with(kPlainAnswer)) << terms->answer;
    return terms->answer.substr(std::string_view(kPlainAnswer).size());
}

TEST(Deflate, offers_that_are_taken) {
    for (const char* offer :
         {"permessage-deflate", "permessage-deflate; client_max_window_bits",
          "permessage-deflate; client_max_window_bits=8",
          " permessage-deflate ;\tserver_no_context_takeover ; client_no_context_takeover ",
          "permessage-deflate; client_max_window_bits=\"15\"", "x-other; a=1, permessage-deflate",
          ",, permessage-deflate ,", "permessage-deflate; unknown, permessage-deflate"})
        EXPECT_EQ(answer_to(offer), "") << offer;
    EXPECT_EQ(answer_to("permessage-deflate; server_max_window_bits=12"),
              "; server_max_window_bits=12");
    EXPECT_EQ(answer_to("permessage-deflate; server_max_window_bits=8, permessage-deflate"),
              "; server_max_window_bits=8")
        << "the first that can be taken";
}

TEST(Deflate, offers_that_are_declined) {
    for (const char* offer :
         {"",
          "x-webkit-deflate-frame",
          "permessage-deflate; unknown",
          "permessage-deflate; server_no_context_takeover=1",
          "permessage-deflate; client_no_context_takeover=\"\"",
          "permessage-deflate; server_max_window_bits",
          "permessage-deflate; server_max_window_bits=7",
          "permessage-deflate; server_max_window_bits=16",
          "permessage-deflate; server_max_window_bits=08",
          "permessage-deflate; server_max_window_bits=+9",
          "permessage-deflate; client_max_window_bits=7",
          "permessage-deflate; client_max_window_bits=1000000000000",
          "permessage-deflate; client_max_window_bits=",
          "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
          "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
          "permessage-deflate;",
          "permessage-deflate client_max_window_bits",
          "permessage-deflate=1",
          "permessage-deflate; client_max_window_bits=\"10",
          "; permessage-deflate",
          "permessage-deflate, ;"})
        EXPECT_EQ(answer_to(offer), "declined") << offer;
}

TEST(Deflate, the_window_is_as_small_as_was_asked) {
    const auto window = [](const std::string& bits) {
        return choose_deflate("permessage-deflate; server_max_window_bits=" + bits)->window;
    };
    EXPECT_EQ(window("15"), DeflateWindow::wide);
    EXPECT_EQ(window("13"), DeflateWindow::wide);
    EXPECT_EQ(window("12"), DeflateWindow::narrow);
    EXPECT_EQ(window("9"), DeflateWindow::narrow);
    EXPECT_EQ(window("8"), DeflateWindow::none);
}

// --- inflating -----------------------------------------------------------------------------------

TEST(Inflater, the_examples_of_rfc_7692) {
    using namespace std::literals;
    EXPECT_EQ(inflated("\xf2\x48\xcd\xc9\xc9\x07\x00"sv), "Hello");                 // 7.2.3.1
    EXPECT_EQ(inflated("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"sv), "Hello"); // stored
    EXPECT_EQ(inflated("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"sv), "Hello");             // a final block
    EXPECT_EQ(inflated("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"sv), "Hello");
    EXPECT_EQ(inflated("\x00"sv), ""); // 7.2.3.6
}

TEST(Inflater, attack_24_exactly_the_cap_passes_and_one_more_does_not) {
    for (const std::size_t cap : {1, 1000, 16 * 1024, 64 * 1024}) {
        EXPECT_EQ(inflated(deflated(std::string(cap, '\0')), cap), std::string(cap, '\0'));
        EXPECT_EQ(inflated(deflated(std::string(cap + 1, '\0')), cap), "failure 1009");
        EXPECT_EQ(inflated(deflated(noise(cap)), cap), noise(cap));
        EXPECT_EQ(inflated(deflated(noise(cap + 1)), cap), "failure 1009");
    }
    EXPECT_EQ(inflated(deflated(std::string(64 << 20, '\0')), 64 * 1024), "failure 1009");
}

TEST(Inflater, what_is_no_whole_stream_fails) {
    const std::string message(300, 'x'), good = deflated(message + noise(100));
    for (std::size_t size = 0; size + 1 < good.size(); ++size)
        EXPECT_EQ(inflated(good.substr(0, size)), "failure 1007") << size;
    EXPECT_EQ(inflated(std::string(20, '\xFF')), "failure 1007");
    EXPECT_EQ(inflated("\x7f"), "failure 1007");
}

TEST(Inflater, final_blocks_may_end_or_stand_inside) {
    EXPECT_EQ(inflated(deflated("whole", Z_FINISH)), "whole");
    EXPECT_EQ(inflated(deflated("one ", Z_FINISH) + deflated("two")), "one two");
}

TEST(Inflater, a_message_knows_nothing_of_the_one_before) {
    Inflater inflater;
    EXPECT_EQ(inflater.inflate(deflated("first message"), kCap, nullptr).message, "first message");
    EXPECT_EQ(inflater.inflate("garbage", kCap, nullptr).failure, CloseCode::invalid_payload);
    EXPECT_EQ(inflater.inflate(deflated("second"), kCap, nullptr).message, "second");
    // A reference to what stands 5 bytes before the beginning.
    EXPECT_EQ(inflater.inflate("\x02\x13", kCap, nullptr).failure, CloseCode::invalid_payload);
}

// --- deflating -----------------------------------------------------------------------------------

TEST(Deflater, makes_what_inflates_to_the_same) {
    Deflater deflater;
    for (const auto window : {DeflateWindow::wide, DeflateWindow::narrow})
        for (const std::size_t size : {300, 5000, 66'000}) {
            std::string text;
            for (std::size_t i = 0; text.size() < size; ++i) text += "line " + std::to_string(i);
            const FrameRef frame = make_text_frame(text);
            const FrameRef packed = deflater.compress(frame, window);
            EXPECT_LT(packed.size(), frame.size());
            EXPECT_EQ(packed.bytes()[0], '\xC1');
            EXPECT_EQ(inflated(payload_of(packed.bytes()), 100'000), text);
        }
}

TEST(Deflater, compresses_a_frame_once_however_many_take_it) {
    Deflater deflater;
    const FrameRef frame = make_text_frame(std::string(1000, 'x'));
    const FrameRef first = deflater.compress(frame, DeflateWindow::wide);
    for (int i = 0; i < 10; ++i) {
        const FrameRef again = deflater.compress(frame, DeflateWindow::wide);
        EXPECT_EQ(again.bytes().data(), first.bytes().data());
        deflater.compress(frame, DeflateWindow::narrow);
    }
    EXPECT_EQ(deflater.compressed(), 2U);
}

TEST(Deflater, leaves_alone_what_it_cannot_make_smaller) {
    Deflater deflater;
    const auto same = [&](const FrameRef& frame, DeflateWindow window = DeflateWindow::wide) {
        return deflater.compress(frame, window).bytes().data() == frame.bytes().data();
    };
    EXPECT_TRUE(same(make_text_frame("short")));
    EXPECT_TRUE(same(make_frame(Opcode::binary, noise(5000))));
    EXPECT_TRUE(same(make_text_frame(std::string(1000, 'x')), DeflateWindow::none));
    EXPECT_EQ(deflater.compressed(), 1U);
    for (const std::size_t size : {100UL, 300UL, 70'000UL}) {
        const FrameRef one = make_text_frame(std::string(size, 'x'));
        const FrameRef many = FrameRef::copy_of(one.bytes(), make_text_frame("more").bytes());
        EXPECT_TRUE(is_one_frame(one.bytes()));
        EXPECT_FALSE(is_one_frame(many.bytes()));
        EXPECT_TRUE(same(many));
    }
    EXPECT_EQ(deflater.compressed(), 1U);
}

// --- over real sockets ---------------------------------------------------------------------------

constexpr const char* kOffer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

struct DeflateServer : TestServer {
    DeflateServer() : TestServer(settings()) {}
    static ServerSettings settings() {
        ServerSettings settings;
        settings.deflate = true;
        return settings;
    }
};

std::string compressed_frame(std::string_view message) {
    std::string frame = testing::masked_frame(1, deflated(message));
    frame[0] = static_cast<char>(frame[0] | 0x40);
    return frame;
}

TEST(DeflateServer, compresses_both_ways_where_agreed) {
    DeflateServer server;
    TestClient packed(server.port()), plain(server.port());
    ASSERT_TRUE(packed.open("/ws", kOffer));
    ASSERT_TRUE(plain.open("/ws"));
    const std::string text(60'000, 'x');
    packed.send(compressed_frame(text));
    const WsFrame answer = packed.read_frame();
    EXPECT_TRUE(answer.compressed);
    EXPECT_EQ(inflated(answer.payload, 60'000, true), text);
    packed.send_text("small");
    EXPECT_EQ(packed.read_frame().payload, "small");
    plain.send_text(text);
    EXPECT_EQ(plain.read_frame().payload, text);
    plain.send(compressed_frame("x"));
    EXPECT_EQ(plain.read_frame().close_code(), 1002);
    packed.send_text("flood 100");
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(packed.read_frame().compressed);
    EXPECT_EQ(server.metric("parley_ws_compressed_total"), 2) << "the flood is one frame";
}

TEST(DeflateServer, attack_24_each_of_many_bombs_ends_its_connection) {
    DeflateServer server;
    const std::string bomb = compressed_frame(std::string(limits::kFrameBytes + 1, '\0'));
    for (int i = 0; i < 20; ++i) {
        TestClient client(server.port());
        ASSERT_TRUE(client.open("/ws", kOffer));
        client.send(compressed_frame(std::string(limits::kFrameBytes, ' ')));
        EXPECT_TRUE(client.read_frame().compressed);
        client.send(bomb);
        EXPECT_EQ(client.read_frame().close_code(), 1009);
    }
}

TEST(DeflateServer, without_the_setting_every_offer_is_declined) {
    TestServer server;
    TestClient client(server.port());
    ASSERT_TRUE(client.open("/ws", kOffer));
    client.send(compressed_frame("x"));
    EXPECT_EQ(client.read_frame().close_code(), 1002);
}

} // namespace
} // namespace parley::net
