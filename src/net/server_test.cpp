// The server as a whole: limits of the process, TLS, several cores, and its end.
#include "net/testing.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using testing::Certificate;
using testing::masked_frame;
using testing::TestClient;
using testing::TestServer;

TEST(Server, says_why_it_cannot_start) {
    const auto reason = [](ServerSettings settings) -> std::string {
        SilentLogger log;
        Metrics metrics;
        Core core(0);
        try {
            Server server(settings, {&core}, {{}}, log, metrics);
            return "";
        } catch (const std::runtime_error& failure) {
            return failure.what();
        }
    };
    TestServer first;
    ServerSettings settings;
    settings.port = first.port();
    EXPECT_NE(reason(settings).find("Address already in use"), std::string::npos);
    settings.port = 0;
    EXPECT_EQ(reason(settings), "");
    settings.host = "256.0.0.1";
    EXPECT_NE(reason(settings).find("cannot listen on 256.0.0.1"), std::string::npos);
    settings.host = "127.0.0.1";
    settings.tls_certificate_file = "/nowhere.pem";
    EXPECT_NE(reason(settings).find("both"), std::string::npos);
    settings.tls_key_file = "/nowhere.key";
    EXPECT_NE(reason(settings).find("/nowhere.pem"), std::string::npos);
    Certificate one, other;
    settings.tls_certificate_file = one.certificate_file;
    settings.tls_key_file = other.key_file;
    EXPECT_NE(reason(settings), "");
}

