// What it costs to give a message its place in a room's order, over a store in memory.
#include "adapters/memory/store.hpp"
#include "chat/composer.hpp"
#include "chat/content_filter.hpp"
#include "chat/sequencer.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>

namespace {

using namespace parley;

constexpr std::size_t kBatch = 350; // what one commit holds under full load

class StoppedClock final : public ports::Clock {
public:
    model::Time now() const override { return {1'767'000'000'000}; }
    std::chrono::steady_clock::time_point steady() const override { return {}; }
};

class Bench {
public:
    Bench() {
        ports::NewUser user;
        user.username = user.username_key = "ann";
        user.email = user.email_key = "ann@example.org";
        x_user = x_store.add_user(std::move(user)).value().id;
        model::CreateDraft room;
        room.name = "the room";
        auto draft = chat::Composer::create(x_user, std::move(room)).value();
        static_cast<void>(x_store.begin());
        const auto verdict = sequence(std::move(draft));
        static_cast<void>(x_store.put(*verdict.event));
        static_cast<void>(x_store.commit());
        x_room = verdict.event->event().room_id;
    }

    model::Draft post(std::uint64_t number) {
        char nonce[40];
        std::snprintf(nonce, sizeof nonce, "019b7d9c-5f3e-7c11-8f2a-%012llx",
                      static_cast<unsigned long long>(number));
        const std::string content(100, 'x');
        return chat::Composer::post(x_room, x_user, {nonce, "TEXT", content, {}, {}}).value();
    }
    chat::Sequencer::Verdict sequence(model::Draft draft) {
        auto filtered = std::get<model::Filtered>(x_filter.apply(std::move(draft)));
        return x_sequencer.sequence(filtered, x_clock.now()).value();
    }
    memory::Store& store() { return x_store; }

private:
    StoppedClock x_clock;
    memory::Store x_store{x_clock};
    chat::ContentFilter x_filter;
    chat::Sequencer x_sequencer{x_store, chat::Snowflake(0, {})};
    model::UserId x_user;
    model::RoomId x_room;
};

void new_messages(benchmark::State& state) {
    Bench bench;
    std::uint64_t number = 0;
    for (auto _ : state) {
        static_cast<void>(bench.store().begin());
        for (std::size_t i = 0; i < kBatch; ++i)
            benchmark::DoNotOptimize(bench.sequence(bench.post(number++)));
        bench.store().rollback(); // the room stays small, and the store's own work out of it
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
BENCHMARK(new_messages)->Name("sequencer_new_messages");

void repeated_nonces(benchmark::State& state) {
    Bench bench;
    static_cast<void>(bench.store().begin());
    for (std::uint64_t i = 0; i < kBatch; ++i)
        static_cast<void>(bench.store().put(*bench.sequence(bench.post(i)).event));
    static_cast<void>(bench.store().commit());
    for (auto _ : state) {
        static_cast<void>(bench.store().begin());
        for (std::uint64_t i = 0; i < kBatch; ++i)
            benchmark::DoNotOptimize(bench.sequence(bench.post(i)));
        bench.store().rollback();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
BENCHMARK(repeated_nonces)->Name("sequencer_repeated_nonces");

} // namespace
