// The definitions of testing.hpp; in a file with a test's name, so that they are linked to tests
// only.
#include "net/testing.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <arpa/inet.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace parley::net::testing {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;

// --- events
// ----------------------------------------------------------------------------------------

void Events::add(const std::string& event) {
    std::lock_guard lock(x_mutex);
    ++x_counts[event];
    x_changed.notify_all();
}

bool Events::saw(const std::string& event, int times) {
    std::unique_lock lock(x_mutex);
    return x_changed.wait_for(lock, 10s, [&] { return x_counts[event] >= times; });
}

int Events::count(const std::string& event) {
    std::lock_guard lock(x_mutex);
    return x_counts[event];
}

// --- server
// ----------------------------------------------------------------------------------------

class TestServer::Http final : public HttpHandler {
public:
    explicit Http(std::atomic<bool>& released) : x_released(released) {}
    Task<HttpResponse> handle(HttpRequest request) override {
        HttpResponse answer;
        answer.content_type = "text/plain";
        if (request.path == "/throw") throw std::runtime_error("on purpose");
        if (request.path == "/never") {
            asio::steady_timer timer(co_await asio::this_coro::executor);
            while (!x_released.load()) {
                timer.expires_after(5ms);
                co_await timer.async_wait(asio::use_awaitable);
            }
        }
        if (request.path == "/hello") {
            answer.body = "hello";
        } else if (request.path == "/peer") {
            answer.body = request.peer_address + (request.tls ? " tls" : "");
        } else if (request.path == "/big") {
            answer.body.assign(std::stoul(request.query_value("bytes").value_or("0")), 'b');
        } else {
            answer.body = request.method + " " + request.body;
        }
        co_return answer;
    }

private:
    std::atomic<bool>& x_released;
};

class Commands final : public WebSocketHandler {
public:
    Commands(WebSocket& socket, Events& events) : x_socket(socket), x_events(events) {}
    void on_text(std::string_view text) override {
        if (text == "close") return x_socket.close(CloseCode::bad_token, "as told");
        if (text.starts_with("pause ")) x_looks = std::atoi(text.data() + 6);
        if (text == "queued")
            return x_socket.send(make_text_frame(std::to_string(x_socket.queued_bytes())));
        if (text.starts_with("flood ")) return flood(std::atoi(text.data() + 6));
        x_events.add("text " + std::string(text.substr(0, 100)));
        x_socket.send(make_text_frame(text));
        if (text == "both") x_socket.close(CloseCode::bad_token, "as told");
    }
    std::chrono::milliseconds on_received(std::size_t bytes) override {
        if (bytes == 0) x_events.add("looked");
        if (x_looks == 0 || (bytes == 0 && --x_looks == 0)) return {};
        return std::chrono::milliseconds(1);
    }
    void on_closed(CloseCode code) override {
        x_socket.send(make_text_frame("too late"));
        x_socket.close(CloseCode::normal, "too late");
        x_events.add("closed " + std::to_string(static_cast<int>(code)));
    }

private:
    void flood(int frames) {
        const FrameRef frame = make_text_frame(std::string(4096, 'f'));
        for (int i = 0; i < frames; ++i) x_socket.send(frame);
    }
    WebSocket& x_socket;
    Events& x_events;
    int x_looks = 0; // until it is read again
};

class TestServer::Sockets final : public WebSocketAcceptor {
public:
    explicit Sockets(Events& events) : x_events(events) {}
    Verdict on_handshake(const HttpRequest& request) override {
        Verdict verdict;
        verdict.later = request.path.starts_with("/ws/ask");
        if (verdict.later) return verdict;
        return decide_on(request);
    }
    Task<Verdict> decide(HttpRequest request) override {
        x_events.add("asked");
        co_return decide_on(request);
    }
    bool serves(std::string_view path) const override { return path.starts_with("/ws"); }

private:
    Verdict decide_on(const HttpRequest& request) {
        Verdict verdict;
        if (request.path.ends_with("/refuse")) {
            verdict.refusal.emplace();
            verdict.refusal->status = 403;
            return verdict;
        }
        if (!request.header("sec-websocket-protocol").empty()) verdict.subprotocol = "parley.v1";
        const bool late = request.path == "/ws/late";
        verdict.open = [this, late](WebSocket& socket) {
            x_events.add("open " + socket.peer_address());
            if (late) socket.close(CloseCode::bad_token, "late");
            return std::make_unique<Commands>(socket, x_events);
        };
        return verdict;
    }
    Events& x_events;
};

