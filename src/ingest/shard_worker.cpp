#include "ingest/shard_worker.hpp"

#include "base/cluster_limits.hpp"
#include "protocol/log/bytes.hpp"
#include "protocol/log/channels.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace parley::ingest {

namespace plog = protocol::log;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kEventOverhead = 400; // bytes that an event takes in memory, about

std::size_t size_of(const model::Sequenced& sequenced) {
    const model::EventBody& body = sequenced.event().body;
    std::size_t text = 0;
    if (const auto* posted = std::get_if<model::MessagePosted>(&body))
        text = posted->message.content.size() + posted->nonce.size();
    else if (const auto* edited = std::get_if<model::MessageEdited>(&body))
        text = edited->message.content.size();
    return kEventOverhead + 2 * text; // once in the queue, once in the store's memory
}

// Concerns people who may not listen to the room.
bool is_personal(const model::Durable& durable) {
    return std::holds_alternative<model::MemberChanged>(durable.event().body) ||
           !durable.initial_members().empty();
}

} // namespace

ShardWorker::Probe::Probe(Metrics& m, const std::string& shard)
    : drafts(m.counter("parley_ingest_drafts_total", "Drafts taken from the log", shard)),
      events(m.counter("parley_ingest_events_total", "Drafts that became events", shard)),
      refused(m.counter("parley_ingest_refused_total", "Drafts that the rules refused", shard)),
      repeated(m.counter("parley_ingest_repeated_total", "Drafts that the log had already", shard)),
      dead(m.counter("parley_ingest_dead_letters_total", "Records that are none of ours", shard)),
      stored(m.counter("parley_ingest_stored_total", "Events written to the shard", shard)),
      batches(m.counter("parley_ingest_batches_total", "Transactions of the shard", shard)),
      failures(m.counter("parley_ingest_store_failures_total",
                         "Calls of the shard that failed; they are tried again", shard)),
      holes(m.counter("parley_ingest_holes_total",
                      "Times that records of the log were missing and were read again", shard)),
      fenced(m.counter("parley_ingest_fenced_total",
                       "Partitions that another worker had taken over", shard)),
      unstored(m.gauge("parley_ingest_unstored_events", "Events that are not in the shard yet",
                       shard)),
      owned(m.gauge("parley_ingest_partitions", "Partitions that this worker owns", shard)),
      stalled(m.gauge("parley_ingest_partitions_stalled",
                      "Partitions that wait for an answer of the shard", shard)),
      lag_ms(m.gauge("parley_ingest_lag_milliseconds",
                     "Age of the newest draft when it was sequenced", shard)) {}

ShardWorker::ShardWorker(ShardWorkerParts parts)
    : x_parts(std::move(parts)),
      x_probe(x_parts.metrics, "shard=\"" + std::to_string(x_parts.shard) + "\"") {}

ShardWorker::~ShardWorker() { stop(); }

void ShardWorker::start() {
    x_sequencer = std::thread([this] { sequence_loop(); });
    x_storer = std::thread([this] { store_loop(); });
    x_taker = std::thread([this] { take_loop(); });
    const std::string shard = std::to_string(x_parts.shard);
    ::pthread_setname_np(x_sequencer.native_handle(), ("sequence-" + shard).c_str());
    ::pthread_setname_np(x_storer.native_handle(), ("store-" + shard).c_str());
    ::pthread_setname_np(x_taker.native_handle(), ("take-" + shard).c_str());
}

void ShardWorker::stop() {
    {
        std::lock_guard lock(x_mutex);
        x_stopping = true;
    }
    x_work.notify_all();
    x_to_store.notify_all();
    x_to_take.notify_all();
    if (x_taker.joinable()) x_taker.join();
    if (x_sequencer.joinable()) x_sequencer.join();
    {
        std::lock_guard lock(x_mutex);
        x_sequencer_ended = true;
    }
    x_to_store.notify_all();
    if (x_storer.joinable()) x_storer.join();
}

// --- from the consumer

void ShardWorker::assign(ports::Partition partition) {
    {
        std::lock_guard lock(x_mutex);
        x_terms[partition] = ++x_last_term;
        x_assigned = x_terms.size();
        x_changed = true;
    }
    x_work.notify_one();
    x_to_take.notify_one();
}

