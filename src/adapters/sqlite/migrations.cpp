#include "adapters/sqlite/migrations.hpp"

#include <string>

namespace parley::sqlite {
namespace {

// Times are milliseconds since 1970, ids Snowflakes. Enumerations are the numbers of model/.
//
// messages and events are two tables with one order of ids. A history page reads messages only, so
// it is one range of one index, however many reactions or joins lie between; a resume merges two
// ranges. A partial index for the same end would cost every insert a second entry.
//
// messages lie in the order in which they came (id is the rowid), so the rows of a commit are
// written together at the end, and the index by room has 18 bytes for each. With the rows
// themselves in order of rooms, inserts split pages in the middle of the table: two thirds more
// bytes written (measured); a page of history costs 50 look-ups by id in return (docs/adr/0006).
//
// The index on nonces begins with the nonce: ones that grow with time are then appended at its end
// (measured: free), where (room, user, nonce) would touch a leaf for each room.
//
// Nothing about a room is written when a message comes: its newest id is the end of a key range.
constexpr const char* kFirst = R"sql(
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO meta VALUES ('last_event_id', 0);

CREATE TABLE users (
    id              INTEGER PRIMARY KEY,
    username        TEXT NOT NULL,
    username_key    TEXT NOT NULL UNIQUE,
    email           TEXT NOT NULL,
    email_key       TEXT NOT NULL UNIQUE,
    password_hash   TEXT NOT NULL,
    display_name    TEXT NOT NULL DEFAULT '',
    avatar_media_id INTEGER,
    created_at      INTEGER NOT NULL,
    last_seen_at    INTEGER,
    disabled        INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE sessions (
    id           INTEGER PRIMARY KEY,
    user_id      INTEGER NOT NULL,
    refresh_hash BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER
);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE rooms (
    id           INTEGER PRIMARY KEY,
    kind         INTEGER NOT NULL,
    visibility   INTEGER NOT NULL,
    name         TEXT NOT NULL,
    name_key     TEXT NOT NULL,
    topic        TEXT NOT NULL,
    topic_key    TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    member_count INTEGER NOT NULL,
    owner_count  INTEGER NOT NULL,
    dm_low       INTEGER,
    dm_high      INTEGER,
    deleted      INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX rooms_name ON rooms (name_key) WHERE kind = 1 AND deleted = 0;
CREATE UNIQUE INDEX rooms_dm ON rooms (dm_low, dm_high) WHERE kind = 2 AND deleted = 0;
CREATE INDEX rooms_open ON rooms (id) WHERE kind = 1 AND visibility = 1 AND deleted = 0;

CREATE TABLE members (
    room_id   INTEGER NOT NULL,
    user_id   INTEGER NOT NULL,
    role      INTEGER NOT NULL,
    joined_at INTEGER NOT NULL,
    PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;
CREATE INDEX members_user ON members (user_id, room_id);

CREATE TABLE read_marks (
    user_id    INTEGER NOT NULL,
    room_id    INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    PRIMARY KEY (user_id, room_id)
) WITHOUT ROWID;

CREATE TABLE messages (
    id         INTEGER PRIMARY KEY,
    room_id    INTEGER NOT NULL,
    prev_id    INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    type       INTEGER NOT NULL,
    content    TEXT NOT NULL,
    media_id   INTEGER,
    reply_to   INTEGER,
    edited_at  INTEGER,
    deleted    INTEGER NOT NULL,
    nonce      TEXT NOT NULL,
    body_hash  INTEGER NOT NULL
);
CREATE INDEX messages_room ON messages (room_id); -- and the rowid, which is id
CREATE UNIQUE INDEX messages_nonce ON messages (nonce, room_id, user_id) WHERE nonce <> '';

CREATE TABLE events (
    room_id INTEGER NOT NULL,
    id      INTEGER NOT NULL,
    prev_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    kind    INTEGER NOT NULL,  -- EventKind in event_rows.hpp, which says what the rest means
    subject INTEGER NOT NULL,
    detail  INTEGER NOT NULL,
    flags   INTEGER NOT NULL,
    text    TEXT NOT NULL,
    topic   TEXT NOT NULL,
    PRIMARY KEY (room_id, id)
) WITHOUT ROWID;

CREATE TABLE reactions (
    room_id    INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    emoji      TEXT NOT NULL,
    user_id    INTEGER NOT NULL,
    event_id   INTEGER NOT NULL,
    PRIMARY KEY (room_id, message_id, emoji, user_id)
) WITHOUT ROWID;
)sql";

constexpr const char* kServerRoles = R"sql(
ALTER TABLE users ADD COLUMN role INTEGER NOT NULL DEFAULT 1; -- model::ServerRole
CREATE INDEX users_staff ON users (role) WHERE role > 1;
CREATE INDEX sessions_user ON sessions (user_id) WHERE revoked_at IS NULL;
)sql";

constexpr const char* kSlowMode = R"sql(
ALTER TABLE rooms ADD COLUMN slow_mode_seconds INTEGER NOT NULL DEFAULT 0;
-- When each member posted last in a room while it is in slow mode.
CREATE TABLE paced_posts (
    room_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;
)sql";

// Who is online, as far as it was stored, and when the server last said that it lives: after a
// crash the one tells when the others were last seen.
constexpr const char* kPresence = R"sql(
CREATE TABLE online_users (user_id INTEGER PRIMARY KEY);
INSERT INTO meta VALUES ('alive_at', 0);
)sql";

constexpr const char* kRoomWords = R"sql(
CREATE TABLE room_words (
    room_id  INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    words    TEXT NOT NULL -- chat/word_list.hpp
);
CREATE INDEX room_words_revision ON room_words (revision);
)sql";

constexpr const char* kHeldMessages = R"sql(
CREATE TABLE held_messages (
    id         INTEGER PRIMARY KEY,
    room_id    INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    nonce      TEXT NOT NULL,
    type       INTEGER NOT NULL,
    content    TEXT NOT NULL,
    media_id   INTEGER,
    reply_to   INTEGER,
    body_hash  INTEGER NOT NULL,
    words      TEXT NOT NULL,    -- one a line
    state      INTEGER NOT NULL, -- ports::HeldState
    created_at INTEGER NOT NULL,
    decided_at INTEGER,
    UNIQUE (room_id, user_id, nonce)
);
CREATE INDEX held_waiting ON held_messages (room_id, id) WHERE state = 1;
CREATE INDEX held_user ON held_messages (user_id);
)sql";

