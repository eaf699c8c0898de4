// History on SQLite: every page is one range of the key (room, id), so that its cost depends on the
// page and not on the room. A resume merges the ranges of the tables messages and events.
//
// Threading: any core. Owner: the store.
#pragma once

#include "adapters/sqlite/readers.hpp"
#include "ports/history.hpp"

namespace parley::sqlite {

class History final : public ports::History {
public:
    explicit History(Readers& readers) : x_readers(readers) {}

    Task<Result<ports::MessagePage>> messages_before(model::RoomId room, model::MessageId before,
                                                     std::size_t limit) override;
    Task<Result<ports::MessagePage>> messages_after(model::RoomId room, model::MessageId after,
                                                    std::size_t limit) override;
    Task<Result<ports::EventPage>> events_after(model::RoomId room, model::EventId since,
                                                std::size_t limit) override;

private:
    Readers& x_readers;
};

} // namespace parley::sqlite
