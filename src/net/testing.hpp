// For net's tests: a server with real sockets on loopback, and a plain client without any of its
// code.
#pragma once

#include "base/core.hpp"
#include "base/gate.hpp"
#include "net/server.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace parley::net::testing {

// What the WebSocket handlers of a test saw; any thread.
class Events {
public:
    void add(const std::string& event);
    // Waits up to ten seconds for `event` to have come `times` times.
    bool saw(const std::string& event, int times = 1);
    int count(const std::string& event);

private:
    std::mutex x_mutex;
    std::condition_variable x_changed;
    std::map<std::string, int> x_counts;
};

// GET /hello, /throw, /never (no answer), /peer, /big?bytes=N; any other: the method and the body
// back. WebSocket at /ws: text comes back, and some texts are commands:
//   "close"     closes with 4500        "flood N"   sends N frames of 4 KB
//   "both"      answers, then closes    "queued"    answers with queued_bytes()
//   "pause N"   is read no more once more has come, until that was asked N times
// /ws/late closes with 4500 as soon as it is open; /ws/refuse answers 403. /ws/ask... does the same
// as /ws..., but only decide() knows.
class TestServer {
public:
    explicit TestServer(ServerSettings settings = {}, std::size_t cores = 1);
    ~TestServer();

    std::uint16_t port() const { return x_server->port(); }
    Events events;
    Metrics metrics;
    // Runs drain() with that long to go and waits for it.
    void drain(std::chrono::milliseconds time);
    void stop_accepting();
    // Lets the requests to /never go on.
    void release() { x_released.store(true); }
    // The value of a line of the metrics page; -1 when it is not there.
    std::int64_t metric(const std::string& name_and_labels);

private:
    class Http;
    class Sockets;

    SilentLogger x_log;
    std::atomic<bool> x_released{false};
    std::vector<std::unique_ptr<Core>> x_cores;
    std::vector<std::unique_ptr<Http>> x_http;
    std::unique_ptr<Sockets> x_sockets;
    std::unique_ptr<Server> x_server;
    std::unique_ptr<Gate> x_gate;
    std::vector<std::thread> x_threads;
};

struct Answer {
    int status = 0; // 0: the connection ended before one came
    std::string head;
    std::string body;
    bool has(const std::string& header_line) const;
};

struct WsFrame {
    int opcode = -1; // -1: the connection ended
    std::string payload;
    bool compressed = false; // RSV1
    int close_code() const;
};

// A blocking client; reads give up after ten seconds and fail the test.
class TestClient {
public:
    enum class Transport { plain, tls };
    explicit TestClient(std::uint16_t port, Transport transport = Transport::plain,
                        int receive_buffer = 0);
    ~TestClient();
    TestClient(const TestClient&) = delete;
    TestClient& operator=(const TestClient&) = delete;

    int socket() const { return x_socket; }
    void send(std::string_view bytes);
    void shut_down_writing();
    void reset(); // closes with RST
    Answer read_answer(bool head_only = false);
    Answer get(const std::string& target);
    bool ended(); // reads on until the peer has ended

    // The opening handshake; false when it was not answered with 101.
    bool open(const std::string& target, const std::string& extra_headers = {});
    void send_frame(int opcode, std::string_view payload, bool final = true);
    void send_text(std::string_view text) { send_frame(1, text); }
    WsFrame read_frame();
    // The next frame that is no ping.
    WsFrame read_message();

private:
    bool fill();
    int x_socket;
    SSL_CTX* x_context = nullptr;
    SSL* x_tls = nullptr;
    std::string x_in;
};

std::string masked_frame(int opcode, std::string_view payload, bool final = true);
extern const char* const kHandshakeHeaders;

// A self-signed certificate and its key as files, gone with the object.
class Certificate {
public:
    Certificate();
    ~Certificate();
    std::string certificate_file, key_file;
};

} // namespace parley::net::testing
