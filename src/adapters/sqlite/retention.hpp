// Retention: RetentionStore on SQLite. What is too old is found by id, since an id holds the time
// at which it was given: one range of one index. Freed bytes are overwritten (PRAGMA
// secure_delete).
//
// Threading: any core. Owner: the store.
#pragma once

#include "adapters/sqlite/readers.hpp"
#include "adapters/sqlite/writer.hpp"
#include "ports/retention_store.hpp"

namespace parley::sqlite {

class Retention final : public ports::RetentionStore {
public:
    Retention(Readers& readers, Writer& writer, Database& writing)
        : x_readers(readers), x_writer(writer), x_writing(writing) {}

    Task<Result<ports::RetentionStep>> remove_old(model::RoomId room, std::uint32_t server_days,
                                                  model::Time now) override;

private:
    // On the writer's thread, in its transaction.
    std::uint64_t remove_batch(model::RoomId room, model::EventId before);
    std::uint64_t remove_through(model::RoomId room, model::EventId last);
    bool remove_reactions(model::RoomId room, model::EventId last);

    Readers& x_readers;
    Writer& x_writer;
    Database& x_writing;
};

} // namespace parley::sqlite
