// ShardWorker: the partitions of one shard that this process owns: drafts from the log in, events
// and answers out on the bus at once, rows into the shard a moment later.
//
// Three threads. The sequencer's takes drafts in the order of the log, sequences them over the
// PartitionStore of their partition, and publishes. The storer's writes what was sequenced in
// batches, each with the position that it leads to. When the shard does not answer, the storer
// tries again with the same batch, and people notice nothing but that history waits; drafts for
// which the shard must be asked wait, and with them their partition. A worker that has lost a
// partition to another one finds out by its generation, and drops it. The taker's takes partitions
// over, which needs the shard; those that are owned already go on meanwhile.
//
// A record that is none of ours goes to the dead letters, and its partition goes on. One of a
// newer version stops its partition: an upgraded worker will know it.
//
// A worker that stood still may go on with a partition that another one has by now. What it makes
// of memory alone is what the other one makes of the same log. But what it reads from the shard is
// the other one's: so nothing that rests on a read is told before the shard has said that the
// generation is still this one's.
//
// Threading: DraftHandler's calls from the consumer's thread; the rest from the owner's. Who has no
// threads to give (tests/sim) does not start() it, and takes each thread's steps itself. Owner:
// app. Shutdown: stop() stores what was sequenced, as long as the shard lets it, and joins.
// Bounds: limits::kUnstoredEvents and kUnstoredBytes; beyond them partitions are paused.
#pragma once

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/span_ring.hpp"
#include "ingest/ingester.hpp"
#include "ingest/partition_store.hpp"
#include "ports/bus.hpp"
#include "ports/draft_log.hpp"
#include "ports/span_sink.hpp"
#include "protocol/log/codec.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace parley::ingest {

struct DeadLetter {
    ports::Partition partition = 0;
    std::int64_t offset = 0;
    std::string reason, value;
};

struct ShardWorkerParts {
    std::size_t shard = 0;
    ports::ShardStore& reads;  // the sequencer's connection
    ports::ShardStore& writes; // the storer's
    ports::ShardStore& takes;  // the taker's
    ports::Bus& bus;
    ports::DraftConsumer& consumer;
    const ports::Clock& clock; // for time-outs only: events have the log's time
    std::function<void(DeadLetter)> bury;
    Logger& log;
    Metrics& metrics;
    // For traces: when events were published and stored, by partition. Null: nobody asks.
    SpanRing* published = nullptr;
    SpanRing* stored = nullptr;
    ports::SpanSink* spans = nullptr; // null: nobody collects them
};

class ShardWorker {
public:
    explicit ShardWorker(ShardWorkerParts parts);
    ~ShardWorker();
    void start();
    void stop();

    void assign(ports::Partition partition);
    void revoke(ports::Partition partition);
    void add(ports::Partition partition, std::vector<ports::DraftRecord> records);
    // Whether each owned partition has been taken over. Any thread.
    bool ready() const;

    // What the three threads do, one step each, without waiting. Storing and taking answer after
    // how long they want to come again; nullopt: when there is something.
    void sequence_step();
    std::optional<std::chrono::milliseconds> store_step();
    std::optional<std::chrono::milliseconds> take_step();

private:
    using Pause = std::optional<std::chrono::milliseconds>;
    // Of one partition, from take-over to revocation.
    struct Owned {
        ports::Partition partition = 0;
        std::uint64_t term = 0; // which assignment this is
        ports::PartitionPosition position;
        std::unique_ptr<PartitionStore> store;
        std::unique_ptr<Ingester> ingester;
        std::deque<ports::DraftRecord> waiting;
        bool stalled = false; // its first draft needs an answer of the shard
        bool paused = false;
        bool moved = false; // position is ahead of what the storer was given
        // What was sequenced rests on what was read from the shard, and is told when it is sure
        // that nobody else owned the partition by then.
        bool unsure = false;
        bool fenced = false; // somebody does
        std::vector<ports::BusMessage> outgoing;
        std::unordered_map<std::string, std::string> answers; // by node
    };
    // What one step of a partition has made, and where that leaves it.
    struct Segment {
        ports::ShardBatch rows;
        std::uint64_t term = 0;
        std::size_t bytes = 0;
    };
    void add_spans(const Segment& segment, ports::MessageSpan::Stage stage,
                   std::int64_t begin_us) const; // 0: when the log had each
    struct Fence {
        ports::Partition partition = 0;
        std::uint64_t term = 0;
    };
    struct Taken {
        ports::Partition partition = 0;
        std::uint64_t term = 0;
        ports::PartitionPosition position;
        std::string newest_nonce;
    };
    struct Work {
        std::vector<Taken> taken;
        std::vector<std::pair<ports::Partition, std::vector<ports::DraftRecord>>> arrived;
        std::vector<Segment> stored;
        std::vector<Fence> fenced;
        std::map<ports::Partition, std::uint64_t> terms;
        bool crowded = false; // too much is not stored yet
    };
    // The records that wait first, as far as they can be understood.
    struct Decoded {
        struct Dead {
            std::size_t index = 0;
            std::string reason;
        };
        std::size_t records = 0; // what follows is about so many
        std::vector<protocol::log::DraftRecord> drafts;
        std::vector<std::size_t> indices; // of the drafts' records
        std::vector<Dead> dead;           // none of ours
        bool newer = false;               // the record after them is of a newer version
    };

