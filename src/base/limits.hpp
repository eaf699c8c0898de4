// Every bound of the product, in one place: what a client, a queue, a cache, a body or a retry may
// cost. Beside each stands what happens at the limit. Settings (app/config) may lower some of
// them; none is ever lifted by input.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace parley::limits {

using namespace std::chrono_literals;

// --- HTTP: 400/408/413/431 and close ------------------------------------------------------------
inline constexpr std::size_t kHttpHeaderBytes = 16 * 1024;
inline constexpr std::size_t kHttpBodyBytes = 64 * 1024;
inline constexpr auto kHttpHeaderTimeout =
    10s; // from the first byte (or accept) to the last header
inline constexpr auto kHttpBodyTimeout = 20s;
inline constexpr auto kHttpIdleTimeout = 75s;    // keep-alive between two requests
inline constexpr auto kHttpHandlerTimeout = 15s; // then 503 unavailable

// Of a body that goes to a file: what waits for the disk; then the connection is not read.
inline constexpr std::size_t kBodyStreamBytes = 512 * 1024;
inline constexpr auto kBodyStreamStall = 30s;   // without a byte, or without the disk: 408
inline constexpr auto kBodyStreamFinish = 120s; // from the last byte to the answer
inline constexpr std::size_t kFileBytesPerTurn = 1024 * 1024; // of one answer; the rest waits

// --- WebSocket: close codes 1009, 1002, 4000, 4001 ----------------------------------------------
inline constexpr std::size_t kFrameBytes = 64 * 1024;           // of one message after reassembly
inline constexpr std::size_t kFragmentsPerMessage = 128;        // 1009
inline constexpr auto kMessageAssemblyTimeout = 10s;            // first fragment to FIN: 1009
inline constexpr std::size_t kOutboundQueueBytes = 1024 * 1024; // 4001 too slow
inline constexpr std::size_t kOutboundQueueFrames = 8 * 1024;   // 4001 too slow
inline constexpr auto kWriteStallTimeout = 20s; // no byte accepted by the peer: 4001
inline constexpr auto kHeartbeat = 25s;         // ping interval
inline constexpr auto kIdle = 62500ms;          // 2.5 heartbeats without a byte: 4000
inline constexpr auto kHelloTimeout = 5s;       // no token by then: 4500
inline constexpr auto kCloseTimeout = 3s;       // our close frame to the peer's
static_assert(kIdle >= 2 * kHeartbeat);

// --- connections ---------------------------------------------------------------------------------
inline constexpr std::size_t kConnections = 19'000;       // per process: 503 at the handshake
inline constexpr std::size_t kConnectionsPerUser = 1'000; // sockets: 4502
// Sockets: 4502. A quarter more connections of any kind: 429 when they are accepted.
inline constexpr std::size_t kConnectionsPerAddress = 12'000;
inline constexpr std::size_t kSubscriptionsPerConnection = 2'000; // error invalid_field
inline constexpr std::size_t kRequestsInFlightPerConnection =
    256; // subscribes and reads that wait for the store: rate_limited
inline constexpr std::size_t kSendsInFlightPerConnection =
    4'096; // changes that wait for the log: rate_limited

inline constexpr double kRefusalsBeforeClose = 500; // of one socket, less those forgiven: 4002
inline constexpr double kRefusalsForgivenPerSecond = 10;
inline constexpr auto kBytesFloodTime = 30s; // over its budget of bytes without a pause: 4002
inline constexpr auto kReadPauseMax = 1s; // of a socket over its budget of bytes; then it is seen
inline constexpr std::uint32_t kSlowModeSecondsMax = 6 * 3600; // of a room
// The rates themselves are settings: service/rate_limits.cpp. Remembered users, addresses, account
// names, of each this many; then the one that has used the least goes.
inline constexpr std::size_t kRateRecords = 64 * 1024;

// --- one core's turn -----------------------------------------------------------------------------
inline constexpr int kPollsPerTurn = 1024; // then flush, whatever is still readable
inline constexpr std::size_t kReadBytesPerTurn =
    256 * 1024; // of one connection; the rest waits a turn

