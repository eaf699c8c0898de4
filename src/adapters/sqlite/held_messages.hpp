// HeldMessages: HeldStore on SQLite. Look-ups run on the reader threads, writes through the writer.
//
// Threading: any core. Owner: the store.
#pragma once

#include "adapters/sqlite/id_source.hpp"
#include "adapters/sqlite/readers.hpp"
#include "adapters/sqlite/writer.hpp"
#include "ports/held_store.hpp"

namespace parley::sqlite {

class HeldMessages final : public ports::HeldStore {
public:
    // `writing`: the writer's connection, used here now and on the writer's thread later.
    HeldMessages(Readers& readers, Writer& writer, Database& writing, Metrics& metrics);

    Task<Result<ports::HeldState>> hold(ports::HeldMessage held) override;
    Task<Result<std::vector<ports::HeldMessage>>> waiting(model::RoomId room, model::HeldId after,
                                                          std::size_t limit) override;
    Task<Result<ports::HeldMessage>> find_waiting(model::RoomId room, model::HeldId held) override;
    Task<Result<void>> decide(model::RoomId room, model::HeldId held, bool approved,
                              model::Time now) override;

private:
    // On the writer's thread, in its transaction.
    Result<ports::HeldState> insert(const ports::HeldMessage& held);
    std::optional<ports::HeldState> known(const ports::HeldMessage& held, Error* conflict);
    Result<void> write_decision(model::RoomId room, model::HeldId held, bool approved,
                                model::Time now);
    void count();

    Readers& x_readers;
    Writer& x_writer;
    Database& x_writing;
    Gauge& x_waiting;
    IdSource x_ids;
};

} // namespace parley::sqlite
