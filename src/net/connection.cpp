#include "net/connection.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "net/net_loop.hpp"

#include <algorithm>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace parley::net {

Connection::Connection(NetLoop& loop, int socket, ssl_st* tls, ConnectionId id)
    : x_loop(loop), x_tls(tls), x_id(id), x_socket(socket) {}

Connection::~Connection() { PARLEY_ASSERT(dead()); }

void Connection::speak(std::unique_ptr<Protocol> protocol) {
    if (x_protocol) x_loop.retire(std::move(x_protocol));
    x_protocol = std::move(protocol);
    schedule();
}

void Connection::enqueue(const FrameRef& frame) {
    if (dead() || x_shut_down) return;
    x_queue.push(frame);
    if (x_dirty || x_blocked) return;
    x_dirty = true;
    x_loop.mark_dirty(*this);
}

void Connection::enqueue_file(std::shared_ptr<const FileBody> file) {
    if (dead() || x_shut_down) return;
    PARLEY_ASSERT(!x_file);
    x_file = std::move(file);
    x_file_at = x_file->offset();
    x_file_left = x_file->size();
    if (x_dirty || x_blocked) return;
    x_dirty = true;
    x_loop.mark_dirty(*this);
}

IoResult Connection::write_some_of_file() {
    if (!x_tls) return file_write(x_socket, x_file->descriptor(), x_file_at, x_file_left);
    // Written again after `again`, these are the same bytes: a file's are never changed.
    const std::span<char> scratch = x_loop.scratch().first(NetLoop::kTlsRecordBytes);
    const std::size_t size = std::min<std::uint64_t>(scratch.size(), x_file_left);
    const ssize_t read =
        ::pread(x_file->descriptor(), scratch.data(), size, static_cast<off_t>(x_file_at));
    if (read != static_cast<ssize_t>(size)) return {IoResult::State::failed};
    return tls_write(x_tls, {scratch.data(), size});
}

// A part of it each turn, so that others have theirs.
IoResult::State Connection::write_file() {
    std::uint64_t written = 0;
    while (x_file_left > 0) {
        if (written >= limits::kFileBytesPerTurn) {
            x_dirty = true;
            x_loop.flush_next_turn(*this);
            return IoResult::State::again;
        }
        const IoResult result = write_some_of_file();
        if (result.state != IoResult::State::done) return result.state;
        x_loop.count_write(result.bytes);
        written += result.bytes;
        x_file_at += result.bytes;
        x_file_left -= result.bytes;
        x_stalled_since = x_loop.now();
        if (x_finishing) x_finish_by = x_loop.now() + x_loop.settings().timeouts.close;
    }
    x_file.reset();
    return IoResult::State::done;
}

void Connection::on_events(std::uint32_t events) {
    if (dead()) return;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) x_hung_up = true;
    if (x_paused && events & (EPOLLHUP | EPOLLERR)) return cut(Cut::gently);
    if (x_blocked && (events & EPOLLOUT || x_tls)) {
        flush();
        if (dead()) return;
    }
    if (events & ~static_cast<std::uint32_t>(EPOLLOUT) || x_tls) read();
}

void Connection::resume_reading() {
    if (!x_paused) return;
    x_paused = false;
    if (!dead()) x_loop.read_later(*this, NetLoop::When::this_turn);
}

void Connection::read() {
    if (x_turn != x_loop.turn()) {
        x_turn = x_loop.turn();
        x_read_in_turn = 0;
    }
    while (!dead() && !x_paused && !x_ended) {
        if (x_read_in_turn >= limits::kReadBytesPerTurn)
            return x_loop.read_later(*this, NetLoop::When::next_turn);
        const std::span<char> buffer = x_loop.read_buffer();
        const IoResult result = x_tls ? tls_read(x_tls, buffer) : plain_read(x_socket, buffer);
        switch (result.state) {
        case IoResult::State::done:
            break;
        case IoResult::State::again:
            return;
        case IoResult::State::ended:
            return on_read_end();
        case IoResult::State::failed:
            return cut(Cut::gently);
        }
        x_read_in_turn += static_cast<std::uint32_t>(result.bytes);
        if (!x_finishing) x_protocol->on_bytes(buffer.first(result.bytes));
        // A short read took all there was; the next bytes make a new edge.
        if (result.bytes < buffer.size() && !x_tls && !x_hung_up) return;
    }
}