    // The sequencer's thread.
    void sequence_loop();
    bool wait_for_work(Work& work);
    void collect(Work& work);
    void do_work(Work& work);
    void settle(Work& work);
    void begin(Taken taken);
    void run(Owned& owned);
    void take(Owned& owned, std::vector<ports::DraftRecord> records);
    static Decoded decode_some(const Owned& owned);
    std::size_t sequence(Owned& owned, Decoded& some);
    void bury(const Owned& owned, const Decoded& some, std::size_t done);
    bool is_sure(Owned& owned);
    void publish(Owned& owned, const protocol::log::Sender& sender, ports::Outcome outcome);
    void tell(Owned& owned);
    void hand_to_storer(Owned& owned);
    void balance(Owned& owned, bool crowded);
    void show();

    // The taker's thread.
    void take_loop();
    Pause take_some(std::unique_lock<std::mutex>& lock);
    std::optional<Fence> next_to_take() const;
    Result<Taken> take_over(const Fence& wanted);

    // The storer's thread.
    void store_loop();
    bool wait_for_segments(std::unique_lock<std::mutex>& lock);
    Segment take_segments(std::deque<Segment>& waiting);
    void begin_round();
    Pause store_some(std::unique_lock<std::mutex>& lock);
    bool store_first(std::unique_lock<std::mutex>& lock);
    bool is_current(const Segment& segment) const;

    const ShardWorkerParts x_parts;

    mutable std::mutex x_mutex;
    std::condition_variable x_work, x_to_store, x_to_take;
    // Guarded by x_mutex:
    std::map<ports::Partition, std::uint64_t> x_terms; // of the partitions assigned now
    std::uint64_t x_last_term = 0;
    std::vector<std::pair<ports::Partition, std::vector<ports::DraftRecord>>> x_arrived;
    std::map<ports::Partition, std::deque<Segment>> x_segments; // to be stored
    std::vector<Segment> x_stored; // for the sequencer's thread to forget
    std::vector<Fence> x_fenced;
    std::map<ports::Partition, std::uint64_t> x_held; // terms for which the taker is done
    std::vector<Taken> x_taken_over;                  // for the sequencer's thread
    std::chrono::steady_clock::time_point x_next_take{};
    std::size_t x_unstored_events = 0, x_unstored_bytes = 0;
    bool x_changed = false; // x_terms
    bool x_stopping = false, x_sequencer_ended = false;
    std::atomic<std::size_t> x_taken{0}, x_assigned{0};

    // The storer's thread only: a segment of each partition that had some, and whether more waits.
    std::deque<Segment> x_round;
    bool x_more_waits = false;
    std::chrono::steady_clock::time_point x_round_begun{};
    std::chrono::milliseconds x_store_pause{}; // after a failure

    // The sequencer's thread only.
    std::map<ports::Partition, std::unique_ptr<Owned>> x_owned;

    struct Probe {
        Probe(Metrics& metrics, const std::string& shard);
        Counter &drafts, &events, &refused, &repeated, &dead, &stored, &batches, &failures, &holes,
            &fenced;
        Gauge &unstored, &owned, &stalled, &lag_ms;
    } x_probe;
    std::thread x_sequencer, x_storer, x_taker;
};

} // namespace parley::ingest
