// Erasures: ErasureStore on SQLite. Look-ups run on the reader threads, writes through the writer,
// a few hundred rows each.
//
// Freed bytes are overwritten in the file (PRAGMA secure_delete), and the write-ahead log, which
// still holds older pages, is emptied at the end of an erasure.
//
// Threading: any core. Owner: the store.
#pragma once

#include "adapters/sqlite/checkpointer.hpp"
#include "adapters/sqlite/readers.hpp"
#include "adapters/sqlite/writer.hpp"
#include "ports/erasure_store.hpp"

namespace parley::sqlite {

class Erasures final : public ports::ErasureStore {
public:
    Erasures(Readers& readers, Writer& writer, Database& writing, Checkpointer& checkpointer)
        : x_readers(readers), x_writer(writer), x_writing(writing), x_checkpointer(checkpointer) {}

    Task<Result<ports::Erasure>> request_erasure(model::UserId user, model::Time now) override;
    Task<Result<ports::Erasure>> find_erasure(model::UserId user) override;
    Task<Result<std::optional<ports::Erasure>>> next_erasure() override;
    Task<Result<std::vector<ports::ErasedMembership>>> memberships_of(model::UserId user,
                                                                      std::size_t limit) override;
    Task<Result<ports::ErasedMessages>> messages_of(model::UserId user, model::MessageId after,
                                                    std::size_t limit) override;
    Task<Result<std::vector<ports::ErasedReaction>>> reactions_of(model::UserId user,
                                                                  std::size_t limit) override;
    Task<Result<void>> blank_messages(model::UserId user, std::vector<model::MessageId> messages,
                                      model::MessageId scanned) override;
    Task<Result<void>> blank_room(model::UserId user, model::RoomId room) override;
    Task<Result<void>> count_left_room(model::UserId user) override;
    Task<Result<bool>> blank_reactions(model::UserId user,
                                       std::vector<ports::ErasedReaction> reactions) override;
    Task<Result<ports::Erasure>> finish_erasure(model::UserId user, model::Time now) override;

private:
    // On the writer's thread, in its transaction.
    void write_blank_messages(model::UserId user, const std::vector<model::MessageId>& messages,
                              model::MessageId scanned);
    bool write_blank_room(model::RoomId room);
    void write_blank_rooms_deleted_by(model::UserId user);
    bool write_blank_reactions(model::UserId user,
                               const std::vector<ports::ErasedReaction>& reactions);
    Result<ports::Erasure> write_end(model::UserId user, model::Time now);

    Readers& x_readers;
    Writer& x_writer;
    Database& x_writing;
    Checkpointer& x_checkpointer;
};

} // namespace parley::sqlite
