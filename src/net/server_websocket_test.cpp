// WebSockets over real sockets. The codec's rows are in ws_codec_test.cpp.
#include "net/testing.hpp"

#include <sys/socket.h>

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using testing::Answer;
using testing::masked_frame;
using testing::TestClient;
using testing::TestServer;
using testing::WsFrame;

TEST(WebSocketServer, opens_echoes_and_closes) {
    TestServer server;
    TestClient client(server.port());
    ASSERT_TRUE(client.open("/ws", "Sec-WebSocket-Protocol: parley.v1, bearer.x\r\n"));
    EXPECT_TRUE(server.events.saw("open 127.0.0.1"));
    for (const std::size_t size : {0, 1, 125, 126, 4096, 65535, 65536}) {
        const std::string text(size, 'x');
        client.send_text(text);
        EXPECT_EQ(client.read_message().payload, text);
    }
    EXPECT_EQ(server.metric("parley_connections{kind=\"websocket\"}"), 1);
    client.send_frame(8, "\x03\xE8"
                         "bye");
    EXPECT_EQ(client.read_message().close_code(), 1000);
    EXPECT_TRUE(client.ended());
    EXPECT_TRUE(server.events.saw("closed 1000"));
    EXPECT_EQ(server.metric("parley_ws_messages_received_total"), 7);
}

TEST(WebSocketServer, the_acceptor_may_refuse_and_may_close_at_once) {
    TestServer server;
    TestClient refused(server.port());
    refused.send(std::string("GET /ws/refuse HTTP/1.1\r\n") + testing::kHandshakeHeaders + "\r\n");
    EXPECT_EQ(refused.read_answer().status, 403);
    EXPECT_EQ(refused.get("/hello").status, 200) << "the connection goes on";

    TestClient late(server.port());
    ASSERT_TRUE(late.open("/ws/late"));
    EXPECT_EQ(late.read_frame().close_code(), 4500);
}

TEST(WebSocketServer, a_handshake_to_another_path_goes_to_http) {
    TestServer server;
    TestClient client(server.port());
    client.send(std::string("GET /hello HTTP/1.1\r\n") + testing::kHandshakeHeaders + "\r\n");
    EXPECT_EQ(client.read_answer().body, "hello");
}

