// EventWriter: writes sequenced events and everything derived from them into the tables of a shard.
//
// A message is one row with its nonce and its present state. Every other event is a row of its own,
// and changes the rows that it is about (the message, reactions, members, the room). A deleted room
// loses its name to others and its members; its messages and events stay, where no call reaches
// them.
//
// Messages wait until there are many, or something comes that looks at them; then they are one
// statement. Rows of `events`, which nothing of a batch looks at, are one statement at the end.
// Everything else goes to the server in a pipeline, without waiting for answers.
//
// Threading: one thread. Owner: ShardStore::write(), in its transaction; throws DatabaseError.
// Bounds: limits::kShardInsertRows and kShardInsertBytes of a statement.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "model/stages.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace parley::postgres {

class EventWriter {
public:
    explicit EventWriter(Connection& connection) : x_connection(connection) {}

    // In the order of the log. The events must live until finish().
    void put(const model::Sequenced& sequenced);
    void finish();

    // Throws internal unless the rows have each message of these with its own nonce, or had it
    // before it was too old to be kept.
    static void check_stored(Connection& connection, std::span<const model::Sequenced> events);

private:
    struct EventRow;
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
    void add_event(const model::Event& event, const EventRow& row);
    void write_messages();
    void write_events();

    Connection& x_connection;
    std::vector<const model::Sequenced*> x_messages; // not yet written
    std::size_t x_message_bytes = 0;
    struct Columns { // of `events`, not yet written
        std::vector<std::int64_t> room, id, prev, user, at, kind, subject, detail, flags;
        std::vector<std::string_view> text, topic;
    } x_events;
};

} // namespace parley::postgres