constexpr const char* kErasures = R"sql(
CREATE TABLE erasures (
    user_id      INTEGER PRIMARY KEY,
    requested_at INTEGER NOT NULL,
    done_at      INTEGER,
    messages     INTEGER NOT NULL DEFAULT 0,
    reactions    INTEGER NOT NULL DEFAULT 0,
    rooms        INTEGER NOT NULL DEFAULT 0,
    sessions     INTEGER NOT NULL DEFAULT 0,
    held         INTEGER NOT NULL DEFAULT 0,
    scanned      INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX erasures_open ON erasures (requested_at) WHERE done_at IS NULL;
CREATE INDEX reactions_user ON reactions (user_id);
CREATE INDEX events_reactions ON events (user_id) WHERE kind = 4; -- EventKind::reaction
)sql";

constexpr const char* kRetention = R"sql(
ALTER TABLE rooms ADD COLUMN retention_days INTEGER; -- NULL: as the server says
ALTER TABLE rooms ADD COLUMN removed_id INTEGER NOT NULL DEFAULT 0; -- the newest event that is gone
)sql";

constexpr Migration kMigrations[] = {{kFirst},     {kServerRoles},  {kSlowMode}, {kPresence},
                                     {kRoomWords}, {kHeldMessages}, {kErasures}, {kRetention}};

void check_identity(Database& database, std::int64_t version, std::size_t newest) {
    const std::int64_t application = database.pragma("PRAGMA application_id");
    const bool empty = application == 0 && version == 0 &&
                       database.pragma("SELECT count(*) FROM sqlite_schema") == 0;
    if (application != kApplicationId && !empty)
        throw DatabaseError(Errc::unavailable, "the database file was not made by Parley");
    if (version > static_cast<std::int64_t>(newest))
        throw DatabaseError(Errc::unavailable,
                            "the database file has version " + std::to_string(version) +
                                ", this program knows versions up to " + std::to_string(newest) +
                                ": use the newer program, or a copy from before the upgrade");
}

void run_step(Database& database, const Migration& step, std::int64_t number) {
    database.execute("BEGIN IMMEDIATE");
    try {
        database.execute(step.sql);
        const std::string stamp = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                                  "; PRAGMA user_version = " + std::to_string(number);
        database.execute(stamp.c_str());
        database.execute("COMMIT");
    } catch (const DatabaseError&) {
        if (database.in_transaction()) database.execute("ROLLBACK");
        throw;
    }
}

} // namespace

std::span<const Migration> migrations() { return kMigrations; }

void migrate(Database& database, std::span<const Migration> steps) {
    const std::int64_t version = database.pragma("PRAGMA user_version");
    check_identity(database, version, steps.size());
    database.execute("PRAGMA journal_mode = WAL"); // only after the refusals: it writes the header
    for (auto number = version; number < static_cast<std::int64_t>(steps.size()); ++number)
        run_step(database, steps[static_cast<std::size_t>(number)], number + 1);
}

} // namespace parley::sqlite