void Connection::on_read_end() {
    x_ended = true;
    if (!x_finishing)
        x_protocol->on_end();
    else if (x_shut_down)
        cut(Cut::gently);
}

IoResult Connection::write_some() {
    if (x_tls) {
        const std::span<char> scratch = x_loop.scratch().first(NetLoop::kTlsRecordBytes);
        x_committed = x_queue.copy(scratch);
        const IoResult result = tls_write(x_tls, {scratch.data(), x_committed});
        if (result.state == IoResult::State::done) x_committed = 0;
        return result;
    }
    OutboundQueue::Parts parts;
    x_queue.gather(x_loop.scratch(), parts);
    return plain_write(x_socket, {parts.list.data(), parts.count});
}

IoResult::State Connection::write_out() {
    while (!x_queue.empty()) {
        const IoResult result = write_some();
        x_loop.count_write(result.bytes);
        if (result.state == IoResult::State::done) {
            x_queue.consume(result.bytes);
            x_stalled_since = x_loop.now();
            continue;
        }
        if (result.state == IoResult::State::again && !x_blocked) {
            x_blocked = true;
            x_stalled_since = x_loop.now();
            schedule();
        }
        return result.state;
    }
    if (x_file) {
        const IoResult::State state = write_file();
        const bool waits = state == IoResult::State::again && !x_dirty;
        if (waits && !x_blocked) {
            x_stalled_since = x_loop.now();
            x_blocked = true;
            schedule();
        }
        if (!waits) x_blocked = false;
        return state;
    }
    x_blocked = false;
    return IoResult::State::done;
}

void Connection::relieve() {
    if (!dead() && !x_blocked) write_out();
}

void Connection::flush() {
    x_dirty = false;
    switch (write_out()) {
    case IoResult::State::done:
        return on_flushed();
    case IoResult::State::again:
        return;
    case IoResult::State::ended:
    case IoResult::State::failed:
        return cut(Cut::gently);
    }
}

void Connection::on_flushed() {
    if (!x_finishing) return x_protocol->on_drained();
    if (x_shut_down) return;
    x_shut_down = true;
    if (x_ended) return cut(Cut::gently);
    if (x_tls) TlsContext::shut_down(x_tls);
    ::shutdown(x_socket, SHUT_WR);
}

void Connection::finish() {
    if (dead() || x_finishing) return;
    x_finishing = true;
    x_paused = false;
    x_finish_by = x_loop.now() + x_loop.settings().timeouts.close;
    schedule();
    if (!x_dirty && !x_blocked) {
        x_dirty = true;
        x_loop.mark_dirty(*this);
    }
    x_loop.read_later(*this, NetLoop::When::this_turn);
}

void Connection::cut(Cut how) {
    if (dead()) return;
    if (how == Cut::reset) {
        const linger none{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(x_socket, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
    Entry::cancel();
    if (x_tls) TlsContext::free(x_tls);
    x_tls = nullptr;
    ::close(x_socket);
    x_socket = -1;
    x_file.reset();
    x_loop.probe().dropped.add(x_queue.frames());
    x_loop.bury(*this);
    if (!std::exchange(x_finishing, true)) x_protocol->on_gone();
}

void Connection::schedule() {
    if (dead()) return;
    Time due = x_finishing ? x_finish_by : x_protocol->deadline();
    if (x_blocked) due = std::min(due, x_stalled_since + x_loop.settings().timeouts.write_stall);
    if (due == Time::max()) return Entry::cancel();
    x_loop.wheel().arm(*this, due);
}

void Connection::on_timer() {
    const Time now = x_loop.now();
    if (x_blocked && now >= x_stalled_since + x_loop.settings().timeouts.write_stall) {
        if (!x_finishing) x_protocol->on_stalled();
        return cut(Cut::reset);
    }
    if (x_finishing) {
        if (now >= x_finish_by) return cut(x_queue.empty() ? Cut::gently : Cut::reset);
    } else {
        x_protocol->on_deadline(now);
    }
    schedule();
}

} // namespace parley::net
