// RoomsTest: Rooms over two real cores and the memory store, and listeners that keep what they are
// shown. A room of more than two members is large here.
//
// Threading: the test's thread; on() and await() run things on a core. Owner: the test.
#pragma once

#include "adapters/memory/log.hpp"
#include "adapters/memory/store.hpp"
#include "base/run_on.hpp"
#include "chat/composer.hpp"
#include "ingest/ingester.hpp"
#include "service/rooms.hpp"

#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <regex>
#include <thread>

namespace parley::service {

using namespace std::chrono_literals;

struct TestClock final : ports::Clock {
    std::atomic<std::int64_t> ms{1'800'000'000'000};
    model::Time now() const override { return {ms.load()}; }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point(std::chrono::milliseconds(ms.load()));
    }
};

inline FrameRef plain(std::string_view payload) { return FrameRef::copy_of(payload); }

// The ids of the events in the order in which they were pushed, and other frames as text.
struct Listener final : chat::Subscriber {
    explicit Listener(model::UserId user) { x_user_id = user; }
    void push(const FrameRef& frame) override { frames.emplace_back(frame.bytes()); }
    void on_ended(chat::Subscription& subscription) override {
        ended = true;
        std::erase(subscriptions, &subscription);
    }
    std::vector<std::string> frames;
    std::vector<chat::Subscription*> subscriptions;
    bool ended = false;

    std::vector<std::string> ids_of(std::string_view op) const {
        std::vector<std::string> ids;
        for (const std::string& frame : frames) {
            if (frame.find("{\"op\":\"" + std::string(op) + "\"") != 0) continue;
            const std::size_t at = frame.find("\"id\":\"") + 6;
            ids.push_back(frame.substr(at, frame.find('"', at) - at));
        }
        return ids;
    }
    // Of one kind; a piece may hold several.
    std::ptrdiff_t count(const std::string& op) const {
        const std::string whole = all(), head = "{\"op\":\"" + op + "\"";
        std::ptrdiff_t found = 0;
        for (std::size_t at = whole.find(head); at != whole.npos; at = whole.find(head, at + 1))
            ++found;
        return found;
    }
    // Each event names the one before it; the first one `last`, where that is known.
    bool chained(std::optional<model::EventId> last = {}) const {
        static const std::regex pair("\"id\":\"(\\d+)\",\"prev_id\":\"(\\d+)\"");
        const std::string whole = all();
        std::string before = last ? last->to_string() : "";
        for (std::sregex_iterator at(whole.begin(), whole.end(), pair), end; at != end; ++at) {
            if (!before.empty() && (*at)[2] != before) return false;
            before = (*at)[1];
        }
        return true;
    }
    std::string all() const {
        std::string whole;
        for (const std::string& frame : frames) whole += frame;
        return whole;
    }
};

class RoomsTest : public ::testing::Test {
protected:
    static constexpr int kCores = 2;

    explicit RoomsTest(RoomFeed* feed = nullptr) : store(clock) {
        ingester = *ingest::Ingester::open(store, clock, 1);
        log = std::make_unique<memory::Log>(
            [this](std::vector<ports::Submission> batch) {
                return ingester->run(std::move(batch));
            },
            node);
        std::vector<Rooms*> all;
        for (std::uint16_t i = 0; i < kCores; ++i) {
            cores.push_back(std::make_unique<Core>(i));
            rooms.push_back(std::make_unique<Rooms>(
                *cores[i],
                RoomsPorts{*log, store, store, store, clock, filter, store, "parley", feed}, &plain,
                metrics, RoomsSettings{.presence_room_max = 2}));
            all.push_back(rooms.back().get());
        }
        for (auto& each : rooms) each->meet(all);
        node.meet(all);
        for (auto& core : cores) threads.emplace_back([&core] { core->run(); });
        for (const char* name : {"ada", "bob", "eve"}) users.push_back(new_user(name));
    }
    ~RoomsTest() override {
        for (int i = 0; i < kCores; ++i) await(i, rooms[i]->close());
        for (auto& core : cores) core->stop();
        for (auto& thread : threads) thread.join();
    }

