// The bounds of what only a cluster has. As in limits.hpp: beside each stands what happens there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace parley::limits {

using namespace std::chrono_literals;

inline constexpr std::uint32_t kBuckets = 1024; // rooms fall into these, for ever
inline constexpr std::uint32_t kPartitionsMax = 512; // the log's; ids carry the number
inline constexpr std::uint16_t kFirstLeasedNode = 512; // ids of processes: 512..1023

// --- time-outs, each longer than the one below it: client 15 s > HTTP 15 s > answer > log
// --- time-outs, each longer than the one below it: client 15 s > HTTP 15 s > answer > log
inline constexpr auto kProduceTimeout = 8s;    // a draft not in the log by then: unavailable
inline constexpr auto kAnswerTimeout = 10s;    // a change that nobody answered: unavailable
inline constexpr auto kCaughtUpTimeout = 6s;   // a read that waits for the store: unavailable
inline constexpr auto kShardCallTimeout = 5s;  // one statement, or a connection
inline constexpr auto kBusCallTimeout = 500ms; // one call of the presence board: unavailable

// --- the log
inline constexpr std::size_t kDraftQueue = 64 * 1024; // records of the producer: overloaded
inline constexpr std::size_t kDraftQueueBytes = 64 * 1024 * 1024;
inline constexpr std::size_t kDraftRecordBytes = 256 * 1024; // larger ones are dead letters
inline constexpr std::size_t kConsumerBatch = 1000;          // records handed on at once
inline constexpr std::size_t kPendingAnswers = 256 * 1024;   // of one process: overloaded
inline constexpr std::size_t kConsumerReadAheadKib = 32 * 1024; // in memory, before a hand-over
inline constexpr auto kConsumerStall = 30s; // a handler that takes longer loses its partitions
inline constexpr auto kConsumerCommit = 5s; // how often displays learn how far the store is
inline constexpr auto kLogEndsTimeout = 1s; // one look at the ends of all partitions: unavailable
inline constexpr std::size_t kLogEndsWaiting = 64 * 1024; // calls that share a look: overloaded
inline constexpr int kReserveShort = 80; // percent of the retention; older and not stored: no more
inline constexpr auto kReserveLook = 10s;      // or a fortieth of the retention, but
inline constexpr auto kReserveLookMin = 500ms; // not more often
inline constexpr auto kReserveTimeout = 1s;    // of one question; then the last answer stands
inline constexpr auto kProducerStop = 2s;  // what is queued then gets so long, and fails
inline constexpr auto kTopicTimeout = 30s; // to make a topic, or to find that it is right

// --- the worker of a partition
inline constexpr std::size_t kUnstoredEvents = 1'000'000; // of a shard: its partitions are paused
inline constexpr std::size_t kUnstoredBytes = 1024 * 1024 * 1024;
inline constexpr std::size_t kSequenceStep = 1'000; // drafts between two times of publishing
inline constexpr auto kShardTryAgain = 200ms;       // after a shard did not answer
inline constexpr auto kFencePause = 1s; // after another worker has taken a partition over
inline constexpr std::size_t kStoreBatch = 5'000; // events of one transaction
inline constexpr auto kStorePause = 20ms;         // between two transactions, so that batches fill
inline constexpr auto kStoreRetry = 250ms;        // after a failure; the next waits twice as long
inline constexpr auto kStoreRetryMax = 2s;
inline constexpr std::size_t kWorkerRooms = 100'000; // in memory; the one used longest ago goes

// --- the store
inline constexpr std::size_t kShardConnections = 4, kDirectoryConnections = 4; // of one process
inline constexpr std::size_t kShardQueue = 4'096; // calls that wait: overloaded
inline constexpr std::size_t kShards = 64;
inline constexpr auto kShardReconnect = 250ms; // after a failed attempt none: unavailable at once
inline constexpr std::size_t kShardQueuedStatements = 1'000; // of a connection; then they are run
inline constexpr std::size_t kClaimAttempts = 5; // at a name that comes and goes: unavailable
inline constexpr std::size_t kErasureSuccessors = 1'000; // members looked at for a room's new owner
inline constexpr std::size_t kShardInsertRows = 5'000; // of one statement; then the next one
inline constexpr std::size_t kShardInsertBytes = 8 * 1024 * 1024; // of their texts, the same
inline constexpr auto kMigrationTimeout = 30min; // one step, or waiting for who migrates already

