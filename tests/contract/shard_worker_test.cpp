// The worker of a shard on a real one: whatever was shown before a crash is there afterwards, with
// the same id and in the same order, and nothing else is.
#include "chat/composer.hpp"
#include "chat/content_filter.hpp"
#include "ingest/shard_worker.hpp"
#include "protocol/log/bytes.hpp"
#include "protocol/log/channels.hpp"
#include "tests/contract/backend.hpp"
#include "tests/support/shard_fixture.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <set>

namespace parley::contract {
namespace {

namespace plog = protocol::log;
using namespace std::chrono_literals;

constexpr ports::Partition kPartition = 5;
const model::RoomId kRoom{900};
const std::vector<model::UserId> kUsers{{11}, {12}, {13}};

class RealClock final : public ports::Clock {
public:
    model::Time now() const override { return {1'800'000'000'000}; }
    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::now();
    }
};

// Keeps what is said: each event of the room as bytes, by its id; and which drafts were answered.
class RecordingBus final : public ports::Bus {
public:
    void publish(std::vector<ports::BusMessage> messages) override {
        std::lock_guard lock(x_mutex);
        for (const ports::BusMessage& message : messages) {
            if (message.channel == plog::room_channel(kRoom))
                hear(message.payload);
            else if (message.channel == plog::node_channel("node"))
                answers(message.payload);
        }
        x_more.notify_all();
    }
    void subscribe(std::string) override {}
    void unsubscribe(std::string) override {}
    bool connected() const override { return true; }

    void wait_for(std::uint64_t number) {
        std::unique_lock lock(x_mutex);
        ASSERT_TRUE(x_more.wait_for(lock, 20s, [&] { return x_answered.contains(number); }));
    }
    std::map<std::int64_t, std::string> events() {
        std::lock_guard lock(x_mutex);
        return x_events;
    }
    std::map<std::uint64_t, std::string> answered() {
        std::lock_guard lock(x_mutex);
        return x_answered;
    }
    bool changed() {
        std::lock_guard lock(x_mutex);
        return x_changed;
    }

private:
    void hear(const std::string& record) {
        const auto event = plog::Codec::decode_event(record).value();
        const auto [at, is_new] = x_events.emplace(event.durable.event().id.value, record);
        if (!is_new && at->second != record) x_changed = true;
    }
    void answers(const std::string& list) {
        plog::Reader in(list);
        while (!in.at_end()) {
            const std::string record = in.bytes();
            const auto number = plog::Codec::decode_answer(record).value().number;
            const auto [at, is_new] = x_answered.emplace(number, record);
            if (!is_new && at->second != record) x_changed = true;
        }
    }
    std::mutex x_mutex;
    std::condition_variable x_more;
    std::map<std::int64_t, std::string> x_events;
    std::map<std::uint64_t, std::string> x_answered;
    bool x_changed = false; // the same event or answer came again and was another one
};

// A shard that can be made to refuse writes: what a worker then shows is nowhere but in the log.
class Shard final : public ports::ShardStore {
public:
    explicit Shard(const std::string& target) : x_shard(target) {}
    std::atomic<bool> refuses{false};

    Result<ports::PartitionPosition> take_over(ports::Partition partition) override {
        return x_shard.take_over(partition);
    }
    Result<bool> owns(ports::Partition partition, std::uint64_t generation) override {
        return x_shard.owns(partition, generation);
    }
    Result<bool> write(const ports::ShardBatch& batch) override {
        if (refuses) return Error(Errc::unavailable, "refused by the test");
        return x_shard.write(batch);
    }
    Result<std::vector<ports::ShardRoom>> rooms(std::span<const model::RoomId> rooms) override {
        return x_shard.rooms(rooms);
    }
    Result<std::vector<std::optional<ports::StoredNonce>>>
    nonces(std::span<const ports::NonceKey> keys) override {
        return x_shard.nonces(keys);
    }
    Result<std::string> newest_nonce() override { return x_shard.newest_nonce(); }
    Result<std::optional<model::Message>> message(model::RoomId room,
                                                  model::MessageId message) override {
        return x_shard.message(room, message);
    }
    Result<std::optional<model::Time>> paced_at(model::RoomId room, model::UserId user) override {
        return x_shard.paced_at(room, user);
    }
    Result<std::vector<Reaction>> reactions(model::RoomId room,
                                            model::MessageId message) override {
        return x_shard.reactions(room, message);
    }

private:
    postgres::ShardStore x_shard;
};

// One life of a worker that owns the partition, over a log that stays.
class Life final : public ports::DraftConsumer {
public:
    // `sloppy`: records come again and again, and some from ahead of where reading begins.
    Life(const std::string& target, std::vector<ports::DraftRecord>& log, RecordingBus& bus,
         bool sloppy = false)
        : x_log(log),
          x_sloppy(sloppy),
          reads(target),
          writes(target),
          takes(target),
          worker({.shard = 0,
                  .reads = reads,
                  .writes = writes,
                  .takes = takes,
                  .bus = bus,
                  .consumer = *this,
                  .clock = x_clock,
                  .bury = [](ingest::DeadLetter) { FAIL() << "a dead letter"; },
                  .log = x_logger,
                  .metrics = x_metrics}) {
        worker.start();
        worker.assign(kPartition);
    }
    ~Life() { worker.stop(); }

