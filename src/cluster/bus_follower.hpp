// BusFollower: the bus as the feed of this process's rooms. Events and answers become outcomes and
// go the way that the outcomes of a log in this process go; what is transient is told as it comes.
//
// An event may come twice: as its room's event and as the answer to who sent it. Whichever is first
// takes the sender's place from PendingAnswers; RoomHome knows the other one by its id.
//
// Threading: the bus's thread calls it as a listener; as a feed it is called on any core. Owner:
// app. Shutdown: after the bus has stopped.
#pragma once

#include "base/log.hpp"
#include "cluster/remote_log.hpp"
#include "ports/bus.hpp"
#include "protocol/log/codec.hpp"
#include "protocol/log/trace.hpp"
#include "service/rooms.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace parley::cluster {

class BusFollower final : public ports::BusListener, public service::RoomFeed {
public:
    using Heads =
        std::function<Task<Result<std::vector<model::EventId>>>(std::vector<model::RoomId>)>;

    BusFollower(std::string node, ports::Bus& bus, PendingAnswers& pending, Heads heads,
                Logger& log, Metrics& metrics);
    // Before the bus starts.
    void meet(RemoteLog& log, ports::OutcomeSink& sink, std::vector<service::Rooms*> rooms);
    // Sessions that other processes have ended: before start(). Called on the first core.
    void on_ended(std::function<void(model::SessionId)> listener) {
        x_on_ended = std::move(listener);
    }
    void tell_ended(model::SessionId session);
    // Subscribes to what concerns the whole process.
    void start();

    // --- the bus
    void on_bus_messages(std::vector<ports::BusMessage> messages) override;
    void on_bus_state(bool connected) override;
    void on_subscribed(const std::string& channel) override;

    // --- the feed
    Task<void> follow(model::RoomId room) override;
    void unfollow(model::RoomId room) override;
    bool connected() const override { return x_bus.connected(); }
    Task<Result<std::vector<model::EventId>>> heads(std::vector<model::RoomId> rooms) override {
        return x_heads(std::move(rooms));
    }
    void tell(service::Transient transient) override;
    Task<std::vector<service::NodeTrace>> ask_trace(model::EventId event) override;
    std::optional<ports::Origin> claim(const model::Event& event) override;

private:
    using Timer = boost::asio::steady_timer;
    struct Followed {
        bool stands = false;
        std::vector<std::weak_ptr<Timer>> waiters; // ended by a cancel; owned by who waits
    };
    void on_event(std::string_view record, std::vector<ports::Outcome>& outcomes);
    void on_answers(std::string_view list, std::vector<ports::Outcome>& outcomes);
    void on_transient(std::string_view record);
    void on_trace_asked(const protocol::log::TransientRecord& record);
    void on_trace_told(protocol::log::TransientRecord record);
    Task<void> tell_trace(std::string asker, protocol::log::TraceQuestion question);
    void damaged(const Error& error);
    static void wake(std::vector<std::weak_ptr<Timer>> waiters);

    const std::string x_node;
    ports::Bus& x_bus;
    PendingAnswers& x_pending;
    const Heads x_heads;
    Logger& x_logger;
    RemoteLog* x_log = nullptr;
    ports::OutcomeSink* x_sink = nullptr;
    std::vector<service::Rooms*> x_rooms;
    std::function<void(model::SessionId)> x_on_ended;
    std::mutex x_mutex;
    std::unordered_map<model::RoomId, Followed> x_followed; // guarded by x_mutex
    // Guarded by x_mutex: what is told for each question of this process.
    std::unordered_map<std::uint64_t, std::vector<service::NodeTrace>> x_traces;
    std::uint64_t x_last_question = 0;
    Counter& x_events;
    Counter& x_damaged;
    Counter& x_lost;
};

} // namespace parley::cluster