// --- the bus
inline constexpr std::size_t kBusQueueBytes = 32 * 1024 * 1024; // the oldest are dropped
inline constexpr auto kBusReconnect = 100ms;
inline constexpr std::size_t kBusWriteBytes = 256 * 1024; // handed to a socket; the rest is queued
inline constexpr std::size_t kBusReadBytes = 256 * 1024;  // of one read, and of one hand-over
inline constexpr std::size_t kBusChannelsStep = 500;      // in one command
inline constexpr auto kBusQuiet = 500ms; // nothing was heard for so long: PING
inline constexpr auto kBusDead = 1s;     // no answer to it: the connection is cut
inline constexpr auto kHeadsLook = 1s; // rooms with listeners: has the store something newer?
inline constexpr auto kPresenceLease = 3s;      // of a node; it says beat() each second
inline constexpr auto kNodeLease = 60s;         // of a node's number
inline constexpr auto kNodeLeaseRenew = 10s;
inline constexpr auto kNodeLeaseMargin = 10s; // before its end: the process ends
inline constexpr std::size_t kPresenceStep = 1'000; // users in one call
inline constexpr std::size_t kPresenceThreads = 2;
inline constexpr std::size_t kPresenceQueue = 1'024; // calls that wait: overloaded
inline constexpr auto kPresenceBreak = 500ms; // after a failure all calls are refused at once

// --- the storage of media (S3)
inline constexpr std::size_t kStorageThreads = 4;
inline constexpr std::size_t kStorageQueue = 256;      // calls that wait: overloaded
inline constexpr auto kStorageConnectTimeout = 1s;     // then media_unavailable
inline constexpr auto kStorageCallTimeout = 4s;        // of a call without a file, the same
inline constexpr auto kStorageFileTimeout = 10min;     // of one with a file
inline constexpr auto kStorageStall = 10s;             // of such a one without 1 KiB a second
inline constexpr int kStorageAttempts = 3;             // of one call, while the budget lasts:
inline constexpr int kStorageRetriesPerTenCalls = 2;   // and so many tens are remembered:
inline constexpr int kStorageRetriesSaved = 20;
inline constexpr int kStorageFailuresBreak = 5;        // one after the other; then for so long
inline constexpr auto kStorageBreak = 500ms;           // all calls are refused at once
inline constexpr std::size_t kStorageAnswerBytes = 1024 * 1024; // without a file: unavailable
inline constexpr std::uint64_t kStorageWholeBytes = 16ull << 20; // larger uploads come in parts
inline constexpr std::uint64_t kStoragePartBytes = 8ull << 20;   // at least, and as many as needed
inline constexpr std::uint64_t kStorageParts = 500;              // for no more parts than these
inline constexpr auto kStoragePartsLife = 1h;          // of the tickets of all parts of an upload
inline constexpr auto kStorageLook = 1'000ms; // between two looks at bucket and clock
inline constexpr auto kStorageSkew = 2s;               // of clocks; more is made up for
inline constexpr auto kCdnWindow = 300s;               // all who ask in it get the same URL
inline constexpr std::uint64_t kCdnSliceBytes = 4ull << 20; // as in deploy/nginx/cdn.conf.in
inline constexpr std::uint64_t kCdnSlicesPurged = 16'384;   // of one object

// --- what a node has missed
inline constexpr std::size_t kWaitingBehindGap = 4'096; // events of a room; the rest is read later
inline constexpr std::size_t kToldRemembered = 1'024;   // events of rooms that are not in memory
inline constexpr auto kSendersWait = 4s;  // behind a gap; then they are answered without it
inline constexpr auto kHeadLate = 400ms;  // what is in the store for so long has been missed
inline constexpr auto kReadAgain = 50ms;  // after a failure; the next waits twice as long
inline constexpr auto kReadAgainMax = 2s;
// A room that nobody listens to is believed to be as it was read; then it is read again.
inline constexpr auto kRoomTrusted = 1500ms;
inline constexpr auto kFollowWait = 500ms; // for a subscription; then the room is read without
inline constexpr auto kCaughtUpLook = 2ms; // at the store's position; the next waits twice as long
inline constexpr auto kCaughtUpLookMax = 25ms;
// Longer than a draft may lie in the log unanswered, and a process may stand still.
inline constexpr auto kClaimGrace = 2min; // of a name that its room does not use

} // namespace parley::limits