void ShardWorker::revoke(ports::Partition partition) {
    {
        std::lock_guard lock(x_mutex);
        x_terms.erase(partition);
        x_assigned = x_terms.size();
        std::erase_if(x_arrived, [&](const auto& some) { return some.first == partition; });
        x_changed = true;
    }
    x_work.notify_one();
}

void ShardWorker::add(ports::Partition partition, std::vector<ports::DraftRecord> records) {
    {
        std::lock_guard lock(x_mutex);
        x_arrived.emplace_back(partition, std::move(records));
    }
    x_work.notify_one();
}

bool ShardWorker::ready() const { return x_taken == x_assigned; }

// --- sequencing

bool ShardWorker::wait_for_work(Work& work) {
    std::unique_lock lock(x_mutex);
    const auto something = [&] {
        return x_stopping || x_changed || !x_arrived.empty() || !x_stored.empty() ||
               !x_fenced.empty() || !x_taken_over.empty();
    };
    const bool waits_for_shard = std::any_of(
        x_owned.begin(), x_owned.end(), [](const auto& one) { return one.second->stalled; });
    if (waits_for_shard)
        x_work.wait_for(lock, limits::kShardTryAgain, something);
    else
        x_work.wait_for(lock, 1s, something);
    collect(work);
    return !x_stopping;
}

// Under x_mutex.
void ShardWorker::collect(Work& work) {
    x_changed = false;
    work.arrived = std::exchange(x_arrived, {});
    work.stored = std::exchange(x_stored, {});
    work.fenced = std::exchange(x_fenced, {});
    work.taken = std::exchange(x_taken_over, {});
    work.terms = x_terms;
    work.crowded = x_unstored_events > limits::kUnstoredEvents ||
                   x_unstored_bytes > limits::kUnstoredBytes;
}

void ShardWorker::sequence_loop() {
    Work work;
    while (wait_for_work(work)) do_work(work);
}

void ShardWorker::sequence_step() {
    Work work;
    {
        std::lock_guard lock(x_mutex);
        collect(work);
    }
    do_work(work);
}

void ShardWorker::do_work(Work& work) {
    settle(work);
    for (Taken& taken : work.taken)
        if (const auto term = work.terms.find(taken.partition);
            term != work.terms.end() && term->second == taken.term)
            begin(std::move(taken));
    for (auto& [partition, records] : work.arrived) {
        const auto found = x_owned.find(partition);
        if (found != x_owned.end()) take(*found->second, std::move(records));
    }
    for (auto& [partition, owned] : x_owned) run(*owned);
    for (auto& [partition, owned] : x_owned) balance(*owned, work.crowded);
    show();
}

// What the storer has done, and who owns what now.
void ShardWorker::settle(Work& work) {
    for (const Segment& segment : work.stored) {
        const auto found = x_owned.find(segment.rows.partition);
        if (found == x_owned.end() || found->second->term != segment.term) continue;
        found->second->store->note_stored(segment.rows.events);
        x_parts.consumer.note_stored(segment.rows.partition, segment.rows.position.next_offset);
    }
    for (const Fence& fence : work.fenced) {
        const auto found = x_owned.find(fence.partition);
        if (found == x_owned.end() || found->second->term != fence.term) continue;
        x_probe.fenced.add();
        x_parts.log.warning("another worker has taken the partition over",
                            {{"partition", fence.partition}});
        // If it is still this one's by then, it is taken back; else the log has taken it away.
        x_owned.erase(found);
        std::lock_guard lock(x_mutex);
        x_held.erase(fence.partition);
        x_next_take = x_parts.clock.steady() + limits::kFencePause;
        x_to_take.notify_one();
    }
    std::erase_if(x_owned, [&](const auto& one) {
        const auto term = work.terms.find(one.first);
        return term == work.terms.end() || term->second != one.second->term;
    });
    x_taken = x_owned.size();
}