    void write(ports::DraftRecord record) {
        std::lock_guard lock(x_mutex);
        x_log.push_back(std::move(record));
    }
    void wait_until_stored(std::size_t records) {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        const auto offset = static_cast<std::int64_t>(records);
        while (stored < offset && begun_at < offset && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(1ms);
    }
    // What has been written to the log is read, from where reading stands.
    void read() {
        std::lock_guard lock(x_mutex);
        if (x_next) hand_over();
    }
    void start(ports::Partition, std::int64_t offset) override {
        std::lock_guard lock(x_mutex);
        if (x_sloppy && !x_next && offset < static_cast<std::int64_t>(x_log.size()))
            add(static_cast<std::size_t>(offset) + (x_log.size() - offset) / 2); // too early
        if (begun_at < 0) begun_at = offset;
        x_next = offset;
        hand_over();
    }
    void pause(ports::Partition) override {}
    void resume(ports::Partition) override {}
    void note_stored(ports::Partition, std::int64_t next_offset) override { stored = next_offset; }

    std::atomic<std::int64_t> begun_at{-1}, stored{0};

private:
    void add(std::size_t from) {
        worker.add(kPartition, {x_log.begin() + static_cast<std::ptrdiff_t>(from), x_log.end()});
    }
    void hand_over() {
        const auto from = static_cast<std::size_t>(*x_next);
        add(x_sloppy ? from - std::min<std::size_t>(from, 7) : from);
        x_next = static_cast<std::int64_t>(x_log.size());
    }

    std::vector<ports::DraftRecord>& x_log; // guarded by x_mutex once somebody write()s
    const bool x_sloppy;
    std::mutex x_mutex;
    std::optional<std::int64_t> x_next; // guarded by x_mutex
    RealClock x_clock;
    SilentLogger x_logger;
    Metrics x_metrics;

public:
    Shard reads, writes, takes;
    ingest::ShardWorker worker;
};

// Drafts of every kind, also those that are refused, repeated or change nothing; edits and
// deletions of messages that were made a moment before, or long ago.
class Drafts {
public:
    explicit Drafts(unsigned seed) : x_random(seed) {}

