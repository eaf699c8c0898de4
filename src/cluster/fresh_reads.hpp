// History and rooms of the shards, each read after the barrier: what was acknowledged before the
// call is in the answer, through whatever process it was sent.
//
// Threading: the barrier's core. Owner: app, one for each core.
#pragma once

#include "ports/history.hpp"
#include "ports/read_barrier.hpp"
#include "ports/room_directory.hpp"

#include <utility>

namespace parley::cluster {

class FreshHistory final : public ports::History {
public:
    FreshHistory(ports::History& stored, ports::ReadBarrier& barrier)
        : x_stored(stored), x_barrier(barrier) {}

    Task<Result<ports::MessagePage>> messages_before(model::RoomId room, model::MessageId before,
                                                     std::size_t limit) override {
        PARLEY_CO_CHECK(co_await x_barrier.room(room));
        co_return co_await x_stored.messages_before(room, before, limit);
    }
    Task<Result<ports::MessagePage>> messages_after(model::RoomId room, model::MessageId after,
                                                    std::size_t limit) override {
        PARLEY_CO_CHECK(co_await x_barrier.room(room));
        co_return co_await x_stored.messages_after(room, after, limit);
    }
    Task<Result<ports::EventPage>> events_after(model::RoomId room, model::EventId since,
                                                std::size_t limit) override {
        PARLEY_CO_CHECK(co_await x_barrier.room(room));
        co_return co_await x_stored.events_after(room, since, limit);
    }

private:
    ports::History& x_stored;
    ports::ReadBarrier& x_barrier;
};

class FreshDirectory final : public ports::RoomDirectory {
public:
    FreshDirectory(ports::RoomDirectory& stored, ports::ReadBarrier& barrier)
        : x_stored(stored), x_barrier(barrier) {}

    Task<Result<ports::RoomSnapshot>> load_room(model::RoomId room) override {
        PARLEY_CO_CHECK(co_await x_barrier.room(room));
        co_return co_await x_stored.load_room(room);
    }
    Task<Result<std::vector<ports::RoomListItem>>>
    rooms_of(model::UserId user, model::RoomId after, std::size_t limit) override {
        PARLEY_CO_CHECK(co_await x_barrier.all());
        co_return co_await x_stored.rooms_of(user, after, limit);
    }
    Task<Result<std::vector<model::Room>>> search(ports::Groups among, std::string query,
                                                  model::RoomId after,
                                                  std::size_t limit) override {
        PARLEY_CO_CHECK(co_await x_barrier.all());
        co_return co_await x_stored.search(among, std::move(query), after, limit);
    }
    Task<Result<std::vector<model::Member>>> members(model::RoomId room, model::UserId after,
                                                     std::size_t limit) override {
        PARLEY_CO_CHECK(co_await x_barrier.room(room));
        co_return co_await x_stored.members(room, after, limit);
    }
    // A message must be there before it can be read: each room is waited for.
    Task<Result<std::vector<ports::MarkOutcome>>>
    set_read(std::vector<ports::ReadMark> marks) override {
        for (const ports::ReadMark& mark : marks)
            PARLEY_CO_CHECK(co_await x_barrier.room(mark.room));
        co_return co_await x_stored.set_read(std::move(marks));
    }

private:
    ports::RoomDirectory& x_stored;
    ports::ReadBarrier& x_barrier;
};

} // namespace parley::cluster
