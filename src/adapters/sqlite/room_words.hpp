// WordStore on SQLite: reads on the reader threads, changes through the writer.
// Threading: any core. Owner: the store.
#pragma once

#include "adapters/sqlite/readers.hpp"
#include "adapters/sqlite/writer.hpp"
#include "ports/word_store.hpp"

namespace parley::sqlite {

class RoomWords final : public ports::WordStore {
public:
    // `writing`: the writer's connection, used on its thread.
    RoomWords(Readers& readers, Writer& writer, Database& writing)
        : x_readers(readers), x_writer(writer), x_writing(writing) {}

    Task<Result<std::vector<ports::RoomWords>>> all_room_words() override;
    Task<Result<std::string>> room_words(model::RoomId room) override;
    Task<Result<std::int64_t>> set_room_words(model::RoomId room, std::string words) override;

private:
    Readers& x_readers;
    Writer& x_writer;
    Database& x_writing;
};

} // namespace parley::sqlite
