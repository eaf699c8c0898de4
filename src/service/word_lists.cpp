#include "service/word_lists.hpp"

#include "base/limits.hpp"
#include "chat/word_matcher.hpp"

namespace parley::service {

WordLists::WordLists(chat::ContentFilter& filter, ReadFiles read_files, ports::WordStore& store,
                     const ports::Clock& clock, Logger& log, Metrics& metrics)
    : x_filter(filter),
      x_read_files(std::move(read_files)),
      x_store(store),
      x_clock(clock),
      x_log(log),
      x_generation(metrics.gauge("parley_filter_generation", "Word lists read since the start")),
      x_words(metrics.gauge("parley_filter_words", "Words of the lists, without those of rooms")),
      x_failures(metrics.counter("parley_filter_reload_failures_total",
                                 "Reloads that left the old word lists in force")),
      x_worker("filter", limits::kFilterThreads, limits::kFilterQueue, metrics) {}

WordReport WordLists::report() const {
    const std::lock_guard lock(x_mutex);
    return x_report;
}

// --- all lists

Task<Result<WordReport>> WordLists::reload() {
    PARLEY_CO_TRY(auto rooms, co_await x_store.all_room_words());
    auto job = [this, rooms = std::move(rooms)](std::size_t) { return load(rooms); };
    auto loading = x_worker.run(std::move(job));
    co_return co_await std::move(loading);
}

Result<WordReport> WordLists::load(const std::vector<ports::RoomWords>& rooms) {
    WordReport report;
    auto everywhere = compile_files(report);
    if (!everywhere) {
        x_failures.add();
        x_log.error("The word lists were not read; the old ones stay in force",
                    {{"why", std::string_view(everywhere.error().detail)}});
        return everywhere.error();
    }
    auto next = std::make_shared<Snapshot>(*x_filter.snapshot());
    next->everywhere = std::move(*everywhere);
    for (const ports::RoomWords& room : rooms) take_room(*next, room);
    report.rooms = next->rooms.size();
    x_filter.publish(std::move(next));
    report.loaded_at = x_clock.now();
    std::size_t words = 0;
    for (const auto& [language, count] : report.words) words += count;
    const std::lock_guard lock(x_mutex);
    report.generation = x_report.generation + 1;
    x_report = report;
    x_generation.set(static_cast<std::int64_t>(report.generation));
    x_words.set(static_cast<std::int64_t>(words));
    x_log.info("word lists in force", {{"generation", report.generation}, {"words", words}});
    return report;
}

Result<WordLists::Matcher> WordLists::compile_files(WordReport& report) const {
    PARLEY_TRY(const std::vector<WordFile> files, x_read_files());
    std::vector<chat::WordEntry> all;
    for (const WordFile& file : files) {
        PARLEY_TRY(auto entries, chat::parse_word_file(file.name, file.bytes));
        report.words[file.language] += entries.size();
        std::move(entries.begin(), entries.end(), std::back_inserter(all));
    }
    return compile(std::move(all));
}

Result<WordLists::Matcher> WordLists::compile(std::vector<chat::WordEntry> entries) const {
    if (entries.empty()) return Matcher();
    return chat::WordMatcher::make(x_filter.folding(), std::move(entries));
}

// --- those of rooms

void WordLists::take_room(Snapshot& snapshot, const ports::RoomWords& room) {
    std::int64_t& revision = x_revisions[room.room_id];
    if (room.revision <= revision) return;
    auto entries = chat::parse_word_file("the room's words", room.words);
    auto matcher = entries ? compile(std::move(*entries)) : entries.error();
    if (!matcher) {
        // They were good when they were stored; another program has written them.
        x_log.error("a room's words cannot be used", {{"room", room.room_id.to_string()}});
        return;
    }
    revision = room.revision;
    if (*matcher)
        snapshot.rooms[room.room_id] = std::move(*matcher);
    else
        snapshot.rooms.erase(room.room_id);
}

Task<Result<std::vector<chat::WordEntry>>> WordLists::room_words(model::RoomId room) {
    PARLEY_CO_TRY(const std::string words, co_await x_store.room_words(room));
    co_return chat::parse_word_file("the room's words", words);
}

Task<Result<void>> WordLists::set_room_words(model::RoomId room,
                                             std::vector<chat::WordEntry> entries) {
    if (entries.size() > limits::kRoomWords)
        co_return Error(Errc::too_long,
                        "words: at most " + std::to_string(limits::kRoomWords) + " were expected.");
    ports::RoomWords wanted{room, 0, chat::print_words(entries)};
    if (wanted.words.size() > limits::kRoomWordsBytes)
        co_return Error(Errc::too_long, "words: all together are too long.");
    const auto in_force = x_filter.snapshot();
    if (!entries.empty() && in_force->rooms.size() >= limits::kRoomsWithWords &&
        !in_force->rooms.contains(room))
        co_return Error(Errc::overloaded, "Too many rooms have words of their own.");
    // Whatever is wrong with them is told before they are stored.
    PARLEY_CO_TRY(auto parsed, chat::parse_word_file("words", wanted.words));
    if (parsed != entries)
        co_return Error(Errc::invalid_field,
                        "words: no line break, and no white space at a word's ends, was expected.");
    PARLEY_CO_CHECK(compile(std::move(parsed)));
    PARLEY_CO_TRY(wanted.revision, co_await x_store.set_room_words(room, wanted.words));
    auto job = [this, wanted](std::size_t) -> Result<void> {
        auto next = std::make_shared<Snapshot>(*x_filter.snapshot());
        take_room(*next, wanted);
        const std::lock_guard lock(x_mutex);
        x_report.rooms = next->rooms.size();
        x_filter.publish(std::move(next));
        return {};
    };
    auto taking = x_worker.run(std::move(job));
    co_return co_await std::move(taking);
}

} // namespace parley::service