TestServer::TestServer(ServerSettings settings, std::size_t cores)
    : x_sockets(std::make_unique<Sockets>(events)) {
    std::signal(SIGPIPE, SIG_IGN);
    settings.port = 0;
    std::vector<Core*> borrowed;
    std::vector<CoreHandlers> handlers;
    for (std::size_t i = 0; i < cores; ++i) {
        x_cores.push_back(std::make_unique<Core>(static_cast<std::uint16_t>(i)));
        x_http.push_back(std::make_unique<Http>(x_released));
        borrowed.push_back(x_cores.back().get());
        handlers.push_back({x_http.back().get(), x_sockets.get()});
    }
    x_server = std::make_unique<Server>(settings, borrowed, handlers, x_log, metrics);
    x_gate = std::make_unique<Gate>(x_cores[0]->io().get_executor());
    x_server->start();
    for (auto& core : x_cores) x_threads.emplace_back([core = core.get()] { core->run(); });
}

TestServer::~TestServer() {
    for (auto& core : x_cores) core->stop();
    for (auto& thread : x_threads) thread.join();
    x_gate->abandon();
    x_server.reset();
}

void TestServer::drain(std::chrono::milliseconds time) {
    std::promise<void> done;
    const auto deadline = std::chrono::steady_clock::now() + time;
    x_cores[0]->post([&] {
        auto drain = [](Server& server, Time until, std::promise<void>& p) -> Task<void> {
            co_await server.drain(until);
            p.set_value();
        };
        x_gate->spawn(drain(*x_server, deadline, done));
    });
    done.get_future().get();
}

void TestServer::stop_accepting() {
    std::promise<void> done;
    x_cores[0]->post([&] {
        x_server->stop_accepting();
        done.set_value();
    });
    done.get_future().get();
}

std::int64_t TestServer::metric(const std::string& name_and_labels) {
    const std::string page = "\n" + metrics.render();
    const std::size_t at = page.find("\n" + name_and_labels + " ");
    if (at == std::string::npos) return -1;
    return std::atoll(page.c_str() + at + name_and_labels.size() + 2);
}

// --- client
// ----------------------------------------------------------------------------------------

const char* const kHandshakeHeaders = "Host: localhost\r\nUpgrade: websocket\r\n"
                                      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

bool Answer::has(const std::string& header_line) const {
    return head.find("\r\n" + header_line + "\r\n") != std::string::npos;
}

int WsFrame::close_code() const {
    if (opcode != 8 || payload.size() < 2) return opcode == 8 ? 1005 : -1;
    return static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
}

