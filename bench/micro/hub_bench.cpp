// What one delivery costs inside the process: the hub hands one encoded frame to every subscriber.
#include "chat/hub.hpp"

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace parley;

// Keeps a reference, as an outbound queue does.
class Queue final : public chat::Subscriber {
public:
    explicit Queue(model::UserId user) { x_user_id = user; }
    void push(const FrameRef& frame) override { x_last = frame; }
    void on_ended(chat::Subscription&) override {}

private:
    FrameRef x_last;
};

class Rooms {
public:
    Rooms(std::int64_t rooms, std::int64_t members) {
        for (std::int64_t user = 1; user <= members; ++user) {
            x_queues.push_back(std::make_unique<Queue>(model::UserId{user}));
            x_hub.add(*x_queues.back());
        }
        for (std::int64_t room = 1; room <= rooms; ++room)
            for (auto& queue : x_queues) {
                auto& subscription = x_hub.begin(model::RoomId{room}, *queue, model::Role::member);
                x_hub.go_live(subscription, model::EventId{});
                x_subscriptions.push_back(&subscription);
            }
    }
    ~Rooms() {
        for (chat::Subscription* subscription : x_subscriptions) x_hub.end(*subscription);
        for (auto& queue : x_queues) x_hub.remove(*queue);
    }
    Rooms(const Rooms&) = delete;
    Rooms& operator=(const Rooms&) = delete;
    chat::Hub& hub() { return x_hub; }

private:
    chat::Hub x_hub;
    std::vector<std::unique_ptr<Queue>> x_queues;
    std::vector<chat::Subscription*> x_subscriptions;
};

void publish(benchmark::State& state) {
    const std::int64_t rooms = state.range(0), members = state.range(1);
    Rooms all(rooms, members);
    const FrameRef frame = FrameRef::copy_of(std::string(300, 'x'));
    std::int64_t id = 0;
    for (auto _ : state) {
        ++id;
        all.hub().publish(model::RoomId{1 + id % rooms}, model::EventId{id}, frame);
    }
    state.SetItemsProcessed(state.iterations() * members); // deliveries
}
BENCHMARK(publish)
    ->Name("hub_publish")
    ->ArgNames({"rooms", "members"})
    ->Args({1, 500})
    ->Args({100, 10})
    ->Args({10'000, 2});

void subscribe_and_leave(benchmark::State& state) {
    Rooms all(1, 500);
    Queue newcomer(model::UserId{1'000});
    all.hub().add(newcomer);
    for (auto _ : state) {
        auto& subscription = all.hub().begin(model::RoomId{1}, newcomer, model::Role::member);
        all.hub().go_live(subscription, model::EventId{});
        all.hub().end(subscription);
    }
    all.hub().remove(newcomer);
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(subscribe_and_leave)->Name("hub_subscribe_and_leave");

} // namespace
