// HTTP over real sockets. The parser's rows are in http_codec_test.cpp.
#include "net/testing.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using testing::Answer;
using testing::TestClient;
using testing::TestServer;

ServerSettings hasty() {
    ServerSettings settings;
    settings.timeouts.http_header = settings.timeouts.http_body = 300ms;
    settings.timeouts.http_idle = settings.timeouts.http_handler = 300ms;
    settings.timeouts.close = 300ms;
    return settings;
}

TEST(HttpServer, answers_with_the_headers_of_every_answer) {
    TestServer server;
    TestClient client(server.port());
    const Answer answer = client.get("/hello");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_TRUE(answer.has("Cache-Control: no-store"));
    EXPECT_TRUE(answer.has("X-Content-Type-Options: nosniff"));
    EXPECT_NE(answer.head.find("\r\nDate: "), std::string::npos);
    EXPECT_NE(answer.head.find(" GMT\r\n"), std::string::npos);
    EXPECT_EQ(answer.head.find("Connection"), std::string::npos);
    EXPECT_EQ(client.get("/peer").body, "127.0.0.1");
    EXPECT_EQ(server.metric("parley_http_requests_total{class=\"2xx\"}"), 2);
    EXPECT_EQ(server.metric("parley_connections{kind=\"http\"}"), 1);
}

TEST(HttpServer, pipelined_requests_are_answered_in_order) {
    TestServer server;
    TestClient client(server.port());
    std::string requests;
    for (int i = 0; i < 200; ++i)
        requests +=
            "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n" + std::to_string(100 + i);
    client.send(requests);
    for (int i = 0; i < 200; ++i)
        ASSERT_EQ(client.read_answer().body, "POST " + std::to_string(100 + i));
}

TEST(HttpServer, pipelined_requests_for_much_wait_for_the_reader) {
    TestServer server;
    TestClient client(server.port(), TestClient::Transport::plain, 4096);
    std::string requests;
    for (int i = 0; i < 50; ++i) requests += "GET /big?bytes=1000000 HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(requests);
    for (int i = 0; i < 50; ++i) ASSERT_EQ(client.read_answer().body.size(), 1'000'000U);
}

TEST(HttpServer, head_has_the_length_and_no_body) {
    TestServer server;
    TestClient client(server.port());
    client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(client.read_answer(true).has("Content-Length: 5"));
    EXPECT_EQ(client.get("/hello").body, "hello");
}

TEST(HttpServer, expect_continue_is_answered_before_the_body) {
    TestServer server;
    TestClient client(server.port());
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(client.read_answer(true).status, 100);
    client.send("hi");
    EXPECT_EQ(client.read_answer().body, "POST hi");
}

TEST(HttpServer, http_1_0_and_connection_close_end_the_connection) {
    TestServer server;
    for (const char* request : {"GET /hello HTTP/1.0\r\n\r\n",
                                "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}) {
        TestClient client(server.port());
        client.send(request);
        const Answer answer = client.read_answer();
        EXPECT_EQ(answer.body, "hello");
        EXPECT_TRUE(answer.has("Connection: close"));
        EXPECT_TRUE(client.ended());
    }
}

TEST(HttpServer, a_bad_request_gets_a_problem_and_the_end) {
    TestServer server;
    TestClient client(server.port());
    client.send(
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 400);
    EXPECT_TRUE(answer.has("Content-Type: application/problem+json"));
    EXPECT_TRUE(answer.has("Connection: close"));
    EXPECT_THAT(answer.body, ::testing::StartsWith(
                                 R"({"type":"about:blank","title":"Bad Request","status":400,)"));
    EXPECT_THAT(answer.body, ::testing::EndsWith(R"("code":"bad_request"})"));
    EXPECT_EQ(client.read_answer().status, 0) << "what follows is not answered";
}

TEST(HttpServer, a_body_over_the_limit_gets_413_although_it_is_still_being_sent) {
    TestServer server;
    TestClient client(server.port());
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n" +
                std::string(500'000, 'x'));
    EXPECT_EQ(client.read_answer().status, 413);
    EXPECT_TRUE(client.ended());
}

TEST(HttpServer, an_exception_is_a_500) {
    TestServer server;
    TestClient client(server.port());
    EXPECT_EQ(client.get("/throw").status, 500);
    EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(HttpServer, a_slow_handler_is_a_503_and_its_late_answer_is_dropped) {
    TestServer server(hasty());
    TestClient client(server.port());
    EXPECT_EQ(client.get("/never").status, 503);
    server.release();
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(client.read_answer().status, 0);
}

TEST(HttpServer, a_client_that_goes_while_its_request_runs_harms_nobody) {
    TestServer server;
    {
        TestClient client(server.port());
        client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
        TestClient other(server.port());
        EXPECT_EQ(other.get("/hello").status, 200);
        client.reset();
    }
    server.release();
    TestClient client(server.port());
    EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(HttpServer, a_half_closed_client_gets_its_answer) {
    TestServer server;
    TestClient client(server.port());
    client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    client.shut_down_writing();
    server.release();
    EXPECT_EQ(client.read_answer().status, 200);
    EXPECT_TRUE(client.ended());
}

TEST(HttpServer, attack_27_slow_headers_and_bodies_are_cut_and_others_are_served) {
    TestServer server(hasty());
    std::vector<std::unique_ptr<TestClient>> slow;
    for (int i = 0; i < 300; ++i) {
        slow.push_back(std::make_unique<TestClient>(server.port()));
        slow.back()->send(i % 3 == 0 ? "GET /hello HTTP/1.1\r\nHos"
                          : i % 3 == 1
                              ? "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab"
                              : "");
    }
    TestClient good(server.port());
    EXPECT_EQ(good.get("/hello").status, 200);
    for (std::size_t i = 0; i < slow.size(); ++i) {
        EXPECT_EQ(slow[i]->read_answer().status, i % 3 == 2 ? 0 : 408) << i;
        EXPECT_TRUE(slow[i]->ended());
    }
    EXPECT_TRUE(good.ended()) << "an idle connection ends, too";
    EXPECT_EQ(good.read_answer().status, 0);
}

TEST(HttpServer, forwarded_addresses_count_from_trusted_proxies_only) {
    const std::string request = "GET /peer HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\n"
                                "X-Forwarded-Proto: https\r\n\r\n";
    {
        TestServer server;
        TestClient client(server.port());
        client.send(request);
        EXPECT_EQ(client.read_answer().body, "127.0.0.1");
    }
    ServerSettings settings;
    settings.trusted_proxies = {"127.0.0.0/8"};
    TestServer server(settings);
    TestClient client(server.port());
    client.send(request);
    EXPECT_EQ(client.read_answer().body, "9.9.9.9 tls");
}

} // namespace
} // namespace parley::net
