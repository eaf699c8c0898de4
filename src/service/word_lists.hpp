// WordLists: which words are in force. Reads and compiles lists beside the cores and publishes them
// to the ContentFilter, at the start, on reload() (by signal or API) and when a room changes its
// own.
//
// All lists of one reload come into force together; when one of them is bad, none does, and those
// in force stay. A room's words are stored first and in force when set_room_words() answers; of two
// changes at once the one that was stored later stays.
//
// Threading: any core; work is done on a thread of its own. Owner: app/wiring, before the cores.
// Shutdown: stop() lets what runs finish; later calls get shutting_down. Bounds: limits::kFilter*,
// kRoomWords, kRoomsWithWords. Errors besides those named: overloaded, unavailable.
#pragma once

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/worker_pool.hpp"
#include "chat/content_filter.hpp"
#include "ports/clock.hpp"
#include "ports/word_store.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace parley::service {

struct WordFile {
    std::string language, name, bytes; // name: for messages
};

struct WordReport {
    std::uint64_t generation = 0; // of the lists, from 1
    model::Time loaded_at;
    std::map<std::string, std::size_t> words; // by language
    std::size_t rooms = 0;                    // with words of their own
};

class WordLists {
public:
    // Called on this object's thread; may block.
    using ReadFiles = std::function<Result<std::vector<WordFile>>()>;
    WordLists(chat::ContentFilter& filter, ReadFiles read_files, ports::WordStore& store,
              const ports::Clock& clock, Logger& log, Metrics& metrics);
    void stop() { x_worker.stop(); }

    // invalid_field: the detail names file and line.
    Task<Result<WordReport>> reload();
    WordReport report() const;

    Task<Result<std::vector<chat::WordEntry>>> room_words(model::RoomId room);
    // invalid_field, too_long; overloaded: too many rooms have words.
    Task<Result<void>> set_room_words(model::RoomId room, std::vector<chat::WordEntry> entries);

private:
    using Matcher = std::shared_ptr<const chat::WordMatcher>;
    using Snapshot = chat::ContentFilter::Snapshot;
    // On the worker.
    Result<WordReport> load(const std::vector<ports::RoomWords>& rooms);
    Result<Matcher> compile_files(WordReport& report) const;
    void take_room(Snapshot& snapshot, const ports::RoomWords& room);
    Result<Matcher> compile(std::vector<chat::WordEntry> entries) const;

    chat::ContentFilter& x_filter;
    const ReadFiles x_read_files;
    ports::WordStore& x_store;
    const ports::Clock& x_clock;
    Logger& x_log;
    Gauge &x_generation, &x_words;
    Counter& x_failures;
    std::unordered_map<model::RoomId, std::int64_t> x_revisions; // in force; the worker's
    mutable std::mutex x_mutex;
    WordReport x_report; // guarded by x_mutex
    WorkerPool x_worker; // last: its thread ends first
};

} // namespace parley::service
