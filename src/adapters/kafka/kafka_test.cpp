#include "adapters/kafka/consumer.hpp"
#include "adapters/kafka/ends.hpp"
#include "adapters/kafka/producer.hpp"
#include "adapters/kafka/reserve.hpp"
#include "adapters/kafka/topic.hpp"
#include "base/cluster_limits.hpp"
#include "tests/support/await.hpp"
#include "tests/support/kafka_server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <gmock/gmock.h>
#include <set>
#include <stdexcept>

namespace parley::kafka {
namespace {

using namespace std::chrono_literals;
using ports::DraftRecord;
using ports::Partition;
using test::await;
using ::testing::ElementsAre;

// What a consumer was told. Starts its partitions at once where it had stopped, unless told not to.
class Handler final : public ports::DraftHandler {
public:
    void on_assigned(std::vector<Partition> partitions) override {
        std::lock_guard lock(x_mutex);
        for (const Partition p : partitions) {
            owned.insert(p);
            ++assigned[p];
            if (consumer) consumer->start(p, next[p]);
        }
        x_changed.notify_all();
    }
    void on_revoked(std::vector<Partition> partitions) override {
        std::lock_guard lock(x_mutex);
        for (const Partition p : partitions) owned.erase(p);
        x_changed.notify_all();
    }
    void on_records(Partition partition, std::vector<DraftRecord> records) override {
        std::lock_guard lock(x_mutex);
        if (!owned.contains(partition)) ++strays;
        largest = std::max(largest, records.size());
        for (DraftRecord& record : records) read[partition].push_back(std::move(record));
        next[partition] = read[partition].back().offset + 1;
        x_changed.notify_all();
    }
    void on_lost_records(Partition partition, std::int64_t first_offset) override {
        std::lock_guard lock(x_mutex);
        lost[partition].push_back(first_offset);
        x_changed.notify_all();
    }
    template <class Condition>
    bool await_that(Condition condition, std::chrono::milliseconds time = 20s) {
        std::unique_lock lock(x_mutex);
        return x_changed.wait_for(lock, time, condition);
    }
    std::size_t count() const {
        std::size_t sum = 0;
        for (const auto& [partition, records] : read) sum += records.size();
        return sum;
    }

    Consumer* consumer = nullptr; // to be started at once
    std::set<Partition> owned;
    std::map<Partition, int> assigned;
    std::map<Partition, std::int64_t> next;
    std::map<Partition, std::vector<DraftRecord>> read;
    std::map<Partition, std::vector<std::int64_t>> lost;
    std::size_t largest = 0;
    int strays = 0;

private:
    std::mutex x_mutex;
    std::condition_variable x_changed;
};

// Answers of a producer, by the order of the calls.
class Answers {
public:
    ports::DraftProducer::Done next() {
        std::lock_guard lock(x_mutex);
        const std::size_t at = answers.size();
        answers.emplace_back();
        return [this, at](Result<std::int64_t> answer) {
            std::lock_guard inner(x_mutex);
            if (answers[at]) ++doubled;
            answers[at] = std::move(answer);
            ++answered;
            x_changed.notify_all();
        };
    }
    bool await_all(std::chrono::milliseconds time = 20s) {
        std::unique_lock lock(x_mutex);
        return x_changed.wait_for(lock, time, [this] { return answered == answers.size(); });
    }

    std::deque<std::optional<Result<std::int64_t>>> answers;
    std::size_t answered = 0;
    int doubled = 0;

private:
    std::mutex x_mutex;
    std::condition_variable x_changed;
};

struct KafkaLog : ::testing::Test {
    // A topic and a group of its own for each test.
    Settings make_topic(Partition partitions, std::chrono::milliseconds retention = 24h) {
        Settings made;
        made.brokers = server.brokers();
        made.topic = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        ensure_topic(made, {.partitions = partitions, .retention = retention}, logger);
        return made;
    }
    ConsumerSettings member(const Settings& settings) {
        return {.client = settings, .group = settings.topic, .session_timeout = 1000ms};
    }
    void write(Producer& producer, Answers& answers, Partition partition, int from, int to) {
        for (int i = from; i < to; ++i)
            producer.produce(partition, "key", std::to_string(i), answers.next());
    }
    static std::vector<std::int64_t> numbers(const std::vector<DraftRecord>& records) {
        std::vector<std::int64_t> all;
        for (const DraftRecord& record : records) all.push_back(std::stoll(record.value));
        return all;
    }
    static std::vector<std::int64_t> range(std::int64_t from, std::int64_t to) {
        std::vector<std::int64_t> all;
        for (std::int64_t i = from; i < to; ++i) all.push_back(i);
        return all;
    }

