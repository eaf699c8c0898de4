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

// Whatever takes a message's media away, its id is in released_media with the same commit. Rows
// of messages without media are in none of these indexes.
constexpr const char* kMedia = R"sql(
ALTER TABLE messages ADD COLUMN media TEXT; -- model::to_json(MediaFacts)
CREATE INDEX messages_media ON messages (media_id) WHERE media_id IS NOT NULL;
CREATE INDEX messages_media_room ON messages (room_id) WHERE media_id IS NOT NULL;
CREATE INDEX held_media ON held_messages (media_id) WHERE media_id IS NOT NULL;
CREATE INDEX users_avatar ON users (avatar_media_id) WHERE avatar_media_id IS NOT NULL;

CREATE TABLE media (
    id                INTEGER PRIMARY KEY,
    room_id           INTEGER NOT NULL,
    user_id           INTEGER NOT NULL,
    key               TEXT NOT NULL,
    facts             TEXT NOT NULL,
    size              INTEGER NOT NULL,
    sha256            TEXT NOT NULL,    -- in hexadecimal digits; '': not known
    state             INTEGER NOT NULL, -- model::MediaState
    created_at        INTEGER NOT NULL,
    ticket_expires_at INTEGER NOT NULL,
    attached_at       INTEGER,          -- the last time; NULL: never
    examined          INTEGER NOT NULL DEFAULT 0, -- by the picture worker
    upload_id         TEXT NOT NULL DEFAULT ''
);
CREATE INDEX media_unused ON media (created_at) WHERE attached_at IS NULL AND state <> 3;
CREATE INDEX media_fresh ON media (id) WHERE examined = 0 AND state = 2 AND attached_at IS NOT NULL;
CREATE INDEX media_removed ON media (id) WHERE state = 3;

CREATE TABLE media_rooms (
    media_id INTEGER NOT NULL,
    room_id  INTEGER NOT NULL, -- 0: an avatar
    PRIMARY KEY (media_id, room_id)
) WITHOUT ROWID;

CREATE TABLE media_usage (
    user_id INTEGER NOT NULL, -- 0: of the server, all days
    day     INTEGER NOT NULL, -- since 1970
    bytes   INTEGER NOT NULL,
    PRIMARY KEY (user_id, day)
) WITHOUT ROWID;
INSERT INTO media_usage VALUES (0, 0, 0);

CREATE TABLE released_media (media_id INTEGER PRIMARY KEY);
CREATE TRIGGER media_of_changed AFTER UPDATE OF media_id ON messages
WHEN OLD.media_id IS NOT NULL AND NEW.media_id IS NULL
BEGIN INSERT OR IGNORE INTO released_media VALUES (OLD.media_id); END;
CREATE TRIGGER media_of_removed AFTER DELETE ON messages WHEN OLD.media_id IS NOT NULL
BEGIN INSERT OR IGNORE INTO released_media VALUES (OLD.media_id); END;
CREATE TRIGGER media_of_room AFTER UPDATE OF deleted ON rooms
WHEN NEW.deleted = 1 AND OLD.deleted = 0
BEGIN INSERT OR IGNORE INTO released_media SELECT media_id FROM messages
WHERE room_id = OLD.id AND media_id IS NOT NULL; END;
CREATE TRIGGER media_of_avatar AFTER UPDATE OF avatar_media_id ON users
WHEN OLD.avatar_media_id IS NOT NULL AND NEW.avatar_media_id IS NOT OLD.avatar_media_id
BEGIN INSERT OR IGNORE INTO released_media VALUES (OLD.avatar_media_id); END;
CREATE TRIGGER media_of_held AFTER UPDATE OF media_id ON held_messages
WHEN OLD.media_id IS NOT NULL AND NEW.media_id IS NULL
BEGIN INSERT OR IGNORE INTO released_media VALUES (OLD.media_id); END;
)sql";

// What a person is shown of each of their sessions.
constexpr const char* kDevices = R"sql(
ALTER TABLE sessions ADD COLUMN last_used_at INTEGER; -- NULL: not since it was begun
ALTER TABLE sessions ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
)sql";

constexpr Migration kMigrations[] = {{kFirst},    {kServerRoles}, {kSlowMode},
                                     {kPresence}, {kRoomWords},   {kHeldMessages},
                                     {kErasures}, {kRetention},   {kMedia},
                                     {kDevices}};

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
