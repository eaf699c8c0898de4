// History and rooms of the shards, each read after the barrier: what was acknowledged before the
// call is in the answer, through whatever process it was sent. And erasures: what they look for is
// complete only when the shards have what the log had. And what messages have let go of.
//
// Threading: the barrier's core; of erasures, request_erasure() and find_erasure() any core. Owner:
// app, one for each core; erasures on the first.
#pragma once

#include "ports/erasure_store.hpp"
#include "ports/history.hpp"
#include "ports/media_catalog.hpp"
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
    Task<Result<bool>> share_room(model::UserId one, model::UserId other) override {
        PARLEY_CO_CHECK(co_await x_barrier.all());
        co_return co_await x_stored.share_room(one, other);
    }
    Task<Result<ports::Readers>> readers(model::RoomId room, model::MessageId message,
                                         std::size_t limit) override {
        PARLEY_CO_CHECK(co_await x_barrier.room(room));
        co_return co_await x_stored.readers(room, message, limit);
    }
    // A message must be there before it can be read.
    Task<Result<std::vector<ports::MarkOutcome>>>
    set_read(std::vector<ports::ReadMark> marks) override {
        std::vector<model::RoomId> rooms;
        for (const ports::ReadMark& mark : marks) rooms.push_back(mark.room);
        PARLEY_CO_CHECK(co_await x_barrier.rooms(std::move(rooms)));
        co_return co_await x_stored.set_read(std::move(marks));
    }

private:
    ports::RoomDirectory& x_stored;
    ports::ReadBarrier& x_barrier;
};

class FreshErasures final : public ports::ErasureStore {
public:
    FreshErasures(ports::ErasureStore& stored, ports::ReadBarrier& barrier)
        : x_stored(stored), x_barrier(barrier) {}

    Task<Result<ports::Erasure>> request_erasure(model::UserId user, model::Time now) override {
        return x_stored.request_erasure(user, now);
    }
    Task<Result<ports::Erasure>> find_erasure(model::UserId user) override {
        return x_stored.find_erasure(user);
    }
    Task<Result<std::optional<ports::Erasure>>> next_erasure() override {
        return x_stored.next_erasure();
    }
    Task<Result<std::vector<ports::ErasedMembership>>> memberships_of(model::UserId user,
                                                                      std::size_t limit) override {
        PARLEY_CO_CHECK(co_await x_barrier.all());
        co_return co_await x_stored.memberships_of(user, limit);
    }
    Task<Result<ports::ErasedMessages>> messages_of(model::UserId user, model::MessageId after,
                                                    std::size_t limit) override {
        PARLEY_CO_CHECK(co_await x_barrier.all());
        co_return co_await x_stored.messages_of(user, after, limit);
    }
    Task<Result<std::vector<ports::ErasedReaction>>> reactions_of(model::UserId user,
                                                                  std::size_t limit) override {
        PARLEY_CO_CHECK(co_await x_barrier.all());
        co_return co_await x_stored.reactions_of(user, limit);
    }
    Task<Result<void>> blank_messages(model::UserId user, std::vector<model::MessageId> messages,
                                      model::MessageId scanned) override {
        return x_stored.blank_messages(user, std::move(messages), scanned);
    }
    Task<Result<void>> blank_room(model::UserId user, model::RoomId room) override {
        PARLEY_CO_CHECK(co_await x_barrier.room(room));
        co_return co_await x_stored.blank_room(user, room);
    }
    Task<Result<void>> count_left_room(model::UserId user) override {
        return x_stored.count_left_room(user);
    }
    Task<Result<bool>> blank_reactions(model::UserId user,
                                       std::vector<ports::ErasedReaction> reactions) override {
        return x_stored.blank_reactions(user, std::move(reactions));
    }
    Task<Result<ports::Erasure>> finish_erasure(model::UserId user, model::Time now) override {
        PARLEY_CO_CHECK(co_await x_barrier.all());
        co_return co_await x_stored.finish_erasure(user, now);
    }

private:
    ports::ErasureStore& x_stored;
    ports::ReadBarrier& x_barrier;
};

// Whether a file is in use may only be said when what was acknowledged is stored.
class FreshReleased final : public ports::ReleasedMedia {
public:
    FreshReleased(ports::ReleasedMedia& stored, ports::ReadBarrier& barrier)
        : x_stored(stored), x_barrier(barrier) {}

    Task<Result<std::vector<model::MediaId>>> released_media(std::size_t limit) override {
        return x_stored.released_media(limit);
    }
    Task<Result<bool>> media_in_use(model::MediaId media) override {
        PARLEY_CO_CHECK(co_await x_barrier.all());
        co_return co_await x_stored.media_in_use(media);
    }
    Task<Result<void>> forget_released(std::vector<model::MediaId> media) override {
        return x_stored.forget_released(std::move(media));
    }
    Task<Result<std::vector<Carrier>>> media_carriers(model::MediaId media,
                                                      std::size_t limit) override {
        PARLEY_CO_CHECK(co_await x_barrier.all());
        co_return co_await x_stored.media_carriers(media, limit);
    }

private:
    ports::ReleasedMedia& x_stored;
    ports::ReadBarrier& x_barrier;
};

} // namespace parley::cluster