TEST(WebSocketServer, attack_20_bad_handshakes_are_refused_on_the_wire) {
    TestServer server;
    TestClient client(server.port());
    client.send("GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 426);
    EXPECT_TRUE(answer.has("Sec-WebSocket-Version: 13"));
    EXPECT_TRUE(answer.has("Upgrade: websocket"));
    EXPECT_TRUE(client.ended());
}

TEST(WebSocketServer, frames_that_come_with_the_handshake_are_not_lost) {
    TestServer server;
    TestClient client(server.port());
    client.send(std::string("GET /ws HTTP/1.1\r\n") + testing::kHandshakeHeaders + "\r\n" +
                masked_frame(1, "one") + masked_frame(1, "two"));
    ASSERT_EQ(client.read_answer().status, 101);
    EXPECT_EQ(client.read_message().payload, "one");
    EXPECT_EQ(client.read_message().payload, "two");
}

TEST(WebSocketServer, a_handler_may_answer_and_close_from_inside_on_text) {
    TestServer server;
    TestClient client(server.port());
    ASSERT_TRUE(client.open("/ws"));
    client.send(masked_frame(1, "both") + masked_frame(1, "never seen"));
    EXPECT_EQ(client.read_message().payload, "both");
    EXPECT_EQ(client.read_message().close_code(), 4500);
    client.send_frame(8, "\x11\x94");
    EXPECT_TRUE(client.ended());
    EXPECT_TRUE(server.events.saw("closed 4500"));
    EXPECT_EQ(server.events.count("text never seen"), 0);
    EXPECT_EQ(server.metric("parley_ws_closed_total{code=\"4500\"}"), 1);
}

TEST(WebSocketServer, attack_22_an_illegal_frame_is_answered_with_1002_and_the_end) {
    TestServer server;
    for (const std::string& bytes :
         {std::string("\x81\x02hi"), masked_frame(3, ""), masked_frame(0, "x"),
          masked_frame(9, std::string(126, 'x')), masked_frame(8, "\x03\xED")}) {
        TestClient client(server.port());
        ASSERT_TRUE(client.open("/ws"));
        client.send(masked_frame(1, "before") + bytes + masked_frame(1, "after"));
        EXPECT_EQ(client.read_message().payload, "before");
        EXPECT_EQ(client.read_message().close_code(), 1002);
        EXPECT_TRUE(client.ended());
    }
    EXPECT_TRUE(server.events.saw("closed 1002", 5));
    EXPECT_EQ(server.events.count("text after"), 0);
}

TEST(WebSocketServer, attack_23_26_limits_and_text_have_their_codes) {
    TestServer server;
    const std::pair<std::string, int> rows[] = {
        {masked_frame(1, std::string(65537, 'x')).substr(0, 14), 1009}, // the header alone
        {std::string("\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10), 1009},
        {std::string("\x81\xFF\x80\0\0\0\0\0\0\0", 10), 1002},
        {masked_frame(2, "binary"), 1003},
        {masked_frame(1, "\xED\xA0\x80"), 1007},
        {masked_frame(1, "\xFF never ends").substr(0, 7), 1007},
    };
    for (const auto& [bytes, code] : rows) {
        TestClient client(server.port());
        ASSERT_TRUE(client.open("/ws"));
        client.send(bytes);
        EXPECT_EQ(client.read_message().close_code(), code);
    }
}

TEST(WebSocketServer, attack_24_deflate_is_not_negotiated_and_its_frames_are_illegal) {
    TestServer server;
    TestClient client(server.port());
    client.send(std::string("GET /ws HTTP/1.1\r\n") + testing::kHandshakeHeaders +
                "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 101);
    EXPECT_EQ(answer.head.find("Sec-WebSocket-Extensions"), std::string::npos);
    client.send_frame(0x41, "deflated");
    EXPECT_EQ(client.read_message().close_code(), 1002);
}

TEST(WebSocketServer, attack_25_fragment_floods_are_refused) {
    ServerSettings settings;
    settings.timeouts.message_assembly = 300ms;
    TestServer server(settings);
    TestClient many(server.port());
    ASSERT_TRUE(many.open("/ws"));
    many.send_frame(1, "a", false);
    for (int i = 0; i < 200; ++i) many.send_frame(0, "a", false);
    EXPECT_EQ(many.read_message().close_code(), 1009);

    TestClient endless(server.port());
    ASSERT_TRUE(endless.open("/ws"));
    endless.send_frame(1, "never FIN", false);
    EXPECT_EQ(endless.read_message().close_code(), 1009);

    TestClient stuck(server.port());
    ASSERT_TRUE(stuck.open("/ws"));
    stuck.send("\x81");
    EXPECT_EQ(stuck.read_message().close_code(), 1009);
}

TEST(WebSocketServer, attack_29_a_flood_of_pings_costs_few_pongs) {
    TestServer server;
    TestClient client(server.port());
    ASSERT_TRUE(client.open("/ws"));
    std::string flood;
    for (int i = 0; i < 20'000; ++i) flood += masked_frame(9, "ping " + std::to_string(i));
    client.send(flood + masked_frame(1, "queued"));
    WsFrame frame;
    std::string last_pong;
    int answered = 0;
    while (last_pong != "ping 19999" || answered == 0) {
        frame = client.read_frame();
        ASSERT_TRUE(frame.opcode == 10 || frame.opcode == 1);
        if (frame.opcode == 10) last_pong = frame.payload;
        if (frame.opcode == 1) {
            ++answered;
            EXPECT_LT(std::stoul(frame.payload), 1'000U);
        }
    }
}

TEST(WebSocketServer, a_silent_client_is_pinged_and_then_closed_with_4000) {
    ServerSettings settings;
    settings.heartbeat = 200ms;
    settings.idle = 500ms;
    settings.timeouts.close = 300ms;
    TestServer server(settings);
    TestClient silent(server.port());
    TestClient lively(server.port());
    ASSERT_TRUE(silent.open("/ws"));
    ASSERT_TRUE(lively.open("/ws"));
    for (int i = 0; i < 6; ++i) {
        const WsFrame ping = lively.read_frame();
        ASSERT_EQ(ping.opcode, 9);
        lively.send_frame(10, ping.payload);
    }
    EXPECT_EQ(silent.read_frame().opcode, 9);
    EXPECT_EQ(silent.read_message().close_code(), 4000);
    EXPECT_TRUE(silent.ended()) << "cut without an answer to the close frame";
    EXPECT_TRUE(server.events.saw("closed 4000"));
    lively.send_text("still here");
    EXPECT_EQ(lively.read_message().payload, "still here");
}

TEST(WebSocketServer, a_reader_that_stops_is_closed_as_too_slow_and_others_are_not) {
    ServerSettings settings;
    settings.outbound_bytes_max = 256 * 1024;
    TestServer server(settings);
    TestClient slow(server.port(), TestClient::Transport::plain, 4096);
    TestClient other(server.port());
    ASSERT_TRUE(slow.open("/ws"));
    ASSERT_TRUE(other.open("/ws"));
    slow.send_text("flood 5000"); // 20 MB
    other.send_text("fine");
    EXPECT_EQ(other.read_message().payload, "fine");
    EXPECT_TRUE(server.events.saw("text fine"));
    EXPECT_GT(server.metric("parley_outbound_dropped_total"), 0);
    WsFrame frame;
    do frame = slow.read_message();
    while (frame.opcode == 1 && frame.payload.size() == 4096);
    EXPECT_EQ(frame.close_code(), 4001);
    slow.send_frame(8, "\x0F\xA1");
    EXPECT_TRUE(slow.ended());
    EXPECT_TRUE(server.events.saw("closed 4001"));
}

TEST(WebSocketServer, a_burst_that_the_socket_takes_is_no_overflow) {
    ServerSettings settings;
    settings.outbound_bytes_max = 64 * 1024;
    TestServer server(settings);
    TestClient client(server.port());
    ASSERT_TRUE(client.open("/ws"));
    client.send_text("flood 50"); // 200 KB in one turn
    for (int i = 0; i < 50; ++i) ASSERT_EQ(client.read_message().payload.size(), 4096U);
}

TEST(WebSocketServer, a_socket_that_takes_nothing_is_cut) {
    ServerSettings settings;
    settings.timeouts.write_stall = 300ms;
    TestServer server(settings);
    TestClient client(server.port(), TestClient::Transport::plain, 4096);
    ASSERT_TRUE(client.open("/ws"));
    client.send_text("flood 200");
    client.send_text("flood 200");
    client.send_text("flood 200");
    client.send_text("flood 200");
    EXPECT_TRUE(server.events.saw("closed 4001"));
}

TEST(WebSocketServer, resets_and_ends_without_a_close_frame_are_abnormal) {
    TestServer server;
    TestClient reset(server.port());
    ASSERT_TRUE(reset.open("/ws"));
    reset.send(masked_frame(1, "half a message").substr(0, 10));
    reset.reset();
    EXPECT_TRUE(server.events.saw("closed 1006", 1));
    TestClient half(server.port());
    ASSERT_TRUE(half.open("/ws"));
    half.shut_down_writing();
    EXPECT_TRUE(half.ended());
    EXPECT_TRUE(server.events.saw("closed 1006", 2));
}

TEST(WebSocketServer, much_input_is_read_over_several_turns) {
    TestServer server;
    TestClient client(server.port());
    ASSERT_TRUE(client.open("/ws"));
    const std::string text(1000, 'm');
    std::string all;
    for (int i = 0; i < 3000; ++i) all += masked_frame(1, text);
    std::thread sender([&] { client.send(all); });
    for (int i = 0; i < 3000; ++i) ASSERT_EQ(client.read_message().payload, text);
    sender.join();
}

TEST(WebSocketServer, a_handler_that_wants_no_more_is_not_read_and_loses_nothing) {
    ServerSettings settings;
    settings.idle = 500ms; // a pause is not the peer's silence
    settings.heartbeat = 200ms;
    TestServer server(settings);
    TestClient client(server.port());
    ASSERT_TRUE(client.open("/ws"));
    client.send_text("pause 30");
    EXPECT_EQ(client.read_message().payload, "pause 30");
    for (int i = 0; i < 100; ++i) client.send_text(std::to_string(i) + std::string(50'000, 'x'));
    for (int i = 0; i < 100; ++i)
        EXPECT_TRUE(client.read_message().payload.starts_with(std::to_string(i) + "x"));
    EXPECT_TRUE(server.events.saw("looked", 30));
}

TEST(WebSocketServer, a_paused_connection_can_be_closed_and_its_answer_is_read) {
    TestServer server;
    TestClient client(server.port());
    ASSERT_TRUE(client.open("/ws"));
    client.send_text("pause 1000000");
    EXPECT_EQ(client.read_message().payload, "pause 1000000");
    client.send_text("close");
    const WsFrame close = client.read_message();
    EXPECT_EQ(close.close_code(), 4500);
    client.send_frame(8, close.payload);
    EXPECT_TRUE(client.ended());
    EXPECT_TRUE(server.events.saw("closed 4500"));
}

TEST(Server, an_address_has_a_cap_on_its_connections) {
    ServerSettings settings;
    settings.connections_per_address_max = 2;
    TestServer server(settings);
    TestClient first(server.port());
    EXPECT_EQ(first.get("/hello").status, 200);
    {
        TestClient second(server.port());
        EXPECT_EQ(second.get("/hello").status, 200);
        TestClient third(server.port());
        const Answer answer = third.read_answer();
        EXPECT_EQ(answer.status, 429);
        EXPECT_TRUE(answer.has("Retry-After: 5"));
        second.reset();
    }
    for (;;) { // until the server has seen that it left
        TestClient again(server.port());
        if (again.get("/hello").status == 200) break;
    }
    settings.trusted_proxies = {"127.0.0.1"};
    TestServer behind_a_proxy(settings);
    std::vector<std::unique_ptr<TestClient>> many;
    for (int i = 0; i < 5; ++i) {
        many.push_back(std::make_unique<TestClient>(behind_a_proxy.port()));
        EXPECT_EQ(many.back()->get("/hello").status, 200);
    }
}

} // namespace
} // namespace parley::net
