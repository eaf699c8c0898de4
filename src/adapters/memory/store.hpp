// memory::Store: everything that a store does, in maps. For tests: the contract suites hold it to
// the same behaviour as the real one, and tests/sim lets it crash and start again.
//
// A transaction writes in place and keeps how to undo each write; rollback() undoes in reverse.
//
// Threading: any thread. One mutex guards all; begin() takes it and commit() or rollback() gives it
// back, so that no reader sees half a transaction. Tasks never suspend. Owner: the test.
#pragma once

#include "ports/clock.hpp"
#include "ports/erasure_store.hpp"
#include "ports/event_store.hpp"
#include "ports/held_store.hpp"
#include "ports/history.hpp"
#include "ports/retention_store.hpp"
#include "ports/room_directory.hpp"
#include "ports/user_store.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace parley::memory {

class Store final : public ports::EventStore,
                    public ports::History,
                    public ports::RoomDirectory,
                    public ports::UserStore,
                    public ports::SessionStore,
                    public ports::HeldStore,
                    public ports::ErasureStore,
                    public ports::RetentionStore {
public:
    explicit Store(const ports::Clock& clock);

    // --- ports::EventStore
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

    // --- ports::History
    Task<Result<ports::MessagePage>> messages_before(model::RoomId room, model::MessageId before,
                                                     std::size_t limit) override;
    Task<Result<ports::MessagePage>> messages_after(model::RoomId room, model::MessageId after,
                                                    std::size_t limit) override;
    Task<Result<ports::EventPage>> events_after(model::RoomId room, model::EventId since,
                                                std::size_t limit) override;

    // --- ports::RoomDirectory
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

    // --- ports::UserStore
    Task<Result<model::User>> create_user(ports::NewUser user) override;
    Task<Result<model::User>> find_user(model::UserId user) override;
    Task<Result<std::vector<model::User>>> find_users(std::vector<model::UserId> users) override;
    Task<Result<ports::Login>> find_login(std::string key, bool by_email) override;
    Task<Result<model::User>> update_user(model::UserId user, ports::UserChange change) override;
    Task<Result<model::User>> change_standing(model::UserId user, ports::StandingChange change,
                                              model::Time now) override;
    Task<Result<void>> set_password(model::UserId user, std::string password_hash,
                                    model::SessionId but, model::Time now) override;
    Task<Result<std::vector<model::User>>> search_users(std::string prefix, model::UserId after,
                                                        std::size_t limit) override;
    Task<Result<void>> note_presence(ports::PresenceNote note) override;
    Task<Result<std::size_t>> settle_presence() override;

    // --- ports::SessionStore
    Task<Result<model::Session>> create_session(ports::NewSession session) override;
    Task<Result<model::Session>> rotate_session(model::SessionId session,
                                                std::string presented_hash, std::string next_hash,
                                                model::Time now, model::Time expires_at) override;
    Task<Result<void>> revoke_session(model::SessionId session, model::Time now) override;
    Task<Result<void>> revoke_session_of(model::UserId user, model::SessionId session,
                                         model::Time now) override;
    Task<Result<void>> revoke_sessions_of(model::UserId user, model::SessionId but,
                                          model::Time now) override;
    Task<Result<std::vector<model::Session>>> sessions_of(model::UserId user,
                                                          model::SessionId before,
                                                          std::size_t limit,
                                                          model::Time now) override;
    Task<Result<std::vector<model::SessionId>>> revoked_since(model::Time since) override;

    // --- ports::HeldStore
    Task<Result<ports::HeldState>> hold(ports::HeldMessage held) override;
    Task<Result<std::vector<ports::HeldMessage>>> waiting(model::RoomId room, model::HeldId after,
                                                          std::size_t limit) override;
    Task<Result<ports::HeldMessage>> find_waiting(model::RoomId room, model::HeldId held) override;
    Task<Result<void>> decide(model::RoomId room, model::HeldId held, bool approved,
                              model::Time now) override;

    // --- ports::ErasureStore
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

    // --- ports::RetentionStore
    Task<Result<ports::RetentionStep>> remove_old(model::RoomId room, std::uint32_t server_days,
                                                  model::Time now) override;

    // The same without a coroutine, for callers that have no executor (tests/sim).
    Result<model::User> add_user(ports::NewUser user);
    Result<ports::RoomSnapshot> read_room(model::RoomId room);
    ports::EventPage read_events(model::RoomId room, model::EventId since, std::size_t limit);
    ports::MessagePage read_before(model::RoomId room, model::MessageId before, std::size_t limit);
    Result<bool> move_read_mark(model::UserId user, model::RoomId room, model::MessageId message);
    model::MessageId read_mark(model::UserId user, model::RoomId room); // 0: none

private:
    struct MemberRow {
        model::Role role = model::Role::member;
        model::Time joined_at;
    };
    struct NonceRow {
        model::MessageId message_id;
        std::uint64_t body_hash = 0;
    };
    struct Reaction {
        std::string emoji;
        model::UserId user_id;
    };
    struct RoomData {
        model::Room room;
        std::string name_key, topic_key;
        std::map<model::EventId, model::Event> events; // a post holds its message's present state
        std::map<model::UserId, MemberRow> members;
        std::map<model::UserId, model::Time> paced; // in slow mode: the newest message
        std::map<std::pair<model::UserId, std::string>, NonceRow> nonces;
        std::map<model::MessageId, std::vector<Reaction>> reactions; // oldest first
        std::map<model::UserId, model::MessageId> read_marks;
        model::EventId removed_id; // the newest event that was too old to be kept

        model::EventId last_id() const {
            return events.empty() ? removed_id : std::max(removed_id, events.rbegin()->first);
        }

        const model::Message* find_message(model::MessageId id) const;
        std::size_t owners() const;
    };
    struct UserRow {
        model::User user;
        std::string username_key, email_key, password_hash;
        std::optional<model::Time> last_seen_at;
    };
    using Lock = std::lock_guard<std::recursive_mutex>;

    // Writes that a rollback undoes.
    template <class Map>
    void assign(Map& map, const typename Map::key_type& key,
                std::optional<typename Map::mapped_type> value);
    template <class T>
    void replace(T& place, T value);

    RoomData* find_room(model::RoomId room); // nullptr also if it is deleted
    void apply(RoomData& room, const model::Event& event, const model::MessageEdited& edited);
    void apply(RoomData& room, const model::Event& event, const model::MessageDeleted& deleted);
    void apply(RoomData& room, const model::Event& event, const model::ReactionChanged& reaction);
    void apply(RoomData& room, const model::Event& event, const model::MemberChanged& member);
    void apply_room(RoomData& room, const model::Sequenced& sequenced);
    void set_message(RoomData& room, model::Message message);
    ports::HistoryMessage shown(const RoomData& room, const model::Message& message) const;
    ports::MessagePage read_after(model::RoomId room, model::MessageId after, std::size_t limit);
    ports::RoomListItem list_item(const RoomData& room, model::UserId user, MemberRow member) const;

    ports::MarkOutcome move_mark(const ports::ReadMark& mark);
    Result<void> write_presence(const ports::PresenceNote& note);
    void see(model::UserId user, model::Time at);
    static std::uint64_t remove_before(RoomData& room, model::Time before);
    Result<ports::Erasure> ask_for_erasure(model::UserId user, model::Time now);
    ports::ErasedMembership erased_membership(const RoomData& room, model::UserId user) const;
    void blank_user(UserRow& row);
    Result<ports::HeldState> insert_held(ports::HeldMessage held);
    ports::HeldMessage* waiting_held(model::RoomId room, model::HeldId held);
    Result<void> write_revoked(model::SessionId session, model::Time now);
    Result<model::User> write_standing(model::UserId user, const ports::StandingChange& change,
                                       model::Time now);
    void end_sessions_of(model::UserId user, model::Time now, model::SessionId but = {});

    const ports::Clock& x_clock;
    std::recursive_mutex x_mutex;
    bool x_in_transaction = false;
    std::vector<std::function<void()>> x_undo;
    model::EventId x_last_id;
    std::int64_t x_last_user_id = 0, x_last_session_id = 0;
    std::map<model::RoomId, RoomData> x_rooms;
    std::map<std::string, model::RoomId, std::less<>> x_room_by_name_key;
    std::map<std::pair<model::UserId, model::UserId>, model::RoomId> x_dms; // lower id first
    std::map<model::UserId, UserRow> x_users;
    std::set<model::UserId> x_online;
    model::Time x_alive_at;
    std::map<std::string, model::UserId> x_user_by_name_key, x_user_by_email_key;
    std::map<model::SessionId, model::Session> x_sessions;
    struct HeldRow {
        ports::HeldMessage message;
        ports::HeldState state = ports::HeldState::waiting;
    };
    std::map<model::HeldId, HeldRow> x_held;
    std::int64_t x_last_held_id = 0;
    std::map<model::UserId, ports::Erasure> x_erasures;
};

} // namespace parley::memory