void ShardWorker::begin(Taken taken) {
    auto owned = std::make_unique<Owned>();
    owned->partition = taken.partition;
    owned->term = taken.term;
    owned->position = taken.position;
    owned->store = std::make_unique<PartitionStore>(x_parts.reads, taken.position.last_id,
                                                    std::move(taken.newest_nonce));
    owned->ingester = *Ingester::open(*owned->store, x_parts.clock,
                                      static_cast<std::uint16_t>(taken.partition));
    x_parts.log.info("partition taken over",
                     {{"partition", taken.partition},
                      {"shard", x_parts.shard},
                      {"offset", taken.position.next_offset},
                      {"generation", taken.position.generation}});
    x_owned.insert_or_assign(taken.partition, std::move(owned));
    x_taken = x_owned.size();
    x_parts.consumer.start(taken.partition, taken.position.next_offset);
    // Also when nothing comes: who looks how far the shard is (kafka::Reserve) looks there.
    x_parts.consumer.note_stored(taken.partition, taken.position.next_offset);
}

// Each record once, and none before the one that it follows: after a partition was taken over
// again, what was read for the time before may still arrive.
void ShardWorker::take(Owned& owned, std::vector<ports::DraftRecord> records) {
    for (ports::DraftRecord& record : records) {
        const std::int64_t expected = owned.waiting.empty() ? owned.position.next_offset
                                                            : owned.waiting.back().offset + 1;
        if (record.offset > expected) {
            x_probe.holes.add();
            x_parts.log.warning("records of the log are missing; read again",
                                {{"partition", owned.partition},
                                 {"expected", expected},
                                 {"offset", record.offset}});
            x_parts.consumer.start(owned.partition, expected);
            return;
        }
        if (record.offset == expected) owned.waiting.push_back(std::move(record));
    }
}

ShardWorker::Decoded ShardWorker::decode_some(const Owned& owned) {
    Decoded some;
    while (some.records < std::min(owned.waiting.size(), limits::kSequenceStep)) {
        const ports::DraftRecord& record = owned.waiting[some.records];
        auto draft = record.value.size() > limits::kDraftRecordBytes
                         ? Result<plog::DraftRecord>(Error(Errc::too_long, "too large"))
                         : plog::Codec::decode_draft(record.value);
        if (draft) {
            some.drafts.push_back(std::move(*draft));
            some.indices.push_back(some.records);
        } else if (draft.error().code == Errc::unavailable) {
            some.newer = true;
            break;
        } else {
            some.dead.push_back({some.records, draft.error().detail});
        }
        ++some.records;
    }
    return some;
}

// Answers how many records are settled.
std::size_t ShardWorker::sequence(Owned& owned, Decoded& some) {
    std::vector<const model::Draft*> drafts;
    drafts.reserve(some.drafts.size());
    for (const auto& record : some.drafts) drafts.push_back(&record.draft.draft());
    const bool prepared = static_cast<bool>(owned.store->prepare(drafts));
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        const model::Time at = owned.waiting[some.indices[i]].at;
        ports::Outcome outcome;
        if (prepared) outcome = owned.ingester->run_one(some.drafts[i].draft, at);
        if (!prepared || (outcome.error && outcome.error->code == Errc::unavailable)) {
            x_probe.failures.add();
            owned.stalled = true;
            return some.indices[i];
        }
        x_probe.drafts.add();
        if (outcome.durable && !outcome.duplicate)
            owned.position.last_id = std::max(owned.position.last_id, outcome.durable->event().id);
        publish(owned, some.drafts[i].sender, std::move(outcome));
        x_probe.lag_ms.set(x_parts.clock.now().ms - at.ms);
    }
    return some.records;
}

void ShardWorker::bury(const Owned& owned, const Decoded& some, std::size_t done) {
    for (const Decoded::Dead& dead : some.dead) {
        if (dead.index >= done) return; // comes again
        const ports::DraftRecord& record = owned.waiting[dead.index];
        x_probe.dead.add();
        x_parts.log.error("a record of the log is none of ours",
                          {{"partition", owned.partition},
                           {"offset", record.offset},
                           {"detail", dead.reason}});
        x_parts.bury({owned.partition, record.offset, dead.reason, record.value});
    }
}

bool ShardWorker::is_sure(Owned& owned) {
    owned.unsure = owned.store->take_read() || owned.unsure;
    if (!owned.unsure) return true;
    const auto owns = x_parts.reads.owns(owned.partition, owned.position.generation);
    owned.unsure = !owns || !*owns;
    if (!owns) {
        x_probe.failures.add();
        owned.stalled = true;
    } else if (!*owns) {
        owned.fenced = true;
        std::lock_guard lock(x_mutex);
        x_fenced.push_back({owned.partition, owned.term});
        x_work.notify_one();
    }
    return !owned.unsure;
}

