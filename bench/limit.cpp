// parley_limit: what this machine's kernel permits. One thread and one epoll, no JSON, no storage,
// no accounts: every text frame goes to all connections of its room, which is the path of the
// handshake. Everything that a chat server does beyond this is its own cost.
//
//   parley_limit --port P [--coalesce] [--drop-every N | --double-every N]
//
// --coalesce: the frames of one turn of the loop reach each recipient in one send(). --drop-every
// and
// --double-every spoil deliveries on purpose, to show that the loader notices.
#include "wire.hpp"

#include <CLI/CLI.hpp>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {

using namespace parley::bench;

constexpr std::size_t kBacklogBytes = 64u << 20; // a recipient that far behind is cut
constexpr std::size_t kHandshakeBytes = 16 * 1024;
constexpr std::size_t kFrameBytes = 1u << 20;

struct Room;

struct Peer {
    int descriptor = -1;
    Room* room = nullptr; // once the handshake is over
    std::size_t place = 0;
    bool gone = false;
    // Only while there is something to keep, so that an idle peer owns no buffer.
    std::unique_ptr<std::string> partial, unsent;
};

struct Room {
    std::vector<Peer*> peers;
    std::string waiting; // frames of this turn, ready to send
};

class LimitServer {
public:
    struct Settings {
        std::uint16_t port = 0;
        bool coalesce = false;
        std::uint64_t drop_every = 0, double_every = 0;
    };
    explicit LimitServer(const Settings& settings) : x_settings(settings) {}
    int run(const volatile std::sig_atomic_t& stop);

private:
    bool listen();
    void accept_all();
    void read(Peer& peer, bool to_the_end);
    bool take(Peer& peer, std::string_view bytes);
    bool upgrade(Peer& peer, std::string_view head);
    void broadcast(Room& room, const FrameHead& head, const char* payload);
    void flush_rooms();
    void put_to_all(Room& room);
    void put(Peer& peer, std::string_view bytes);
    void flush(Peer& peer);
    void drop(Peer& peer);

    const Settings x_settings;
    int x_epoll = -1, x_listener = -1;
    std::unordered_map<std::string, std::unique_ptr<Room>> x_rooms;
    std::vector<Room*> x_waiting;
    std::vector<std::unique_ptr<Peer>> x_buried;
    std::array<char, 256 * 1024> x_buffer{};
    std::uint64_t x_deliveries = 0;
};