    model::UserId new_user(const std::string& name) {
        ports::NewUser user;
        user.username = user.username_key = name;
        user.email = user.email_key = name + "@example.org";
        return store.add_user(user)->id;
    }
    // Time passes, and each core looks at what waits for it.
    void pass(std::chrono::milliseconds time) {
        clock.ms += time.count();
        settle();
        for (int i = 0; i < kCores; ++i) on(i, [&] { rooms[i]->tick(); });
        settle();
    }
    void disconnect(int core, Listener& listener, chat::Parting how) {
        on(core, [&] {
            while (!listener.subscriptions.empty()) {
                chat::Subscription* const one = listener.subscriptions.back();
                listener.subscriptions.pop_back();
                rooms[core]->stop_listening(*one);
            }
            rooms[core]->disconnect(listener, how);
        });
        settle();
    }
    void change_member(model::RoomId room, model::UserId by, model::MemberDraft change) {
        auto draft = chat::Composer::member(room, by, change);
        EXPECT_FALSE((*await(0, rooms[0]->submit_and_wait(std::move(*draft))))->outcome.error);
        settle();
    }
    void join(model::RoomId room, model::UserId user) {
        change_member(room, users[0], {user, model::MemberAction::joined, model::Role::member});
    }

    template <class T>
    T await(int core, Task<T> task) {
        return boost::asio::co_spawn(cores[core]->io(), std::move(task), boost::asio::use_future)
            .get();
    }
    // Runs on a core and waits; the value is not looked at.
    template <class Function>
    void on(int core, Function function) {
        std::promise<void> done;
        cores[core]->post([&] {
            function();
            done.set_value();
        });
        done.get_future().get();
    }
    // Everything that is on its way between the cores has arrived.
    void settle() {
        for (int round = 0; round < 6; ++round)
            for (int i = 0; i < kCores; ++i) on(i, [] {});
    }

    model::RoomId make_room(std::vector<model::UserId> members = {}) {
        auto draft =
            chat::Composer::create(users[0], {.name = "room " + std::to_string(++room_number),
                                              .topic = "",
                                              .kind = model::RoomKind::group,
                                              .visibility = model::Visibility::restricted,
                                              .member_ids = std::move(members)});
        const auto made = await(0, rooms[0]->submit_and_wait(std::move(*draft)));
        return (*made)->outcome.room_id;
    }
    model::EventId say(int core, model::RoomId room, model::UserId user, std::string nonce) {
        auto draft = chat::Composer::post(room, user, {nonce, "TEXT", "text of " + nonce, {}, {}});
        const auto sent = await(core, rooms[core]->submit_and_wait(std::move(*draft)));
        EXPECT_FALSE((*sent)->outcome.error);
        return (*sent)->event()->id;
    }
    Result<Resume> listen(int core, Listener& listener, model::RoomId room,
                          std::optional<model::EventId> since = {}) {
        struct Do {
            static Task<Result<Resume>> listen(Rooms& rooms, Listener& listener, model::RoomId room,
                                               std::optional<model::EventId> since) {
                Resume resume;
                chat::Subscription& subscription = rooms.begin_listening(room, listener);
                listener.subscriptions.push_back(&subscription);
                PARLEY_CO_CHECK(co_await rooms.listen(
                    subscription, since, [&listener] { return !listener.ended; },
                    [&resume](const Resume& answer) { resume = answer; }));
                co_return resume;
            }
        };
        return await(core, Do::listen(*rooms[core], listener, room, since));
    }

    TestClock clock;
    Metrics metrics;
    memory::Store store;
    chat::ContentFilter filter;
    Node node;
    std::unique_ptr<ingest::Ingester> ingester;
    std::unique_ptr<memory::Log> log;
    std::vector<std::unique_ptr<Core>> cores;
    std::vector<std::unique_ptr<Rooms>> rooms;
    std::vector<std::thread> threads;
    std::vector<model::UserId> users;
    int room_number = 0;
};

} // namespace parley::service
