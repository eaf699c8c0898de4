// RoomWords: WordStore on the directory. Which rooms are deleted stands elsewhere: the lists of
// deleted ones are answered too. Changes wait for each other, so that revisions become visible in
// their order.
//
// Threading: any core. Owner: the directory.
#pragma once

#include "adapters/postgres/pool.hpp"
#include "ports/word_store.hpp"

namespace parley::postgres {

class RoomWords final : public ports::WordStore {
public:
    explicit RoomWords(Pool& pool) : x_pool(pool) {}

    Task<Result<std::vector<ports::RoomWords>>> all_room_words() override;
    Task<Result<std::string>> room_words(model::RoomId room) override;
    Task<Result<std::int64_t>> set_room_words(model::RoomId room, std::string words) override;

private:
    Pool& x_pool;
};

} // namespace parley::postgres
