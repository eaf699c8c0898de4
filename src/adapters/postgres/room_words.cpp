#include "adapters/postgres/room_words.hpp"

#include "adapters/postgres/locks.hpp"

namespace parley::postgres {

Task<Result<std::vector<ports::RoomWords>>> RoomWords::all_room_words() {
    using All = std::vector<ports::RoomWords>;
    return x_pool.run([](Connection& database) -> Result<All> {
        All all;
        const Rows rows =
            database.query("SELECT room_id, revision, words FROM room_words");
        for (const Row row : rows)
            all.push_back({row.id<model::RoomId>(0), row.integer(1), row.string(2)});
        return all;
    });
}

Task<Result<std::string>> RoomWords::room_words(model::RoomId room) {
    return x_pool.run([room](Connection& database) -> Result<std::string> {
        const Rows rows =
            database.query("SELECT words FROM room_words WHERE room_id = $1", Params(room));
        return rows.empty() ? std::string() : rows.front().string(0);
    });
}

// The row stays also without words: its revision tells a reload that it is newer than what is read.
Task<Result<std::int64_t>> RoomWords::set_room_words(model::RoomId room, std::string words) {
    return x_pool.run(
        [room, words = std::move(words)](Connection& database) -> Result<std::int64_t> {
            Transaction transaction(database);
            lock(database, Lock::room_words);
            const Rows rows = database.query(
                "INSERT INTO room_words (room_id, revision, words) "
                "VALUES ($1, (SELECT coalesce(max(revision), 0) + 1 FROM room_words), $2) "
                "ON CONFLICT (room_id) DO UPDATE SET revision = excluded.revision, words = $2 "
                "RETURNING revision",
                Params(room, words));
            transaction.commit();
            return rows.front().integer(0);
        });
}

} // namespace parley::postgres