// --- content -------------------------------------------------------------------------------------
inline constexpr std::size_t kContentCodePoints = 4'000;
inline constexpr std::size_t kContentBytes = 4 * kContentCodePoints;
inline constexpr std::size_t kNonceBytes = 64;
inline constexpr std::size_t kRefBytes = 64;
inline constexpr std::size_t kEmojiBytes = 64;
inline constexpr std::size_t kEmojiCodePoints = 16;
inline constexpr std::size_t kUsernameMin = 3, kUsernameMax = 20; // code points
inline constexpr std::size_t kRoomNameMin = 3, kRoomNameMax = 50; // code points
inline constexpr std::size_t kTopicMax = 250;                     // code points
inline constexpr std::size_t kDisplayNameMax = 50;                // code points
inline constexpr std::size_t kEmailBytes = 254;
inline constexpr std::size_t kUserAgentBytes = 256; // of a session; the rest is left out
inline constexpr std::size_t kPeopleAsked = 100;    // by id in one call; invalid_field
inline constexpr std::size_t kPasswordMin = 8, kPasswordMax = 128; // code points
inline constexpr std::size_t kTokenBytes = 2'048;
inline constexpr int kJsonDepth = 16;
static_assert(kContentBytes < kFrameBytes && kContentBytes < kHttpBodyBytes);

// --- the content filter --------------------------------------------------------------------------
// Of a word file: it is refused, and the lists in force stay.
inline constexpr std::size_t kFilterWordBytes = 128;
inline constexpr std::size_t kFilterWordsPerFile = 200'000;
inline constexpr std::size_t kFilterFileBytes = 8 * 1024 * 1024;
inline constexpr std::size_t kFilterFiles = 64;
// Of the words that a room adds: 422 too_long.
inline constexpr std::size_t kRoomWords = 200;
inline constexpr std::size_t kRoomWordsBytes = 8 * 1024; // of all of them together
inline constexpr std::size_t kRoomsWithWords = 4'000;    // 503 overloaded beyond
inline constexpr std::size_t kFilterThreads = 1;         // read and compile lists
inline constexpr std::size_t kFilterQueue = 64;
inline constexpr std::size_t kHeldWordsTold = 8; // entries named for one held message

// --- media ---------------------------------------------------------------------------------------
inline constexpr std::uint64_t kMediaBytesMax = 5ull << 40;   // of the setting: what S3 takes
inline constexpr std::uint64_t kMediaOpenBytes = 16ull << 20; // whose size was not announced
inline constexpr std::size_t kMediaFilenameBytes = 255;       // 422 too_long
inline constexpr auto kMediaTicketLife = 60s;                 // an upload must have begun by then
inline constexpr auto kMediaUrlLife = 60s;                    // of a download, to begin
// Between an attach and the message in the store at most; until then nothing is removed.
inline constexpr auto kMediaAttachSettles = 10s;
inline constexpr auto kMediaUnusedLife = 24h; // of what was not finished, or never posted
inline constexpr auto kMediaSweep = 1'000ms;  // between two looks for what is to be removed
inline constexpr std::size_t kMediaSweepBatch = 50;
inline constexpr std::size_t kMediaRoomsAsked = 64; // of one file: where a reader may be a member
inline constexpr auto kMediaResumeLife = 24h;       // of an upload that has begun
inline constexpr std::size_t kDiskThreads = 2;
inline constexpr std::size_t kDiskQueue = 32 * 1024;       // overloaded
inline constexpr std::uint64_t kDiskReserve = 64ull << 20; // left free for everything else

// --- pages ---------------------------------------------------------------------------------------
inline constexpr std::size_t kPageDefault = 50, kPageMax = 100;
inline constexpr std::size_t kClassicHistoryPage = 20;
inline constexpr std::size_t kClassicListMax = 1'000; // rooms or members in one classic answer
inline constexpr std::size_t kResumePage = 500;       // events in one `subscribed`, then more:true
inline constexpr std::size_t kCatchUpFrames = 512;    // live frames held while a resume reads
inline constexpr std::size_t kUnreadCountMax = 1'000; // counting stops there
inline constexpr std::size_t kUnreadScanMax =
    10'000; // newest messages looked at for an unread count or a last message
inline constexpr std::size_t kReactionsPerMessage = 2'000; // forbidden beyond
inline constexpr std::size_t kReactionUsersShown = 20;     // user_ids per emoji in history

// --- rooms ---------------------------------------------------------------------------------------
inline constexpr std::size_t kMembersPerRoom = 100'000;  // 403 forbidden beyond
inline constexpr std::size_t kInitialMembers = 1'000;    // member_ids of one POST /v1/rooms
inline constexpr std::size_t kRoomsCached = 50'000;      // per core; least recently used goes
inline constexpr std::size_t kMembersCached = 4'000'000; // per core, all rooms together