    std::vector<ports::DraftRecord> first() {
        std::vector<ports::DraftRecord> log;
        model::CreateDraft create;
        create.name = "a room";
        create.visibility = model::Visibility::open;
        create.member_ids = {kUsers[1]};
        append(log, filtered(chat::Composer::create(kUsers[0], std::move(create))), kRoom);
        return log;
    }
    // `known`: messages that there are.
    void next(std::vector<ports::DraftRecord>& log, const std::vector<model::MessageId>& known) {
        const model::UserId user = kUsers[x_random() % kUsers.size()];
        const unsigned kind = x_random() % 20;
        const auto some = [&] {
            // Mostly the newest: they are not stored yet.
            const std::size_t back = x_random() % 3 ? x_random() % 5 : x_random() % known.size();
            return known[known.size() - 1 - std::min(back, known.size() - 1)];
        };
        if (known.empty() || kind < 11)
            return append(log, post(user));
        if (kind < 13) return append(log, filtered(chat::Composer::edit(
                                              kRoom, user, some(), "edited " + text())));
        if (kind < 15)
            return append(log, filtered(chat::Composer::remove(kRoom, user, some())));
        if (kind < 18)
            return append(log, filtered(chat::Composer::react(kRoom, user, some(), "+1",
                                                                    x_random() % 3 != 0)));
        if (kind < 19) {
            model::MemberDraft change;
            change.user_id = user;
            change.action =
                x_random() % 2 ? model::MemberAction::joined : model::MemberAction::left;
            return append(log, filtered(chat::Composer::member(kRoom, user, change)));
        }
        model::RoomDraft change;
        change.slow_mode_seconds = x_random() % 2 ? 1 : 0;
        append(log, filtered(chat::Composer::room(kRoom, kUsers[0], change)));
    }

private:
    std::string text() { return "text " + std::to_string(x_random() % 1000); }
    model::Filtered post(model::UserId user) {
        std::string nonce;
        if (!x_nonces.empty() && x_random() % 8 == 0)
            nonce = x_nonces[x_random() % x_nonces.size()]; // again, by whomever
        else if (x_random() % 3 == 0)
            nonce = "zz" + std::to_string(x_random()); // does not grow with time
        else
            nonce = "01" + std::to_string(1'000'000'000 + x_nonces.size());
        x_nonces.push_back(nonce);
        return filtered(chat::Composer::post(
            kRoom, user, {nonce, "TEXT", "text of " + nonce, std::nullopt, std::nullopt}));
    }
    void append(std::vector<ports::DraftRecord>& log, const model::Filtered& draft,
                model::RoomId new_room = {}) {
        const auto offset = static_cast<std::int64_t>(log.size());
        x_time += x_random() % 4 ? static_cast<std::int64_t>(x_random() % 700) : 0;
        log.push_back({offset, {x_time},
                       plog::Codec::encode({"node", static_cast<std::uint64_t>(offset) + 1}, draft,
                                           new_room)});
    }
    std::mt19937 x_random;
    std::int64_t x_time = 1'767'323'045'678;
    std::vector<std::string> x_nonces;
};

std::vector<model::MessageId> messages_in(const std::map<std::int64_t, std::string>& events) {
    std::vector<model::MessageId> found;
    for (const auto& [id, record] : events) {
        const auto event = plog::Codec::decode_event(record).value();
        if (std::holds_alternative<model::MessagePosted>(event.durable.event().body))
            found.push_back({id});
    }
    return found;
}

struct History {
    std::vector<ports::DraftRecord> log;
    std::map<std::int64_t, std::string> events;
    std::map<std::uint64_t, std::string> answers;
};

// What a worker that never dies makes of drafts, each of which may be about what came before.
History without_a_crash(unsigned seed) {
    Drafts drafts(seed);
    History history{drafts.first(), {}, {}};
    RecordingBus bus;
    Life life(test::make_shard(), history.log, bus);
    bus.wait_for(1);
    while (history.log.size() < 400) {
        const auto known = messages_in(bus.events());
        for (int i = 0; i < 20; ++i) drafts.next(history.log, known);
        life.read();
        bus.wait_for(history.log.size());
    }
    EXPECT_FALSE(bus.changed());
    history.events = bus.events();
    history.answers = bus.answered();
    return history;
}

// An answer in words.
std::string told(const std::string& record) {
    const auto answer = plog::Codec::decode_answer(record).value();
    std::string words = answer.nonce + (answer.duplicate ? " again" : "");
    if (answer.error) words += " refused: " + answer.error->detail;
    if (answer.error && answer.error->retry_after)
        words += " for " + std::to_string(answer.error->retry_after->count());
    if (!answer.durable) return words;
    const model::Event& event = answer.durable->event();
    words += " event " + event.id.to_string() + " after " + event.prev_id.to_string();
    if (const auto* posted = std::get_if<model::MessagePosted>(&event.body))
        words += " \"" + posted->message.content + "\"" +
                 (posted->message.deleted ? " deleted" : "") +
                 (posted->message.edited_at ? " edited" : "");
    return words;
}

class ShardWorkers : public testing::TestWithParam<unsigned> {};

TEST_P(ShardWorkers, WhatWasShownIsShownAgainAfterACrashAndNothingElse) {
    History history = without_a_crash(GetParam());
    EXPECT_GT(history.events.size(), 100u);
    std::mt19937 random(GetParam());
    const std::string target = test::make_shard();
    RecordingBus bus; // hears all lives
    std::vector<ports::DraftRecord> log;
    std::int64_t begun_again = 0;
    while (log.size() < history.log.size()) {
        Life life(target, log, bus, random() % 2 == 0);
        while (life.begun_at < 0) std::this_thread::sleep_for(1ms);
        // A part is stored; then the shard refuses, and people see more and more that is not.
        for (int part = 0; part < 3 && log.size() < history.log.size(); ++part) {
            if (part == 1) life.writes.refuses = true;
            const std::size_t more = 1 + random() % 40;
            for (std::size_t i = 0; i < more && log.size() < history.log.size(); ++i)
                life.write(history.log[log.size()]);
            life.read();
            bus.wait_for(log.size());
            if (part == 0) life.wait_until_stored(log.size());
        }
        begun_again += life.begun_at;
    }
    EXPECT_GT(begun_again, 0) << "nothing was ever stored";
    {
        Life last(target, log, bus); // stores the rest
        last.wait_until_stored(log.size());
    }
    EXPECT_FALSE(bus.changed()) << "an event or an answer was another one after a crash";
    EXPECT_EQ(bus.events(), history.events);
    const auto answers = bus.answered();
    ASSERT_EQ(answers.size(), history.answers.size());
    for (const auto& [number, record] : history.answers)
        EXPECT_EQ(told(answers.at(number)), told(record)) << "to draft " << number;
    // And the rows have exactly these.
    postgres::Connection rows(target);
    const auto stored = rows.query("SELECT id FROM messages WHERE room_id = $1 UNION ALL "
                                   "SELECT id FROM events WHERE room_id = $1 ORDER BY 1",
                                   postgres::Params(kRoom));
    std::vector<std::int64_t> ids, expected;
    for (const postgres::Row row : stored) ids.push_back(row.integer(0));
    for (const auto& [id, record] : history.events) expected.push_back(id);
    EXPECT_EQ(ids, expected);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ShardWorkers, testing::Range(1u, 9u));

} // namespace
} // namespace parley::contract
