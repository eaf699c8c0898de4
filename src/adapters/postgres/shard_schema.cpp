#include "adapters/postgres/migrations.hpp"

namespace parley::postgres {
namespace {

// Times are milliseconds since 1970, ids Snowflakes. Enumerations are the numbers of model/.
//
// Every row of a room is in the shard of the room's bucket. `partitions` says how far the rows are:
// it moves in the transaction that writes them.
//
// Messages lie in the order in which they came; a page of history is one range of the index by
// room. The key is appended at its end, as are nonces that grow with time, since that index begins
// with the nonce: they cost a message next to nothing.
// Nothing about a room is written when a message comes: its newest id is the end of a key range.
constexpr const char* kFirst = R"sql(
CREATE TABLE partitions (
    partition   INTEGER PRIMARY KEY,
    generation  BIGINT NOT NULL,
    next_offset BIGINT NOT NULL,
    last_id     BIGINT NOT NULL
);

CREATE TABLE rooms (
    id                BIGINT PRIMARY KEY,
    bucket            SMALLINT NOT NULL, -- model::bucket_of
    kind              SMALLINT NOT NULL,
    visibility        SMALLINT NOT NULL,
    name              TEXT NOT NULL,
    name_key          TEXT NOT NULL,
    topic             TEXT NOT NULL,
    topic_key         TEXT NOT NULL,
    created_at        BIGINT NOT NULL,
    member_count      BIGINT NOT NULL,
    owner_count       BIGINT NOT NULL,
    dm_low            BIGINT,
    dm_high           BIGINT,
    deleted           SMALLINT NOT NULL DEFAULT 0,
    slow_mode_seconds INTEGER NOT NULL DEFAULT 0,
    retention_days    INTEGER,                  -- NULL: as the server says
    removed_id        BIGINT NOT NULL DEFAULT 0 -- the newest event that is gone
);
CREATE INDEX rooms_open ON rooms (id) WHERE kind = 1 AND visibility = 1 AND deleted = 0;

CREATE TABLE members (
    room_id   BIGINT NOT NULL,
    user_id   BIGINT NOT NULL,
    role      SMALLINT NOT NULL,
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (room_id, user_id)
);
CREATE INDEX members_user ON members (user_id, room_id);

CREATE TABLE read_marks (
    user_id    BIGINT NOT NULL,
    room_id    BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    PRIMARY KEY (user_id, room_id)
) WITH (fillfactor = 70); -- they only move

CREATE TABLE messages (
    id         BIGINT PRIMARY KEY,
    room_id    BIGINT NOT NULL,
    prev_id    BIGINT NOT NULL,
    user_id    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    type       SMALLINT NOT NULL,
    content    TEXT NOT NULL,
    media_id   BIGINT,
    reply_to   BIGINT,
    edited_at  BIGINT,
    deleted    SMALLINT NOT NULL,
    nonce      TEXT NOT NULL,
    body_hash  BIGINT NOT NULL
);
CREATE INDEX messages_room ON messages (room_id, id);
CREATE UNIQUE INDEX messages_nonce ON messages (nonce, room_id, user_id) WHERE nonce <> '';

CREATE TABLE events (
    room_id BIGINT NOT NULL,
    id      BIGINT NOT NULL,
    prev_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    kind    SMALLINT NOT NULL,  -- EventKind in event_rows.hpp, which says what the rest means
    subject BIGINT NOT NULL,
    detail  BIGINT NOT NULL,
    flags   BIGINT NOT NULL,
    text    TEXT NOT NULL,
    topic   TEXT NOT NULL,
    PRIMARY KEY (room_id, id)
);
CREATE INDEX events_reactions ON events (user_id) WHERE kind = 4; -- EventKind::reaction

CREATE TABLE reactions (
    room_id    BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    emoji      TEXT NOT NULL,
    user_id    BIGINT NOT NULL,
    event_id   BIGINT NOT NULL,
    PRIMARY KEY (room_id, message_id, emoji, user_id)
);
CREATE INDEX reactions_user ON reactions (user_id);

-- When each member posted last in a room while it is in slow mode.
CREATE TABLE paced_posts (
    room_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (room_id, user_id)
) WITH (fillfactor = 70);

CREATE TABLE held_messages (
    id         BIGINT PRIMARY KEY,
    room_id    BIGINT NOT NULL,
    user_id    BIGINT NOT NULL,
    nonce      TEXT NOT NULL,
    type       SMALLINT NOT NULL,
    content    TEXT NOT NULL,
    media_id   BIGINT,
    reply_to   BIGINT,
    body_hash  BIGINT NOT NULL,
    words      TEXT NOT NULL,    -- one a line
    state      SMALLINT NOT NULL, -- ports::HeldState
    created_at BIGINT NOT NULL,
    decided_at BIGINT,
    UNIQUE (room_id, user_id, nonce)
);
CREATE INDEX held_waiting ON held_messages (room_id, id) WHERE state = 1;
CREATE INDEX held_waiting_all ON held_messages (id) WHERE state = 1;
CREATE INDEX held_user ON held_messages (user_id);
)sql";

constexpr const char* kMedia = R"sql(
ALTER TABLE messages ADD COLUMN media TEXT; -- model::to_json(MediaFacts)
)sql";