    test::KafkaServer& server = test::KafkaServer::instance();
    Metrics metrics;
    SilentLogger logger;
};

TEST_F(KafkaLog, ATopicIsMadeOnceAndMustHaveItsPartitions) {
    const Settings settings = make_topic(3);
    ensure_topic(settings, {.partitions = 3}, logger);
    check_topic(settings, 3, logger);
    EXPECT_THROW(check_topic(settings, 4, logger), std::runtime_error);
    EXPECT_THROW(ensure_topic(settings, {.partitions = 2}, logger), std::runtime_error);
    Ends ends(settings, 3, metrics, logger);
    EXPECT_THAT(await(ends.ends()).value(), ElementsAre(0, 0, 0));
    Ends more(settings, 4, metrics, logger); // one of them is nowhere
    EXPECT_EQ(await(more.ends()).error().code, Errc::unavailable);
    EXPECT_THROW(option_of("=x"), std::runtime_error);
    Settings wrong = settings;
    wrong.options.push_back(option_of("no.such.option=1"));
    EXPECT_THROW(check_topic(wrong, 3, logger), std::runtime_error);
}

TEST_F(KafkaLog, KeepsTheOrderOfEachPartition) {
    const Settings settings = make_topic(2);
    Answers zero, one, late; // outlive the producer
    Producer producer(settings, metrics, logger);
    write(producer, zero, 0, 0, 5'000);
    write(producer, one, 1, 0, 10);
    ASSERT_TRUE(zero.await_all());
    ASSERT_TRUE(one.await_all());
    for (int i = 0; i < 5'000; ++i) ASSERT_EQ(zero.answers[i]->value(), i);
    Ends ends(settings, 2, metrics, logger);
    EXPECT_THAT(await(ends.ends()).value(), ElementsAre(5'000, 10));

    Handler handler;
    Consumer consumer(member(settings), metrics, logger);
    consumer.join(handler);
    ASSERT_TRUE(handler.await_that([&] { return handler.owned.size() == 2; }));
    // Nothing comes of a partition that was not started.
    EXPECT_FALSE(handler.await_that([&] { return handler.count() > 0; }, 500ms));
    consumer.start(0, 0);
    consumer.start(1, 4);
    ASSERT_TRUE(handler.await_that([&] { return handler.count() == 5'006; }));
    EXPECT_EQ(numbers(handler.read[0]), range(0, 5'000));
    EXPECT_EQ(numbers(handler.read[1]), range(4, 10));
    EXPECT_LE(handler.largest, limits::kConsumerBatch);
    const DraftRecord& last = handler.read[1].back();
    EXPECT_EQ(last.offset, 9);
    const std::int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                                 std::chrono::system_clock::now().time_since_epoch())
                                 .count();
    EXPECT_NEAR(static_cast<double>(last.at.ms), static_cast<double>(now), 60'000);
    const auto begun = std::chrono::steady_clock::now();
    write(producer, late, 1, 10, 11);
    EXPECT_TRUE(handler.await_that([&] { return handler.read[1].size() == 7; }));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 1s);
    consumer.stop();
    EXPECT_TRUE(handler.owned.empty());
}

TEST_F(KafkaLog, APausedPartitionGoesOnWhereItStood) {
    const Settings settings = make_topic(2);
    Answers answers; // outlive the producer
    Producer producer(settings, metrics, logger);
    Handler handler;
    Consumer consumer(member(settings), metrics, logger);
    handler.consumer = &consumer;
    consumer.join(handler);
    int written = 0;
    for (int round = 0; round < 10; ++round) {
        write(producer, answers, 0, written, written + 300);
        consumer.pause(0);
        write(producer, answers, 0, written + 300, written + 600);
        ASSERT_TRUE(answers.await_all());
        if (round % 2 == 0) std::this_thread::sleep_for(150ms);
        consumer.resume(0);
        written += 600;
        if (round % 3 != 0) continue;
        ASSERT_TRUE(
            handler.await_that([&] { return handler.read[0].size() == std::size_t(written); }));
    }
    ASSERT_TRUE(handler.await_that([&] { return handler.read[0].size() == std::size_t(written); }));
    EXPECT_EQ(numbers(handler.read[0]), range(0, written));
    consumer.pause(0);
    std::this_thread::sleep_for(300ms);
    write(producer, answers, 0, written, written + 5);
    EXPECT_FALSE(
        handler.await_that([&] { return handler.read[0].size() != std::size_t(written); }, 400ms));
    consumer.start(0, written + 2); // what was paused is not any more
    EXPECT_TRUE(
        handler.await_that([&] { return handler.read[0].size() == std::size_t(written) + 3; }));
    EXPECT_TRUE(handler.lost.empty());
}

void delete_before(const Settings& settings, Partition partition, std::int64_t offset) {
    SilentLogger logger;
    Opaque opaque{logger};
    const Client client = Config(settings).make_client(RD_KAFKA_PRODUCER, opaque);
    const Queue queue(rd_kafka_queue_new(client.get()));
    const Partitions list = partition_list();
    rd_kafka_topic_partition_list_add(list.get(), settings.topic.c_str(), int(partition))->offset =
        offset;
    rd_kafka_DeleteRecords_t* deletion = rd_kafka_DeleteRecords_new(list.get());
    rd_kafka_DeleteRecords(client.get(), &deletion, 1, nullptr, queue.get());
    const Event event(rd_kafka_queue_poll(queue.get(), 10'000));
    rd_kafka_DeleteRecords_destroy(deletion);
    ASSERT_TRUE(event);
    ASSERT_EQ(rd_kafka_event_error(event.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
}

TEST_F(KafkaLog, SaysWhatItHasLostAndStandsStill) {
    const Settings settings = make_topic(1);
    Answers answers; // outlive the producer
    Producer producer(settings, metrics, logger);
    write(producer, answers, 0, 0, 10);
    ASSERT_TRUE(answers.await_all());
    delete_before(settings, 0, 6);
    Handler handler;
    Consumer consumer(member(settings), metrics, logger);
    handler.consumer = &consumer;
    consumer.join(handler);
    ASSERT_TRUE(handler.await_that([&] { return !handler.lost[0].empty(); }));
    write(producer, answers, 0, 10, 12);
    EXPECT_FALSE(handler.await_that([&] { return handler.count() > 0; }, 500ms));
    EXPECT_THAT(handler.lost[0], ElementsAre(6));
    consumer.start(0, 6);
    EXPECT_TRUE(handler.await_that([&] { return handler.count() == 6; }));
    EXPECT_EQ(numbers(handler.read[0]), range(6, 12));
    // A log that ends before what was stored is another log.
    consumer.start(0, 1'000);
    EXPECT_TRUE(handler.await_that([&] { return handler.lost[0].size() == 2; }));
    EXPECT_EQ(handler.lost[0].back(), 6);
}

TEST_F(KafkaLog, ClosesWhatItWouldDeleteUnread) {
    const Settings settings = make_topic(2, 4s);
    Producer producer(settings, metrics, logger);
    Answers answers;
    const auto begun = std::chrono::steady_clock::now();
    write(producer, answers, 0, 0, 1);
    ASSERT_TRUE(answers.await_all());
    Reserve reserve({.client = settings, .group = settings.topic, .partitions = 2}, metrics,
                    logger);
    Gauge& aging = metrics.gauge("parley_log_aging_partitions", "");
    const auto await_short = [&](bool wanted) {
        const auto end = std::chrono::steady_clock::now() + 30s;
        while (reserve.is_short(0) != wanted && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(20ms);
        return reserve.is_short(0) == wanted;
    };
    ASSERT_TRUE(await_short(true)); // by now 80 % of the retention have gone
    EXPECT_GT(std::chrono::steady_clock::now() - begun, 3s);
    EXPECT_EQ(aging.value(), 1);
    EXPECT_FALSE(reserve.is_short(1)); // nothing waits there
    Handler handler;
    Consumer consumer(member(settings), metrics, logger);
    handler.consumer = &consumer;
    consumer.join(handler);
    ASSERT_TRUE(handler.await_that([&] { return handler.owned.size() == 2; }));
    consumer.note_stored(0, 1);
    EXPECT_TRUE(await_short(false));
}

TEST_F(KafkaLog, TwoConsumersShareAndTakeOver) {
    const Settings settings = make_topic(4);
    Answers answers; // outlive the producer
    Producer producer(settings, metrics, logger);
    Handler first_handler, second_handler;
    Consumer first(member(settings), metrics, logger);
    first_handler.consumer = &first;
    first.join(first_handler);
    ASSERT_TRUE(first_handler.await_that([&] { return first_handler.owned.size() == 4; }));
    for (Partition p = 0; p < 4; ++p) write(producer, answers, p, 0, 100);
    ASSERT_TRUE(first_handler.await_that([&] { return first_handler.count() == 400; }));

    Consumer second(member(settings), metrics, logger);
    {
        // What the first has read, the second need not.
        for (Partition p = 0; p < 4; ++p) second_handler.next[p] = 100;
        second_handler.consumer = &second;
    }
    second.join(second_handler);
    ASSERT_TRUE(second_handler.await_that([&] { return second_handler.owned.size() == 2; }));
    ASSERT_TRUE(first_handler.await_that([&] { return first_handler.owned.size() == 2; }));
    for (const Partition p : first_handler.owned) EXPECT_EQ(first_handler.assigned[p], 1);
    for (Partition p = 0; p < 4; ++p) write(producer, answers, p, 100, 200);
    ASSERT_TRUE(second_handler.await_that([&] { return second_handler.count() == 200; }));
    ASSERT_TRUE(first_handler.await_that([&] { return first_handler.count() == 600; }));
    EXPECT_TRUE(answers.await_all());

    for (Partition p = 0; p < 4; ++p) second_handler.next[p] = 200;
    first.stop();
    EXPECT_TRUE(first_handler.owned.empty());
    ASSERT_TRUE(second_handler.await_that([&] { return second_handler.owned.size() == 4; }, 5s));
    for (Partition p = 0; p < 4; ++p) write(producer, answers, p, 200, 201);
    ASSERT_TRUE(second_handler.await_that([&] { return second_handler.count() == 204; }));
    EXPECT_EQ(first_handler.strays + second_handler.strays, 0);
    second.note_stored(0, 201);

    // One that never starts what it was given is in nobody's way.
    for (Partition p = 0; p < 4; ++p) second_handler.next[p] = 201;
    Handler idle_handler;
    Consumer idle(member(settings), metrics, logger);
    idle.join(idle_handler);
    ASSERT_TRUE(idle_handler.await_that([&] { return idle_handler.owned.size() == 2; }));
    idle.stop();
    ASSERT_TRUE(second_handler.await_that([&] { return second_handler.owned.size() == 4; }, 5s));
    for (Partition p = 0; p < 4; ++p) write(producer, answers, p, 201, 202);
    ASSERT_TRUE(second_handler.await_that([&] { return second_handler.count() == 208; }));
    EXPECT_TRUE(second_handler.lost.empty());
}

TEST_F(KafkaLog, AnAnswerComesOnceWhateverHappens) {
    const Settings settings = make_topic(1);
    Answers answers; // outlive the producer
    Producer producer(settings, metrics, logger);
    Ends ends(settings, 1, metrics, logger);
    write(producer, answers, 0, 0, 1);
    ASSERT_TRUE(answers.await_all());
    await(ends.ends()).value();
    server.freeze(true);
    write(producer, answers, 0, 1, int(limits::kDraftQueue) + 101);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(await(ends.ends()).error().code, Errc::unavailable);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, limits::kLogEndsTimeout + 500ms);
    server.freeze(false);
    ASSERT_TRUE(answers.await_all());
    EXPECT_EQ(answers.doubled, 0);
    const auto overloaded =
        std::count_if(answers.answers.begin(), answers.answers.end(), [](const auto& answer) {
            return answer->has_error() && answer->error().code == Errc::overloaded;
        });
    EXPECT_NEAR(double(overloaded), 100.0, 5.0);
    producer.produce(0, "key", std::string(limits::kDraftRecordBytes + 1, 'x'), answers.next());
    EXPECT_EQ(answers.answers.back()->error().code, Errc::too_long);
    producer.produce(7, "key", "no such partition", answers.next());
    ASSERT_TRUE(answers.await_all());
    EXPECT_EQ(answers.answers.back()->error().code, Errc::unavailable);
    server.freeze(true);
    write(producer, answers, 0, 0, 100);
    const auto stopped = std::chrono::steady_clock::now();
    producer.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - stopped, 2 * limits::kProducerStop + 1s);
    server.freeze(false);
    EXPECT_TRUE(answers.await_all(0s));
    EXPECT_EQ(answers.answers.back()->error().code, Errc::unavailable);
    producer.produce(0, "key", "x", answers.next());
    EXPECT_EQ(answers.answers.back()->error().code, Errc::shutting_down);
    EXPECT_EQ(metrics.gauge("parley_log_produce_queue", "").value(), 0);
}

TEST_F(KafkaLog, AConsumerStopsSoonWithoutItsServer) {
    const Settings settings = make_topic(2);
    Handler handler;
    std::optional<Consumer> consumer(std::in_place, member(settings), metrics, logger);
    handler.consumer = &*consumer;
    consumer->join(handler);
    ASSERT_TRUE(handler.await_that([&] { return handler.owned.size() == 2; }));
    server.freeze(true);
    const auto begun = std::chrono::steady_clock::now();
    consumer->stop();
    EXPECT_TRUE(handler.owned.empty());
    consumer.reset();
    // Its farewell to the group may have been sent: librdkafka waits 5 s for the answer.
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 7s);
    server.freeze(false);
}

TEST_F(KafkaLog, NothingAcknowledgedIsLostWhenItsServerIsKilled) {
    const Settings settings = make_topic(1);
    Answers answers; // outlive the producer
    Producer producer(settings, metrics, logger);
    Ends ends(settings, 1, metrics, logger);
    Handler handler;
    Consumer consumer(member(settings), metrics, logger);
    handler.consumer = &consumer;
    consumer.join(handler);
    int sent = 0;
    auto send_for = [&](std::chrono::milliseconds time) {
        const auto until = std::chrono::steady_clock::now() + time;
        for (; std::chrono::steady_clock::now() < until; ++sent) {
            write(producer, answers, 0, sent, sent + 1);
            std::this_thread::sleep_for(1ms);
        }
    };
    send_for(1s);
    server.kill();
    send_for(200ms);
    EXPECT_EQ(await(ends.ends()).error().code, Errc::unavailable);
    server.start();
    send_for(2s);
    ASSERT_TRUE(answers.await_all(30s));
    std::set<std::int64_t> acknowledged;
    for (int i = 0; i < sent; ++i)
        if (answers.answers[std::size_t(i)]->has_value()) acknowledged.insert(i);
    EXPECT_GT(acknowledged.size(), 500u);
    std::int64_t end = -1;
    for (int i = 0; i < 100 && end < 0; ++i)
        if (const auto answer = await(ends.ends())) end = answer->front();
    ASSERT_TRUE(handler.await_that([&] { return handler.next[0] == end; }, 30s));
    const auto read = numbers(handler.read[0]);
    EXPECT_TRUE(std::is_sorted(read.begin(), read.end()));
    EXPECT_EQ(std::adjacent_find(read.begin(), read.end()), read.end()); // none twice
    EXPECT_TRUE(std::includes(read.begin(), read.end(), acknowledged.begin(), acknowledged.end()));
    EXPECT_EQ(answers.doubled, 0);
    EXPECT_EQ(handler.strays, 0);
    std::cout << "sent " << sent << ", acknowledged " << acknowledged.size() << ", in the log "
              << read.size() << "\n";
}

} // namespace
} // namespace parley::kafka
