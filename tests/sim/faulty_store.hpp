// An EventStore that fails, or dies with its process, at the call that it is told. What it leaves
// in the store behind it is what a disk would hold then.
#pragma once

#include "ports/event_store.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace parley::sim {

class FaultyStore final : public ports::EventStore {
public:
    explicit FaultyStore(ports::EventStore& inner) : x_inner(inner) {}

    enum class Fault {
        none,
        begin_fails,
        look_up_fails,
        put_fails,
        commit_fails,
        // The process is gone; see crashed().
        dies_before_commit,
        dies_in_commit_undone,
        dies_in_commit_done,
        dies_after_commit,
    };
    // The fault strikes after `calls` calls of its kind that still work.
    void set(Fault fault, int calls = 0) {
        x_fault = fault;
        x_calls = calls;
        x_crashed = false;
        x_commit_failed = false;
    }
    bool crashed() const { return x_crashed; }
    bool commit_failed() const { return x_commit_failed; }
    // Bugs that a store or what is in front of it could have, planted by the simulator.
    struct Lies {
        bool no_reaction_is_there = false; // so it may be added again
        bool roles_never_sink = false;     // a cache that a demotion does not clear
        bool more_owners = false;          // so the last one may go
        bool nobody_has_posted = false;    // so slow mode holds nobody back
    };
    void lie(const Lies& lies) { x_lies = lies; }
    // Ids in the order in which they became durable.
    const std::vector<model::EventId>& committed() const { return x_committed; }

    Result<void> begin() override {
        x_put.clear();
        if (strikes(Fault::begin_fails)) return error();
        return x_inner.begin();
    }
    Result<void> put(const model::Sequenced& event) override {
        if (strikes(Fault::put_fails)) return error();
        x_put.push_back(event.event().id);
        return x_inner.put(event);
    }
    Result<void> commit() override {
        x_commit_failed = strikes(Fault::commit_fails);
        if (x_commit_failed) return error();
        if (strikes(Fault::dies_before_commit) || strikes(Fault::dies_in_commit_undone)) {
            x_inner.rollback();
            return die();
        }
        const bool dies = strikes(Fault::dies_in_commit_done);
        x_crashed = strikes(Fault::dies_after_commit);
        const auto done = x_inner.commit();
        if (done) x_committed.insert(x_committed.end(), x_put.begin(), x_put.end());
        return dies ? die() : done;
    }
    void rollback() override { x_inner.rollback(); }

    Result<model::EventId> last_id() override { return x_inner.last_id(); }
    Result<std::optional<ports::StoredRoom>> room(model::RoomId room) override {
        auto stored = x_inner.room(room);
        if (x_lies.more_owners && stored && *stored) ++(*stored)->owners;
        return stored;
    }
    Result<std::optional<model::Role>> role(model::RoomId room, model::UserId user) override {
        if (strikes(Fault::look_up_fails)) return error();
        PARLEY_TRY(const auto role, x_inner.role(room, user));
        if (!role || !x_lies.roles_never_sink) return role;
        model::Role& highest = x_roles.emplace(std::pair(room, user), *role).first->second;
        return highest = std::max(highest, *role);
    }
    Result<std::optional<ports::StoredNonce>> nonce(model::RoomId room, model::UserId user,
                                                    std::string_view nonce) override {
        return x_inner.nonce(room, user, nonce);
    }
    Result<std::optional<model::Time>> paced_at(model::RoomId room, model::UserId user) override {
        if (x_lies.nobody_has_posted) return std::optional<model::Time>{};
        return x_inner.paced_at(room, user);
    }
    Result<std::optional<model::Message>> message(model::RoomId room,
                                                  model::MessageId message) override {
        return x_inner.message(room, message);
    }
    Result<ReactionFacts> reaction(model::RoomId room, model::MessageId message, model::UserId user,
                                   std::string_view emoji) override {
        PARLEY_TRY(auto facts, x_inner.reaction(room, message, user, emoji));
        facts.present &= !x_lies.no_reaction_is_there;
        return facts;
    }
    Result<std::optional<model::RoomId>> room_by_name_key(std::string_view key) override {
        return x_inner.room_by_name_key(key);
    }
    Result<std::optional<model::RoomId>> dm_of(model::UserId a, model::UserId b) override {
        return x_inner.dm_of(a, b);
    }
    Result<bool> user_exists(model::UserId user) override { return x_inner.user_exists(user); }

private:
    bool strikes(Fault here) { return x_fault == here && x_calls-- <= 0; }
    static Error error() { return Error(Errc::unavailable, "the disk is full"); }
    Error die() {
        x_crashed = true;
        return error();
    }

    ports::EventStore& x_inner;
    Fault x_fault = Fault::none;
    int x_calls = 0;
    bool x_crashed = false;
    bool x_commit_failed = false;
    Lies x_lies;
    std::map<std::pair<model::RoomId, model::UserId>, model::Role> x_roles;
    std::vector<model::EventId> x_put, x_committed;
};

} // namespace parley::sim
