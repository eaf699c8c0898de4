#include "net/http_codec.hpp"
#include "net/ws_handshake.hpp"

#include <gtest/gtest.h>

namespace parley::net {
namespace {

struct Outcome {
    int status = 0; // 200: complete, 0: more bytes are needed
    ParsedRequest parsed;
    std::size_t used = 0;
};

Outcome parse(std::string_view bytes, std::size_t step = std::string_view::npos) {
    HttpParser parser;
    Outcome outcome;
    while (!bytes.empty()) {
        const std::string_view piece = bytes.substr(0, step);
        bytes.remove_prefix(piece.size());
        std::size_t used = 0;
        const auto progress = parser.feed(piece, used);
        outcome.used += used;
        if (progress == HttpParser::Progress::failed) {
            outcome.status = parser.failure().status;
            return outcome;
        }
        if (progress == HttpParser::Progress::complete) {
            outcome.status = 200;
            outcome.parsed = parser.take();
            return outcome;
        }
    }
    return outcome;
}

TEST(HttpParser, reads_a_request_at_every_split) {
    const std::string text = "POST /v1/a%20b?x=1&y=%C3%A4 HTTP/1.1\r\nHost: localhost:80\r\n"
                             "X-Mixed-Case:  a value \r\nTransfer-Encoding: chunked\r\n\r\n"
                             "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: t\r\n\r\n";
    for (std::size_t step = 1; step <= text.size(); ++step) {
        const Outcome outcome = parse(text + "GET", step);
        ASSERT_EQ(outcome.status, 200) << step;
        EXPECT_EQ(outcome.used, text.size());
        const HttpRequest& request = outcome.parsed.request;
        EXPECT_EQ(request.method, "POST");
        EXPECT_EQ(request.path, "/v1/a b");
        EXPECT_EQ(request.query_value("y"), "\xC3\xA4");
        EXPECT_EQ(request.header("x-mixed-case"), "a value");
        EXPECT_EQ(request.header("x-trailer"), "") << "a trailer is no header";
        EXPECT_EQ(request.body, "hello world");
        EXPECT_TRUE(outcome.parsed.keep_alive);
    }
}

TEST(HttpParser, leaves_the_next_request_alone) {
    const std::string one = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    const Outcome outcome = parse(one + one);
    EXPECT_EQ(outcome.used, one.size());
    EXPECT_EQ(outcome.parsed.request.body, "hi");
}

TEST(HttpParser, keep_alive_follows_version_and_header) {
    const auto keeps = [](const char* text) { return parse(text).parsed.keep_alive; };
    EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n"));
    EXPECT_FALSE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

struct Row {
    const char* name;
    std::string bytes;
    int status;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string name_of_row(const testing::TestParamInfo<Row>& row) { return row.param.name; }

class HttpRows : public testing::TestWithParam<Row> {};

TEST_P(HttpRows, ends_alike_however_it_is_split) {
    const Row& row = GetParam();
    for (const std::size_t step : {std::string::npos, std::size_t{1}, std::size_t{5}})
        EXPECT_EQ(parse(row.bytes, step).status, row.status) << "step " << step;
}

const std::string kHost = "Host: a\r\n";
std::string get(const std::string& fields) { return "GET / HTTP/1.1\r\n" + fields + "\r\n"; }
std::string post(const std::string& fields, const std::string& body) {
    return "POST / HTTP/1.1\r\n" + kHost + fields + "\r\n" + body;
}

INSTANTIATE_TEST_SUITE_P(
    attack_21_smuggling, HttpRows,
    testing::Values(
        Row{"length_and_chunked",
            post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        Row{"chunked_and_length",
            post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), 400},
        Row{"two_lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), 400},
        Row{"same_length_twice", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400},
        Row{"length_list", post("Content-Length: 3, 3\r\n", "abc"), 400},
        Row{"length_plus", post("Content-Length: +3\r\n", "abc"), 400},
        Row{"length_hex", post("Content-Length: 0x3\r\n", "abc"), 400},
        Row{"length_minus", post("Content-Length: -1\r\n", ""), 400},
        Row{"length_empty", post("Content-Length:\r\n", ""), 400},
        Row{"length_overflow", post("Content-Length: 18446744073709551617\r\n", "a"), 400},
        Row{"xchunked", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 400},
        Row{"chunked_twice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400},
        Row{"two_encodings",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
            400},
        Row{"gzip_chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400},
        Row{"chunked_in_1_0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400},
        Row{"blank_before_colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), 400},
        Row{"tab_in_name", post("Content-Length\t: 3\r\n", "abc"), 400},
        Row{"vertical_tab",
            post("Transfer-Encoding: \x0B"
                 "chunked\r\n",
                 "0\r\n\r\n"),
            400},
        Row{"obs_fold", get(kHost + "X-A: b\r\n c\r\n"), 400},
        Row{"fold_of_the_first_field", get(" " + kHost), 400},
        Row{"bare_lf", "GET / HTTP/1.1\nHost: a\n\n", 400},
        Row{"one_bare_lf", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400},
        Row{"bare_cr", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", 400},
        Row{"nul", get("Host: a\r\nX: a" + std::string(1, '\0') + "b\r\n"), 400},
        Row{"chunk_size_huge", post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n"),
            400},
        Row{"chunk_size_bad", post("Transfer-Encoding: chunked\r\n", "xyz\r\nabc"), 400},
        Row{"chunk_without_end", post("Transfer-Encoding: chunked\r\n", "3\r\nabcX\r\n0\r\n\r\n"),
            400}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    malformed, HttpRows,
    testing::Values(Row{"good", get(kHost), 200}, Row{"empty_line_first", "\r\n" + get(kHost), 200},
                    Row{"host_missing", get(""), 400}, Row{"host_twice", get(kHost + kHost), 400},
                    Row{"host_bad", get("Host: a b\r\n"), 400},
                    Row{"host_with_user", get("Host: u@a\r\n"), 400},
                    Row{"host_missing_in_1_0", "GET / HTTP/1.0\r\n\r\n", 200},
                    Row{"absolute_target", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                    Row{"star", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                    Row{"connect", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                    Row{"bad_escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                    Row{"short_escape", "GET /%2 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                    Row{"bad_escape_in_query", "GET /?a=%G0 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                    Row{"escaped_nul", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                    Row{"fragment", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                    Row{"raw_utf8", "GET /\xC3\xA4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                    Row{"two_blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                    Row{"no_version", "GET /\r\nHost: a\r\n\r\n", 400},
                    Row{"http_2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400},
                    Row{"http_1_2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400},
                    Row{"lower_case_version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
                    Row{"bad_method", "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
                    Row{"no_colon", get(kHost + "nonsense\r\n"), 400},
                    Row{"empty_name", get(kHost + ": x\r\n"), 400},
                    Row{"tls_hello", std::string("\x16\x03\x01\x02\0\x01", 6), 400},
                    Row{"two_authorizations",
                        get(kHost + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), 400},
                    Row{"unknown_expectation", post("Expect: magic\r\nContent-Length: 2\r\n", "hi"),
                        417}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    limits, HttpRows,
    testing::Values(
        Row{"header_at_the_limit",
            get(kHost + "X: " + std::string(limits::kHttpHeaderBytes - 32, 'x') + "\r\n"), 200},
        Row{"header_over_the_limit",
            get(kHost + "X: " + std::string(limits::kHttpHeaderBytes - 31, 'x') + "\r\n"), 431},
        Row{"target_over_the_limit", "GET /" + std::string(limits::kHttpHeaderBytes, 'x'), 431},
        Row{"header_without_end", get(kHost + "X: " + std::string(100'000, 'x')), 431},
        Row{"body_announced_over_the_limit",
            post("Content-Length: " + std::to_string(limits::kHttpBodyBytes + 1) + "\r\n", ""),
            413},
        Row{"body_at_the_limit",
            post("Content-Length: " + std::to_string(limits::kHttpBodyBytes) + "\r\n",
                 std::string(limits::kHttpBodyBytes, 'x')),
            200},
        Row{"chunk_over_the_limit", post("Transfer-Encoding: chunked\r\n", "10001\r\n"), 413},
        Row{"chunks_over_the_limit",
            post("Transfer-Encoding: chunked\r\n",
                 "ffff\r\n" + std::string(0xFFFF, 'x') + "\r\n2\r\nab\r\n0\r\n\r\n"),
            413},
        Row{"endless_chunk_header",
            post("Transfer-Encoding: chunked\r\n", "1;" + std::string(20'000, 'x')), 400}),
    name_of_row);

TEST(HttpParser, waits_for_continue_once) {
    HttpParser parser;
    std::size_t used = 0;
    parser.feed(post("Expect: 100-continue\r\nContent-Length: 2\r\n", ""), used);
    EXPECT_TRUE(parser.take_expect_continue());
    EXPECT_FALSE(parser.take_expect_continue());
}

TEST(HttpRequest, attack_21_a_doubled_parameter_is_seen) {
    HttpRequest request;
    request.query = "roomid=1&%72oomid=2&q=a+b%2B&empty&bad=%zz";
    EXPECT_TRUE(request.query_is_ambiguous("roomid"));
    EXPECT_FALSE(request.query_is_ambiguous("q"));
    EXPECT_EQ(request.query_value("q"), "a b+");
    EXPECT_EQ(request.query_value("empty"), "");
    EXPECT_EQ(request.query_value("absent"), std::nullopt);
}

TEST(HttpAnswer, attack_17_is_not_stored_by_caches_unless_the_handler_says_so) {
    HttpResponse response;
    response.body = "{}";
    std::string text(serialise(response, {.date = "now"}).bytes());
    EXPECT_EQ(text, "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n"
                    "Content-Type: application/json\r\nCache-Control: no-store\r\n"
                    "X-Content-Type-Options: nosniff\r\n\r\n{}");
    response.headers = {{"cache-control", "max-age=60"}, {"X-Bad", "a\r\nSet-Cookie: b"}};
    text = serialise(response, {.head = true, .close = true}).bytes();
    EXPECT_EQ(text, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n"
                    "cache-control: max-age=60\r\nX-Content-Type-Options: nosniff\r\n"
                    "Connection: close\r\n\r\n");
}

const std::string kUpgrade = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n";
const std::string kVersion = "Sec-WebSocket-Version: 13\r\n";
const std::string kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

int handshake(const std::string& text) {
    const Outcome outcome = parse(text);
    if (outcome.status != 200) return outcome.status;
    const auto refusal = refuse_handshake(outcome.parsed);
    return refusal ? refusal->status : 101;
}

TEST(WsHandshake, attack_20_bad_handshakes_are_refused) {
    EXPECT_EQ(handshake(get(kHost + kUpgrade + kVersion + kKey)), 101);
    EXPECT_EQ(handshake(get(kHost + kUpgrade + "Sec-WebSocket-Version: 12\r\n" + kKey)), 426);
    EXPECT_EQ(handshake(get(kHost + kUpgrade + kKey)), 426);
    EXPECT_EQ(handshake(get(kHost)), 426);
    EXPECT_EQ(handshake(get(kHost + kUpgrade + kVersion)), 400);
    EXPECT_EQ(handshake(get(kHost + kUpgrade + kVersion + kKey + kKey)), 400);
    const std::string head = kHost + kUpgrade + kVersion + "Sec-WebSocket-Key: ";
    EXPECT_EQ(handshake(get(head + "AAAAAAAAAAAAAAAAAAAA\r\n")), 400) << "15 bytes";
    EXPECT_EQ(handshake(get(head + "dGhlIHNhbXBsZSBub25jZSE=\r\n")), 400) << "17 bytes";
    EXPECT_EQ(handshake(get(head + "dGhlIHNhbXBsZSBub25jZ!==\r\n")), 400);
    EXPECT_EQ(handshake("POST / HTTP/1.1\r\n" + kHost + kUpgrade + kVersion + kKey + "\r\n"), 400);
    EXPECT_EQ(handshake("POST / HTTP/1.1\r\n" + kHost + "\r\n"), 405);
    EXPECT_EQ(handshake("GET / HTTP/1.0\r\n" + kHost + kUpgrade + kVersion + kKey + "\r\n"), 400);
    EXPECT_EQ(handshake(get(kHost + kUpgrade + kVersion + kKey + "Content-Length: 2\r\n") + "hi"),
              400);
    EXPECT_EQ(handshake(get(kHost + "Upgrade: h2c\r\nConnection: Upgrade\r\n" + kVersion + kKey)),
              400);
    EXPECT_EQ(handshake(get(kHost + "Upgrade: websocket\r\n" + kVersion + kKey)), 400);
}

TEST(WsHandshake, computes_the_key_of_the_rfc) {
    EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

} // namespace
} // namespace parley::net