std::string masked_frame(int opcode, std::string_view payload, bool final) {
    std::string out(1, static_cast<char>((final ? 0x80 : 0) | opcode));
    const std::size_t size = payload.size();
    const int length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
    out += static_cast<char>(0x80 | (length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127));
    for (int i = length_bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
    const std::string mask = "\x12\xF0\x01\x88";
    out += mask;
    for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
    return out;
}

TestClient::TestClient(std::uint16_t port, Transport transport, int receive_buffer)
    : x_socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer)
        ::setsockopt(x_socket, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(x_socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(x_socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(x_socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        ADD_FAILURE() << "connect: " << std::strerror(errno);
    if (transport == Transport::plain) return;
    x_context = SSL_CTX_new(TLS_client_method());
    x_tls = SSL_new(x_context);
    SSL_set_fd(x_tls, x_socket);
    EXPECT_EQ(SSL_connect(x_tls), 1);
}

TestClient::~TestClient() {
    SSL_free(x_tls);
    SSL_CTX_free(x_context);
    if (x_socket >= 0) ::close(x_socket);
}

void TestClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = x_tls ? SSL_write(x_tls, bytes.data(), static_cast<int>(bytes.size()))
                                : ::send(x_socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return; // the server has ended; reading will show it
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

void TestClient::shut_down_writing() { ::shutdown(x_socket, SHUT_WR); }

void TestClient::reset() {
    const linger none{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(x_socket, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    ::close(std::exchange(x_socket, -1));
}

bool TestClient::fill() {
    char buffer[16 * 1024];
    const ssize_t n =
        x_tls ? SSL_read(x_tls, buffer, sizeof buffer) : ::recv(x_socket, buffer, sizeof buffer, 0);
    if (n < 0 && !x_tls && (errno == EAGAIN || errno == EWOULDBLOCK))
        ADD_FAILURE() << "the server is silent";
    if (n <= 0) return false;
    x_in.append(buffer, static_cast<std::size_t>(n));
    return true;
}

bool TestClient::ended() {
    while (fill()) {
    }
    return true;
}

Answer TestClient::read_answer(bool head_only) {
    std::size_t end;
    while ((end = x_in.find("\r\n\r\n")) == std::string::npos)
        if (!fill()) return {};
    Answer answer;
    answer.head = x_in.substr(0, end + 2);
    answer.status = std::atoi(x_in.c_str() + 9);
    x_in.erase(0, end + 4);
    const std::size_t at = answer.head.find("\r\nContent-Length: ");
    if (head_only || at == std::string::npos) return answer;
    const std::size_t size = std::stoul(answer.head.substr(at + 18));
    while (x_in.size() < size)
        if (!fill()) return {};
    answer.body = x_in.substr(0, size);
    x_in.erase(0, size);
    return answer;
}

Answer TestClient::get(const std::string& target) {
    send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return read_answer();
}

bool TestClient::open(const std::string& target, const std::string& extra_headers) {
    send("GET " + target + " HTTP/1.1\r\n" + kHandshakeHeaders + extra_headers + "\r\n");
    return read_answer().status == 101;
}

void TestClient::send_frame(int opcode, std::string_view payload, bool final) {
    send(masked_frame(opcode, payload, final));
}

WsFrame TestClient::read_frame() {
    const auto need = [this](std::size_t size) {
        while (x_in.size() < size)
            if (!fill()) return false;
        return true;
    };
    if (!need(2)) return {};
    const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(x_in[i]); };
    EXPECT_EQ(byte(0) & 0xB0, 0x80) << "the server does not fragment";
    EXPECT_LT(byte(1), 128) << "the server does not mask";
    const std::size_t length_bytes = byte(1) < 126 ? 0 : byte(1) == 126 ? 2 : 8;
    if (!need(2 + length_bytes)) return {};
    std::size_t size = length_bytes ? 0 : byte(1);
    for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8 | byte(2 + i);
    if (!need(2 + length_bytes + size)) return {};
    WsFrame frame{byte(0) & 0x0F, x_in.substr(2 + length_bytes, size), (byte(0) & 0x40) != 0};
    x_in.erase(0, 2 + length_bytes + size);
    return frame;
}

WsFrame TestClient::read_message() {
    for (;;) {
        WsFrame frame = read_frame();
        if (frame.opcode != 9) return frame;
    }
}

// --- certificate
// -----------------------------------------------------------------------------------

namespace {
std::string temporary_file(const std::function<void(FILE*)>& write) {
    char name[] = "/tmp/parley-net-XXXXXX";
    FILE* file = ::fdopen(::mkstemp(name), "w");
    write(file);
    std::fclose(file);
    return name;
}
} // namespace

Certificate::Certificate() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* x509 = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    X509_NAME* name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(x509, name);
    X509_sign(x509, key, EVP_sha256());
    certificate_file = temporary_file([&](FILE* file) { PEM_write_X509(file, x509); });
    key_file = temporary_file([&](FILE* file) {
        PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
    X509_free(x509);
    EVP_PKEY_free(key);
}

Certificate::~Certificate() {
    ::unlink(certificate_file.c_str());
    ::unlink(key_file.c_str());
}

} // namespace parley::net::testing
