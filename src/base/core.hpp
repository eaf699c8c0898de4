// Core: one thread with one event loop. A connection lives on one core; a room has a home core;
// cores talk by posting values.
//
// One turn of the loop: wait for the first event, then handle everything that is ready (at most
// limits::kPollsPerTurn rounds), and only then run the turn-end hooks, in the order in which they
// were added: drafts go to the log, outbound queues are flushed. Acting at the end of a turn is
// what lets several messages share one commit and one system call.
//
// Threading: post() from any thread; everything else on the core's own thread, or before run().
// Owner: app/wiring. Shutdown: stop() from any thread makes run() return after the current turn;
// handlers that are still queued are destroyed with the Core, after every object that uses it.
#pragma once

#include "base/assert.hpp"
#include "base/limits.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

namespace parley {

// Something that can be asked for ready events without waiting (the WebSocket poller).
class PollSource {
public:
    // Handles what is ready now and returns how many events that were.
    virtual std::size_t poll() = 0;

protected:
    ~PollSource() = default;
};

class TurnEnd {
public:
    virtual void on_turn_end() = 0;

protected:
    ~TurnEnd() = default;
};

class Core {
public:
    explicit Core(std::uint16_t index) : x_index(index), x_io(1) {}
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    std::uint16_t index() const { return x_index; }
    boost::asio::io_context& io() { return x_io; }
    bool is_current() const {
        return x_thread.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

    template <class Function>
    void post(Function&& function) {
        boost::asio::post(x_io, std::forward<Function>(function));
    }

    void add(PollSource& source) { x_sources.push_back(&source); }
    void add(TurnEnd& hook) { x_turn_ends.push_back(&hook); }
    void remove(PollSource& source) { std::erase(x_sources, &source); }
    void remove(TurnEnd& hook) { std::erase(x_turn_ends, &hook); }

    // Runs turns on the calling thread until stop().
    void run();
    void stop();

private:
    const std::uint16_t x_index;
    boost::asio::io_context x_io;
    std::vector<PollSource*> x_sources;
    std::vector<TurnEnd*> x_turn_ends;
    std::atomic<std::thread::id> x_thread{};
    std::atomic<bool> x_stopping{false};
};

} // namespace parley
