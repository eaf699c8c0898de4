// RoomDirectory on SQLite: reads on the reader threads, read marks through the writer.
//
// A list of rooms costs, for each room, its newest message and a count of at most
// limits::kUnreadCountMax rows; both look at no more than limits::kUnreadScanMax of the newest
// messages, so that a member's own or deleted messages cannot make them long.
//
// Threading: any core. Owner: the store.
#pragma once

#include "adapters/sqlite/readers.hpp"
#include "adapters/sqlite/writer.hpp"
#include "ports/room_directory.hpp"

namespace parley::sqlite {

class Rooms final : public ports::RoomDirectory {
public:
    // `writing`: the writer's connection, used on its thread.
    Rooms(Readers& readers, Writer& writer, Database& writing)
        : x_readers(readers), x_writer(writer), x_writing(writing) {}

    Task<Result<ports::RoomSnapshot>> load_room(model::RoomId room) override;
    Task<Result<std::vector<ports::RoomListItem>>> rooms_of(model::UserId user, model::RoomId after,
                                                            std::size_t limit) override;
    Task<Result<std::vector<model::Room>>> search(ports::Groups among, std::string query,
                                                  model::RoomId after, std::size_t limit) override;
    Task<Result<std::vector<model::Member>>> members(model::RoomId room, model::UserId after,
                                                     std::size_t limit) override;
    Task<Result<bool>> share_room(model::UserId one, model::UserId other) override;
    Task<Result<ports::Readers>> readers(model::RoomId room, model::MessageId message,
                                         std::size_t limit) override;
    Task<Result<std::vector<ports::MarkOutcome>>>
    set_read(std::vector<ports::ReadMark> marks) override;

private:
    ports::MarkOutcome move_mark(const ports::ReadMark& mark); // on the writer's thread

    Readers& x_readers;
    Writer& x_writer;
    Database& x_writing;
};

} // namespace parley::sqlite