TEST(Server, a_handshake_may_wait_for_its_verdict) {
    TestServer server;
    TestClient client(server.port());
    // What comes behind the handshake is read once the verdict is there.
    client.send("GET /ws/ask/refuse HTTP/1.1\r\n" + std::string(testing::kHandshakeHeaders) +
                "\r\n" + "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 403);
    EXPECT_EQ(client.read_answer().status, 200);
    client.send("GET /ws/ask HTTP/1.1\r\n" + std::string(testing::kHandshakeHeaders) + "\r\n" +
                masked_frame(1, "early"));
    EXPECT_EQ(client.read_answer(true).status, 101);
    EXPECT_EQ(client.read_message().payload, "early");
    client.send_text("later");
    EXPECT_EQ(client.read_message().payload, "later");
    EXPECT_EQ(server.events.count("asked"), 2);
    TestClient gone(server.port());
    gone.send("GET /ws/ask HTTP/1.1\r\n" + std::string(testing::kHandshakeHeaders) + "\r\n");
    gone.reset();
    client.send_text("unmoved");
    EXPECT_EQ(client.read_message().payload, "unmoved");
}

TEST(Server, too_many_connections_get_a_503_until_there_is_room) {
    ServerSettings settings;
    settings.connections_max = 2;
    TestServer server(settings);
    auto first = std::make_unique<TestClient>(server.port());
    TestClient second(server.port());
    EXPECT_EQ(first->get("/hello").status, 200);
    EXPECT_EQ(second.get("/hello").status, 200);
    TestClient third(server.port());
    const auto refusal = third.read_answer();
    EXPECT_EQ(refusal.status, 503);
    EXPECT_TRUE(refusal.has("Retry-After: 5"));
    EXPECT_TRUE(third.ended());
    first.reset();
    for (;;) { // until the server has seen that the first one is gone
        TestClient next(server.port());
        if (next.get("/hello").status == 200) break;
    }
    EXPECT_EQ(second.get("/hello").status, 200);
}

TEST(Server, without_descriptors_clients_are_refused_and_later_served_again) {
    TestServer server;
    TestClient before(server.port());
    EXPECT_EQ(before.get("/hello").status, 200);
    // The clients' own sockets exist before the limit comes down to what is in use.
    std::vector<int> sockets;
    for (int i = 0; i < 20; ++i) sockets.push_back(::socket(AF_INET, SOCK_STREAM, 0));
    rlimit old{};
    ::getrlimit(RLIMIT_NOFILE, &old);
    const rlimit low{.rlim_cur = static_cast<rlim_t>(sockets.back() + 1), .rlim_max = old.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &low);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (const int socket : sockets) {
        EXPECT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        std::string answer(12, ' ');
        EXPECT_EQ(::recv(socket, answer.data(), answer.size(), MSG_WAITALL), 12);
        EXPECT_EQ(answer, "HTTP/1.1 503");
    }
    EXPECT_EQ(before.get("/hello").status, 200);
    ::setrlimit(RLIMIT_NOFILE, &old);
    for (const int socket : sockets) ::close(socket);
    TestClient after(server.port());
    EXPECT_EQ(after.get("/hello").status, 200);
}

TEST(Server, speaks_tls) {
    Certificate certificate;
    ServerSettings settings;
    settings.tls_certificate_file = certificate.certificate_file;
    settings.tls_key_file = certificate.key_file;
    settings.timeouts.http_header = 500ms;
    TestServer server(settings);
    TestClient client(server.port(), TestClient::Transport::tls);
    EXPECT_EQ(client.get("/peer").body, "127.0.0.1 tls");
    EXPECT_EQ(client.get("/big?bytes=3000000").body.size(), 3'000'000U);

    TestClient socket(server.port(), TestClient::Transport::tls);
    ASSERT_TRUE(socket.open("/ws"));
    const std::string text(60'000, 't');
    for (int i = 0; i < 20; ++i) {
        socket.send_text(text);
        ASSERT_EQ(socket.read_message().payload, text);
    }
    socket.send_text("flood 200");
    for (int i = 0; i < 200; ++i) ASSERT_EQ(socket.read_message().payload.size(), 4096U);
    socket.send_text("close");
    EXPECT_EQ(socket.read_message().close_code(), 4500);

    TestClient plain(server.port());
    plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(plain.ended());
    TestClient mute(server.port());
    EXPECT_TRUE(mute.ended()) << "a handshake that never begins ends with the header's deadline";
}

TEST(Server, a_tls_reader_that_stops_gets_whole_frames_and_4001) {
    Certificate certificate;
    ServerSettings settings;
    settings.tls_certificate_file = certificate.certificate_file;
    settings.tls_key_file = certificate.key_file;
    settings.outbound_bytes_max = 256 * 1024;
    TestServer server(settings);
    TestClient slow(server.port(), TestClient::Transport::tls, 4096);
    ASSERT_TRUE(slow.open("/ws"));
    slow.send_text("flood 5000");
    testing::WsFrame frame;
    do frame = slow.read_message();
    while (frame.opcode == 1 && frame.payload.size() == 4096);
    EXPECT_EQ(frame.close_code(), 4001);
}

TEST(Server, connections_are_spread_over_cores_and_gone_ones_are_forgotten) {
    TestServer server({}, 3);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&server] {
            for (int i = 0; i < 30; ++i) {
                TestClient client(server.port());
                EXPECT_EQ(client.get("/hello").status, 200);
                ASSERT_TRUE(client.open("/ws"));
                client.send_text("ping");
                EXPECT_EQ(client.read_message().payload, "ping");
                if (i % 2)
                    client.reset();
                else
                    client.send_frame(8, "");
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(server.events.saw("closed 1006", 60));
    EXPECT_TRUE(server.events.saw("closed 1005", 60));
    server.drain(5s);
    EXPECT_EQ(server.metric("parley_connections{kind=\"websocket\"}"), 0);
    EXPECT_EQ(server.metric("parley_connections{kind=\"http\"}"), 0);
    EXPECT_EQ(server.metric("parley_accepted_total"), 120);
}

TEST(Server, drain_answers_what_runs_and_closes_sockets_with_1001) {
    ServerSettings settings;
    settings.timeouts.close = 300ms;
    TestServer server(settings, 2);
    TestClient running(server.port()), idle(server.port()), socket(server.port());
    EXPECT_EQ(idle.get("/hello").status, 200);
    ASSERT_TRUE(socket.open("/ws"));
    running.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    socket.send_text("seen");
    EXPECT_EQ(socket.read_message().payload, "seen");
    server.stop_accepting();
    std::thread drainer([&] { server.drain(8s); });
    EXPECT_EQ(socket.read_message().close_code(), 1001);
    socket.send_frame(8, "\x03\xE9");
    EXPECT_TRUE(socket.ended());
    EXPECT_TRUE(idle.ended());
    server.release();
    const auto answer = running.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.has("Connection: close"));
    EXPECT_TRUE(running.ended());
    running.shut_down_writing();
    drainer.join();
    EXPECT_TRUE(server.events.saw("closed 1001"));
}

TEST(Server, drain_cuts_what_is_left_at_the_deadline) {
    TestServer server({}, 2);
    TestClient running(server.port()), socket(server.port());
    ASSERT_TRUE(socket.open("/ws"));
    running.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    server.drain(200ms);
    EXPECT_TRUE(server.events.saw("closed 1001"));
    EXPECT_TRUE(running.ended());
    EXPECT_TRUE(socket.ended());
}

TEST(Server, destroying_it_tells_every_handler_once) {
    auto server = std::make_unique<TestServer>(ServerSettings{}, 2);
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 10; ++i) {
        clients.push_back(std::make_unique<TestClient>(server->port()));
        ASSERT_TRUE(clients.back()->open("/ws"));
    }
    server.reset();
    for (auto& client : clients) EXPECT_TRUE(client->ended());
}

} // namespace
} // namespace parley::net