std::string accept_key(std::string_view key) {
    std::string text(key);
    text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::string out(28, '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), digest.data(), SHA_DIGEST_LENGTH);
    return out;
}

bool LimitServer::listen() {
    x_listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(x_listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(x_settings.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(x_listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(x_listener, 4096) != 0 ||
        getsockname(x_listener, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        return false;
    x_epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(x_epoll, EPOLL_CTL_ADD, x_listener, &event);
    std::printf("ws://127.0.0.1:%u\n", ntohs(address.sin_port));
    std::fflush(stdout);
    return true;
}

void LimitServer::accept_all() {
    for (;;) {
        const int descriptor = accept4(x_listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) return;
        const int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto* peer = new Peer; // freed through x_buried
        peer->descriptor = descriptor;
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        event.data.ptr = peer;
        epoll_ctl(x_epoll, EPOLL_CTL_ADD, descriptor, &event);
    }
}

void LimitServer::drop(Peer& peer) {
    if (peer.gone) return;
    peer.gone = true;
    close(peer.descriptor);
    if (peer.room) {
        auto& peers = peer.room->peers;
        peers[peer.place] = peers.back();
        peers[peer.place]->place = peer.place;
        peers.pop_back();
    }
    x_buried.emplace_back(&peer);
}

void LimitServer::put(Peer& peer, std::string_view bytes) {
    if (!peer.unsent) {
        const ssize_t sent =
            send(peer.descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent == static_cast<ssize_t>(bytes.size())) return;
        if (sent < 0 && errno != EAGAIN) return; // the reading side notices
        peer.unsent = std::make_unique<std::string>(bytes.substr(sent < 0 ? 0 : std::size_t(sent)));
        return;
    }
    if (peer.unsent->size() + bytes.size() > kBacklogBytes)
        shutdown(peer.descriptor, SHUT_RDWR);
    else
        peer.unsent->append(bytes);
}

void LimitServer::flush(Peer& peer) {
    if (!peer.unsent) return;
    const ssize_t sent = send(peer.descriptor, peer.unsent->data(), peer.unsent->size(),
                              MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == static_cast<ssize_t>(peer.unsent->size()))
        peer.unsent.reset();
    else if (sent > 0)
        peer.unsent->erase(0, static_cast<std::size_t>(sent));
}

bool LimitServer::upgrade(Peer& peer, std::string_view head) {
    constexpr std::string_view kHeader = "Sec-WebSocket-Key: ";
    const std::size_t key = head.find(kHeader);
    const std::size_t path = head.find(' ');
    const std::size_t path_end = head.find(' ', path + 1);
    if (key == std::string_view::npos || path_end == std::string_view::npos) return false;
    const std::size_t key_start = key + kHeader.size();
    put(peer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: " +
                  accept_key(head.substr(key_start, head.find('\r', key_start) - key_start)) +
                  "\r\n\r\n");
    auto& room = x_rooms[std::string(head.substr(path + 1, path_end - path - 1))];
    if (!room) room = std::make_unique<Room>();
    peer.room = room.get();
    peer.place = room->peers.size();
    room->peers.push_back(&peer);
    return true;
}

void LimitServer::broadcast(Room& room, const FrameHead& head, const char* payload) {
    if (room.waiting.empty()) x_waiting.push_back(&room);
    char bytes[10];
    const std::size_t head_bytes = write_frame_head(bytes, Opcode::text, head.payload_bytes, false);
    const std::size_t start = room.waiting.size();
    room.waiting.resize(start + head_bytes + head.payload_bytes);
    std::memcpy(room.waiting.data() + start, bytes, head_bytes);
    apply_mask(payload, room.waiting.data() + start + head_bytes, head.payload_bytes, head.mask);
    if (!x_settings.coalesce) flush_rooms();
}

void LimitServer::put_to_all(Room& room) {
    if (x_settings.drop_every == 0 && x_settings.double_every == 0) {
        for (Peer* peer : room.peers) put(*peer, room.waiting);
        return;
    }
    for (Peer* peer : room.peers) {
        ++x_deliveries;
        if (x_settings.drop_every != 0 && x_deliveries % x_settings.drop_every == 0) continue;
        put(*peer, room.waiting);
        if (x_settings.double_every != 0 && x_deliveries % x_settings.double_every == 0)
            put(*peer, room.waiting);
    }
}

void LimitServer::flush_rooms() {
    for (Room* room : x_waiting) {
        put_to_all(*room);
        room->waiting.clear();
    }
    x_waiting.clear();
}

// False: the connection is over.
bool LimitServer::take(Peer& peer, std::string_view bytes) {
    const bool kept = peer.partial != nullptr;
    if (kept) {
        peer.partial->append(bytes);
        bytes = *peer.partial;
    }
    std::size_t used = 0;
    if (!peer.room) {
        const std::size_t end = bytes.find("\r\n\r\n");
        if (end == std::string_view::npos) {
            if (!kept) peer.partial = std::make_unique<std::string>(bytes);
            return bytes.size() <= kHandshakeBytes;
        }
        used = end + 4;
        if (!upgrade(peer, bytes.substr(0, end))) return false;
    }
    FrameHead head;
    while (read_frame_head(bytes.substr(used), head)) {
        if (head.payload_bytes > kFrameBytes || head.opcode == Opcode::close) return false;
        if (bytes.size() - used < head.head_bytes + head.payload_bytes) break;
        if (head.opcode == Opcode::text)
            broadcast(*peer.room, head, bytes.data() + used + head.head_bytes);
        used += head.head_bytes + head.payload_bytes;
    }
    if (used == bytes.size())
        peer.partial.reset();
    else if (kept)
        peer.partial->erase(0, used);
    else
        peer.partial = std::make_unique<std::string>(bytes.substr(used));
    return true;
}

void LimitServer::read(Peer& peer, bool to_the_end) {
    for (;;) {
        const ssize_t got = recv(peer.descriptor, x_buffer.data(), x_buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0 || !take(peer, {x_buffer.data(), static_cast<std::size_t>(got)}))
            return drop(peer);
        if (static_cast<std::size_t>(got) < x_buffer.size() && !to_the_end) return;
    }
}

int LimitServer::run(const volatile std::sig_atomic_t& stop) {
    if (!listen()) {
        std::perror("parley_limit: listen");
        return 1;
    }
    std::array<epoll_event, 1024> events{};
    while (!stop) {
        const int count = epoll_wait(x_epoll, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            auto* peer = static_cast<Peer*>(event.data.ptr);
            if (!peer) {
                accept_all();
                continue;
            }
            if (peer->gone) continue;
            const std::uint32_t ended = event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
            if (event.events & EPOLLOUT) flush(*peer);
            if ((event.events & EPOLLIN) || ended) read(*peer, ended != 0);
        }
        flush_rooms();
        x_buried.clear();
    }
    return 0;
}

volatile std::sig_atomic_t g_stop = 0;

} // namespace

int main(int argc, char** argv) {
    LimitServer::Settings settings;
    unsigned seconds = 3600;
    CLI::App app("The machine's own ceiling for WebSocket fan-out over loopback");
    app.add_option("--port", settings.port, "port on 127.0.0.1, 0 for any free one");
    app.add_flag("--coalesce", settings.coalesce, "one send per recipient and turn");
    app.add_option("--drop-every", settings.drop_every, "fault: every Nth delivery is dropped");
    app.add_option("--double-every", settings.double_every, "fault: every Nth is sent twice");
    app.add_option("--seconds", seconds, "ends by itself after this time");
    CLI11_PARSE(app, argc, argv);
    rlimit descriptors{};
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
        descriptors.rlim_cur = descriptors.rlim_max;
        setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    struct sigaction action{};
    action.sa_handler = [](int) { g_stop = 1; };
    for (const int signal : {SIGTERM, SIGINT, SIGALRM}) sigaction(signal, &action, nullptr);
    alarm(seconds);
    auto server = std::make_unique<LimitServer>(settings);
    return server->run(g_stop);
}