// Whatever takes a message's media away, its id is in released_media with the same commit. Rows of
// messages without media are in none of these indexes.
constexpr const char* kReleasedMedia = R"sql(
CREATE INDEX messages_media ON messages (media_id) WHERE media_id IS NOT NULL;
CREATE INDEX messages_media_room ON messages (room_id) WHERE media_id IS NOT NULL;
CREATE INDEX held_media ON held_messages (media_id) WHERE media_id IS NOT NULL;

CREATE TABLE released_media (
    seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    media_id BIGINT NOT NULL
);
CREATE FUNCTION release_media() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO released_media (media_id) VALUES (OLD.media_id);
    RETURN NULL;
END $$;
CREATE FUNCTION release_media_of_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO released_media (media_id)
    SELECT media_id FROM messages WHERE room_id = OLD.id AND media_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER media_of_changed AFTER UPDATE OF media_id ON messages FOR EACH ROW
WHEN (OLD.media_id IS NOT NULL AND NEW.media_id IS NULL) EXECUTE FUNCTION release_media();
CREATE TRIGGER media_of_removed AFTER DELETE ON messages FOR EACH ROW
WHEN (OLD.media_id IS NOT NULL) EXECUTE FUNCTION release_media();
CREATE TRIGGER media_of_room AFTER UPDATE OF deleted ON rooms FOR EACH ROW
WHEN (NEW.deleted = 1 AND OLD.deleted = 0) EXECUTE FUNCTION release_media_of_room();
CREATE TRIGGER media_of_held AFTER UPDATE OF media_id ON held_messages FOR EACH ROW
WHEN (OLD.media_id IS NOT NULL AND NEW.media_id IS NULL) EXECUTE FUNCTION release_media();
CREATE TRIGGER media_of_held_removed AFTER DELETE ON held_messages FOR EACH ROW
WHEN (OLD.media_id IS NOT NULL) EXECUTE FUNCTION release_media();
)sql";

// Partitions that move to another shard (partition_move.hpp). A partition that is not here, any
// more or yet, is `moved`: nobody may take it over. moving_buckets: its buckets; those that are
// `away` are left out of what is asked of all shards. changed_rows: keys that must be copied again.
constexpr const char* kMoves = R"sql(
ALTER TABLE partitions ADD COLUMN moved SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE partitions ADD COLUMN frozen_until TIMESTAMPTZ;
CREATE TABLE moving_buckets (
    bucket       SMALLINT PRIMARY KEY,
    away         SMALLINT NOT NULL,
    frozen_until TIMESTAMPTZ
);
CREATE TABLE changed_rows (
    seq     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tbl     SMALLINT NOT NULL, -- of the list in partition_move.cpp
    room_id BIGINT NOT NULL,
    k1      BIGINT NOT NULL,
    k2      BIGINT NOT NULL,
    k3      BIGINT NOT NULL,
    k4      TEXT NOT NULL
);
)sql";

constexpr Migration kSteps[] = {{kFirst}, {kMedia}, {kReleasedMedia}, {kMoves}};

} // namespace

constinit const Schema kShardSteps{"shard", kSteps};

} // namespace parley::postgres