void ShardWorker::run(Owned& owned) {
    owned.stalled = false;
    if (owned.fenced || !is_sure(owned)) return;
    tell(owned);
    while (!owned.waiting.empty() && !owned.stalled) {
        Decoded some = decode_some(owned);
        if (some.newer) {
            x_parts.log.error("a record of a newer version: upgrade this worker",
                              {{"partition", owned.partition}});
            owned.stalled = true;
        }
        const std::int64_t before = owned.position.last_id.value;
        const std::size_t done = sequence(owned, some);
        bury(owned, some, done);
        if (done > 0) {
            owned.position.next_offset = owned.waiting[done - 1].offset + 1;
            owned.waiting.erase(owned.waiting.begin(),
                                owned.waiting.begin() + static_cast<std::ptrdiff_t>(done));
            owned.moved = true;
        }
        if (!is_sure(owned)) return;
        tell(owned);
        if (x_parts.published && owned.position.last_id.value > before)
            x_parts.published->note(owned.partition, before + 1, owned.position.last_id.value,
                                    x_parts.clock.now().ms);
    }
}

void ShardWorker::publish(Owned& owned, const plog::Sender& sender, ports::Outcome outcome) {
    if (outcome.error)
        x_probe.refused.add();
    else if (outcome.duplicate)
        x_probe.repeated.add();
    else if (outcome.durable) {
        x_probe.events.add();
        std::string record = plog::Codec::encode(sender, *outcome.durable);
        if (is_personal(*outcome.durable))
            owned.outgoing.push_back({std::string(plog::kPeopleChannel), record});
        owned.outgoing.push_back(
            {plog::room_channel(outcome.durable->event().room_id), std::move(record)});
    }
    if (sender.number == 0) return;
    plog::AnswerRecord answer;
    answer.number = sender.number;
    answer.room_id = outcome.room_id;
    answer.nonce = std::move(outcome.nonce);
    answer.duplicate = outcome.duplicate;
    answer.error = std::move(outcome.error);
    answer.durable = std::move(outcome.durable);
    plog::Writer list;
    list.bytes(plog::Codec::encode(answer));
    owned.answers[sender.node] += list.take();
}

void ShardWorker::tell(Owned& owned) {
    // Events before answers: a node that follows the room answers its people with the event.
    for (auto& [node, answers] : owned.answers)
        if (!answers.empty())
            owned.outgoing.push_back({plog::node_channel(node), std::exchange(answers, {})});
    if (owned.answers.size() > 1024) owned.answers.clear(); // nodes come and go
    if (!owned.outgoing.empty()) x_parts.bus.publish(std::exchange(owned.outgoing, {}));
    hand_to_storer(owned);
}

void ShardWorker::hand_to_storer(Owned& owned) {
    if (!owned.moved) return;
    owned.moved = false;
    Segment segment{.rows = {.partition = owned.partition,
                             .position = owned.position,
                             .events = owned.store->take_unstored()},
                    .term = owned.term,
                    .bytes = 0};
    for (const model::Sequenced& event : segment.rows.events) segment.bytes += size_of(event);
    if (x_parts.spans) add_spans(segment, ports::MessageSpan::Stage::sequence, 0);
    {
        std::lock_guard lock(x_mutex);
        x_unstored_events += segment.rows.events.size();
        x_unstored_bytes += segment.bytes;
        x_segments[owned.partition].push_back(std::move(segment));
    }
    x_to_store.notify_one();
}

// Too much in memory: the log keeps the rest for a while.
void ShardWorker::balance(Owned& owned, bool crowded) {
    const bool full = crowded || owned.waiting.size() > 4 * limits::kConsumerBatch;
    if (full == owned.paused) return;
    owned.paused = full;
    if (full)
        x_parts.consumer.pause(owned.partition);
    else
        x_parts.consumer.resume(owned.partition);
}

void ShardWorker::show() {
    x_probe.owned.set(static_cast<std::int64_t>(x_owned.size()));
    x_probe.stalled.set(std::count_if(x_owned.begin(), x_owned.end(),
                                      [](const auto& one) { return one.second->stalled; }));
}

} // namespace parley::ingest