// --- presence, typing, receipts --------------------------------------------------------------
inline constexpr auto kPresenceTick = 100ms;         // grace, receipts and waiting events look here
inline constexpr std::size_t kPresenceRoomMax = 200; // members; beyond, counts in place of events
inline constexpr auto kPresenceGrace = 10s;          // offline only this long after a drop
inline constexpr auto kPresenceWrites = 1s;          // who came online or left is stored together
inline constexpr auto kAliveWrites = 5s;             // how exact last_seen_at is after a crash
inline constexpr std::size_t kPresenceBatch = 1'000; // users in one such write; the rest next time
inline constexpr std::size_t kPresenceUnstored =
    200'000; // users whose change waits for the store; then it is not stored
inline constexpr auto kTypingEvery = 3s;                  // of a user in a room; more are dropped
inline constexpr std::size_t kTypingRemembered = 100'000; // per core; then they are dropped
inline constexpr auto kReceiptEvery = 250ms; // of a room, and of a user's own; the newest wait
inline constexpr std::size_t kReceiptsWaiting = 200'000; // per core; then they are dropped
inline constexpr std::size_t kReadMarksBatch = 1'000;    // in one write
inline constexpr auto kMemberEventsWait = 5s;      // in a large room, for the next other event
inline constexpr std::size_t kWaitingEvents = 500; // of a room; then they go out
static_assert(kReceiptEvery >= kPresenceTick);

// --- held for a moderator
// -------------------------------------------------------------------------
inline constexpr std::size_t kHeldPerRoom = 1'000; // that wait; content_rejected beyond

// --- retention: a batch, then a pause, so that chat goes on
// -------------------------------------------------------------------------
inline constexpr std::uint32_t kRetentionDaysMax = 36'500;
inline constexpr std::size_t kRetentionBatch = 200; // rows of messages, and of events, at a time
inline constexpr std::size_t kRetentionRooms = 500; // looked at in one step
inline constexpr auto kRetentionPause = 20ms;       // between two steps
inline constexpr auto kRetentionPass = 60'000ms;    // between two passes over all rooms

// --- erasing a user: a step, then a pause, so that chat goes on
// -------------------------------------------------------------------------
inline constexpr std::size_t kErasureBatch = 100;   // messages or reactions of one step
inline constexpr std::size_t kErasureScan = 20'000; // messages looked at in one step
inline constexpr auto kErasurePause = 20ms;         // between two steps
inline constexpr auto kErasureRetry = 1'000ms;      // after a step that failed

// --- the log -------------------------------------------------------------------------------------
inline constexpr std::size_t kLogQueue = 64 * 1024; // drafts waiting for the writer: unavailable
inline constexpr std::size_t kLogQueueBytes = 64 * 1024 * 1024; // of their texts: unavailable
inline constexpr std::size_t kCommitBatch = 4 * 1024;           // drafts in one transaction
inline constexpr std::size_t kRoomHeadsCached = 100'000;        // last ids kept by the sequencer
inline constexpr std::size_t kStoreRoomsCached =
    20'000; // rooms, and roles x 4, that the store remembers; then it forgets all
inline constexpr std::size_t kCommandQueue = 8 * 1024; // directory writes waiting: unavailable
static_assert(kCommitBatch <= kLogQueue);

// --- worker pools: overloaded when full
// -----------------------------------------------------------
inline constexpr std::size_t kReaderThreads = 2;
inline constexpr std::size_t kReaderQueue = 16 * 1024;
inline constexpr std::size_t kHasherThreads = 1;
inline constexpr std::size_t kHasherQueue = 256;

// --- sessions ------------------------------------------------------------------------------------
inline constexpr auto kAccessTokenLife = 15min;
inline constexpr auto kAccessTokenLifeMax = 24h; // of the setting
// Of a token for classic clients, which know no refresh: the default, and the most that may be set.
inline constexpr auto kClassicTokenLife = 7 * 24h, kClassicTokenLifeMax = 30 * 24h;
inline constexpr auto kRefreshTokenLife = 30 * 24h;
inline constexpr auto kClockLeeway = 30s;
inline constexpr std::size_t kSecretBytes = 32;
inline constexpr std::size_t kRevokedSessions =
    1'000'000; // remembered; then the one that ends first goes
static_assert(kClassicTokenLifeMax <= kRefreshTokenLife, "the store forgets a session after that");
static_assert(kClockLeeway <= 60s);
inline constexpr auto kStoreLookInterval =
    1'000ms; // for what the command line has changed beside the server

// --- stopping ------------------------------------------------------------------------------------
inline constexpr auto kDrainTimeout = 8s; // then what is left is cut; exit within 10 s

} // namespace parley::limits
