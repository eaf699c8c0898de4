#include "adapters/sqlite/room_words.hpp"

namespace parley::sqlite {

Task<Result<std::vector<ports::RoomWords>>> RoomWords::all_room_words() {
    using All = std::vector<ports::RoomWords>;
    return x_readers.read([](Database& database) -> Result<All> {
        All all;
        auto query = database.query("SELECT w.room_id, w.revision, w.words FROM room_words w "
                                    "CROSS JOIN rooms r ON r.id = w.room_id WHERE r.deleted = 0");
        while (query.row())
            all.push_back({query.id<model::RoomId>(0), query.integer(1), query.string(2)});
        return all;
    });
}

Task<Result<std::string>> RoomWords::room_words(model::RoomId room) {
    return x_readers.read([room](Database& database) -> Result<std::string> {
        auto query = database.query("SELECT words FROM room_words WHERE room_id = ?");
        query.bind(room);
        return query.row() ? query.string(0) : std::string();
    });
}

// The row stays also without words: its revision tells a reload that it is newer than what is read.
Task<Result<std::int64_t>> RoomWords::set_room_words(model::RoomId room, std::string words) {
    return x_writer.run([this, room, words = std::move(words)]() -> Result<std::int64_t> {
        std::int64_t revision = 1;
        {
            auto query = x_writing.query("SELECT ifnull(max(revision), 0) + 1 FROM room_words");
            if (query.row()) revision = query.integer(0);
        }
        x_writing
            .query("INSERT INTO room_words (room_id, revision, words) VALUES (?1, ?2, ?3) "
                   "ON CONFLICT DO UPDATE SET revision = ?2, words = ?3")
            .bind(room, revision, std::string_view(words))
            .run();
        return revision;
    });
}

} // namespace parley::sqlite
