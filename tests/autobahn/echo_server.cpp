// A WebSocket echo server over parley_net, for Autobahn: echo_server PORT. Prints the port that it
// listens on and runs until its standard input ends. Limits are those that Autobahn's group 9
// needs.
#include "net/server.hpp"
#include "net/ws_codec.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

namespace {

using namespace parley;

class Echo final : public net::WebSocketHandler {
public:
    explicit Echo(net::WebSocket& socket) : x_socket(socket) {}
    void on_text(std::string_view text) override { x_socket.send(net::make_text_frame(text)); }
    void on_binary(std::string_view bytes) override {
        x_socket.send(net::make_frame(net::Opcode::binary, bytes));
    }
    void on_closed(net::CloseCode) override {}

private:
    net::WebSocket& x_socket;
};

class Acceptor final : public net::WebSocketAcceptor {
public:
    Verdict on_handshake(const net::HttpRequest&) override {
        return {.refusal = {}, .subprotocol = {}, .open = [](net::WebSocket& socket) {
                    return std::make_unique<Echo>(socket);
                }};
    }
    bool serves(std::string_view path) const override { return path != "/healthz"; }
};

// Nginx asks a node whether it lives before it hands it a socket.
class Alive final : public net::HttpHandler {
public:
    Task<net::HttpResponse> handle(net::HttpRequest) override { co_return net::HttpResponse(); }
};

} // namespace

int main(int argc, char** argv) try {
    std::signal(SIGPIPE, SIG_IGN);
    constexpr std::size_t kMegabyte = 1024 * 1024;
    net::ServerSettings settings;
    settings.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
    settings.message_bytes_max = 16 * kMegabyte;
    settings.fragments_max = kMegabyte;
    settings.outbound_bytes_max = 64 * kMegabyte;
    settings.binary_messages = true;
    settings.deflate = true;
    SilentLogger log;
    Metrics metrics;
    Core core(0);
    Acceptor acceptor;
    Alive alive;
    net::Server server(settings, {&core}, {{&alive, &acceptor}}, log, metrics);
    server.start();
    std::printf("%u\n", server.port());
    std::fflush(stdout);
    std::thread stopper([&core] {
        while (std::getchar() != EOF) {
        }
        core.stop();
    });
    core.run();
    stopper.join();
    return 0;
} catch (const std::exception& failure) {
    std::fprintf(stderr, "echo_server: %s\n", failure.what());
    return 1;
}
