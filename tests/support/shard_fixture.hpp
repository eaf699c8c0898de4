// An empty shard on the tests' PostgreSQL, with the store of its worker and the sequencer of one
// partition over it: drafts become events as in the product, and go into the rows when store() is
// called. Threading: one thread.
#pragma once

#include "adapters/postgres/migrations.hpp"
#include "adapters/postgres/shard_store.hpp"
#include "chat/composer.hpp"
#include "chat/content_filter.hpp"
#include "chat/sequencer.hpp"
#include "ingest/partition_store.hpp"
#include "tests/contract/await.hpp"
#include "tests/support/postgres_server.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace parley::test {

using contract::await;

inline std::string make_shard() {
    std::string target = PostgresServer::instance().make_database("shard");
    postgres::Connection connection(target);
    postgres::migrate(connection, postgres::kShardSteps);
    return target;
}

class ShardFixture {
public:
    static constexpr ports::Partition kPartition = 3;

    explicit ShardFixture(std::string target = make_shard())
        : target(std::move(target)), reads(this->target), writes(this->target) {
        take_over();
    }

    void take_over() {
        position = reads.take_over(kPartition).value();
        partition.emplace(reads, position.last_id, reads.newest_nonce().value());
        sequencer.emplace(*partition, chat::Snowflake(kPartition, position.last_id));
    }

    // The event, which is not in the rows yet.
    model::Event event(Result<model::Draft> draft) {
        static const chat::ContentFilter filter;
        now.ms += 1;
        partition->begin().value();
        const auto filtered = std::get<model::Filtered>(filter.apply(std::move(draft).value()));
        auto verdict = sequencer->sequence(filtered, now).value();
        if (!verdict.event) throw std::runtime_error("the draft became no event");
        partition->put(*verdict.event).value();
        ++position.next_offset;
        position.last_id = verdict.event->event().id;
        return verdict.event->event();
    }
    model::RoomId room(model::UserId owner, std::vector<model::UserId> others = {}) {
        return event(chat::Composer::create(owner, {.name = "room " + std::to_string(++x_count),
                                                    .topic = "what it is for",
                                                    .kind = model::RoomKind::group,
                                                    .visibility = model::Visibility::open,
                                                    .member_ids = std::move(others)}))
            .room_id;
    }
    model::MessageId post(model::RoomId room, model::UserId user, std::string_view text,
                          std::string_view nonce = {}) {
        // Of the kind that grows with time, so that the shard is not asked for it.
        const std::string number = std::to_string(1'000'000'000 + ++x_count);
        const std::string own = nonce.empty() ? "01" + number : std::string(nonce);
        return event(chat::Composer::post(room, user, {own, "TEXT", text, {}, {}})).id;
    }
    // What is not in the rows yet, and where it leads.
    ports::ShardBatch batch() { return {kPartition, position, partition->take_unstored()}; }
    ports::ShardBatch store() {
        auto rows = batch();
        if (!writes.write(rows).value()) throw std::runtime_error("fenced");
        partition->note_stored(rows.events);
        return rows;
    }

    const std::string target;
    postgres::ShardStore reads, writes;
    ports::PartitionPosition position;
    model::Time now{1'767'323'045'678};
    std::optional<ingest::PartitionStore> partition;
    std::optional<chat::Sequencer> sequencer;

private:
    int x_count = 0;
};

} // namespace parley::test
