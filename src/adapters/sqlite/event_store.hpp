// EventStore: the log's transactional side on SQLite; ports/event_store.hpp is the contract.
//
// A message is one row with its nonce and its present state. Every other event is a row of its own,
// and changes the rows that it is about (the message, reactions, members, the room) in the same
// transaction. A deleted room loses its name and its members; its messages and events stay in the
// file, where no call reaches them.
//
// Threading: the writer's thread; before it starts, the caller's. Owner: the store.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "model/new_nonces.hpp"
#include "adapters/sqlite/room_facts.hpp"
#include "adapters/sqlite/transactions.hpp"
#include "ports/event_store.hpp"

namespace parley::sqlite {

class EventStore final : public ports::EventStore {
public:
    EventStore(Database& database, Transactions& transactions)
        : x_database(database), x_transactions(transactions) {}

    Result<void> begin() override;
    Result<void> put(const model::Sequenced& sequenced) override;
    Result<void> commit() override;
    void rollback() override;

    Result<model::EventId> last_id() override;
    Result<std::optional<ports::StoredRoom>> room(model::RoomId room) override;
    Result<std::optional<model::Role>> role(model::RoomId room, model::UserId user) override;
    Result<std::optional<ports::StoredNonce>> nonce(model::RoomId room, model::UserId user,
                                                    std::string_view nonce) override;
    Result<std::optional<model::Time>> paced_at(model::RoomId room, model::UserId user) override;
    Result<std::optional<model::Message>> message(model::RoomId room,
                                                  model::MessageId message) override;
    Result<ReactionFacts> reaction(model::RoomId room, model::MessageId message, model::UserId user,
                                   std::string_view emoji) override;
    Result<std::optional<model::RoomId>> room_by_name_key(std::string_view key) override;
    Result<std::optional<model::RoomId>> dm_of(model::UserId a, model::UserId b) override;
    Result<bool> user_exists(model::UserId user) override;

private:
    void store(const model::Sequenced&, const model::MessagePosted&);
    void store(const model::Sequenced&, const model::MessageEdited&);
    void store(const model::Sequenced&, const model::MessageDeleted&);
    void store(const model::Sequenced&, const model::ReactionChanged&);
    void store(const model::Sequenced&, const model::MemberChanged&);
    void store(const model::Sequenced&, const model::RoomChanged&);
    void create_room(const model::Sequenced&, const model::Room&);
    void add_member(const model::Event&, model::UserId user, model::Role role);
    void remove_member(const model::Event&, model::UserId user);
    void change_role(const model::Event&, model::UserId user, model::Role role);
    std::optional<ports::StoredRoom> read_stored(model::RoomId room);
    std::optional<model::Role> role_of(model::RoomId room, model::UserId user);
    void count_members(model::RoomId room, int members, int owners);

    // Runs `function` in the open transaction. After an error what was learnt in it is forgotten.
    template <class Function>
    auto checked(Function&& function) -> std::invoke_result_t<Function&>;

    Database& x_database;
    Transactions& x_transactions;
    RoomFacts x_facts;
    model::NewNonces x_new_nonces;
    model::EventId x_newest;  // of the open transaction
    std::size_t x_events = 0; // the same
};

} // namespace parley::sqlite
