#include "adapters/postgres/migrations.hpp"

namespace parley::postgres {
namespace {

// The directory: what belongs to no room, or must be unique over all of them. Times are
// milliseconds since 1970, ids Snowflakes, enumerations the numbers of model/.
//
// Keys are compared by their bytes whatever the database's own order is: a prefix is then a range.
//
// users has room left on its pages, because last_seen_at is written each time somebody goes: the
// new row then stays beside the old one and no index is touched.
constexpr const char* kFirst = R"sql(
CREATE TABLE users (
    id              bigint PRIMARY KEY,
    username        text NOT NULL,
    username_key    text COLLATE "C" NOT NULL UNIQUE,
    email           text NOT NULL,
    email_key       text COLLATE "C" NOT NULL UNIQUE,
    password_hash   text NOT NULL,
    display_name    text NOT NULL DEFAULT '',
    avatar_media_id bigint,
    created_at      bigint NOT NULL,
    last_seen_at    bigint,
    disabled        smallint NOT NULL DEFAULT 0,
    role            smallint NOT NULL DEFAULT 1 -- model::ServerRole
) WITH (fillfactor = 85);
CREATE INDEX users_staff ON users (role) WHERE role > 1;

CREATE TABLE sessions (
    id           bigint PRIMARY KEY,
    user_id      bigint NOT NULL,
    refresh_hash bytea NOT NULL,
    created_at   bigint NOT NULL,
    expires_at   bigint NOT NULL,
    revoked_at   bigint
);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX sessions_user ON sessions (user_id) WHERE revoked_at IS NULL;

-- Who is online on which node, as far as it was stored, and when each node last said that it lives:
-- after a crash the one tells when the others were last seen.
CREATE TABLE online_users (
    node    text NOT NULL,
    user_id bigint NOT NULL,
    PRIMARY KEY (node, user_id)
);
CREATE TABLE nodes_alive (
    node     text PRIMARY KEY,
    alive_at bigint NOT NULL
);

CREATE TABLE room_words (
    room_id  bigint PRIMARY KEY,
    revision bigint NOT NULL,
    words    text NOT NULL -- chat/word_list.hpp
);
CREATE INDEX room_words_revision ON room_words (revision);

CREATE TABLE erasures (
    user_id      bigint PRIMARY KEY,
    requested_at bigint NOT NULL,
    done_at      bigint,
    messages     bigint NOT NULL DEFAULT 0,
    reactions    bigint NOT NULL DEFAULT 0,
    rooms        bigint NOT NULL DEFAULT 0,
    sessions     bigint NOT NULL DEFAULT 0,
    held         bigint NOT NULL DEFAULT 0,
    scanned      bigint NOT NULL DEFAULT 0
);
CREATE INDEX erasures_open ON erasures (requested_at) WHERE done_at IS NULL;

-- ports::NameRegistry
CREATE TABLE name_claims (
    key        text COLLATE "C" PRIMARY KEY,
    room_id    bigint NOT NULL,
    claimed_at bigint NOT NULL
);
CREATE INDEX name_claims_room ON name_claims (room_id);
CREATE TABLE dm_claims (
    low     bigint NOT NULL,
    high    bigint NOT NULL,
    room_id bigint NOT NULL,
    PRIMARY KEY (low, high)
);
CREATE INDEX dm_claims_room ON dm_claims (room_id);

-- Numbers of processes that give ids: limits::kFirstLeasedNode and up. last_id: the greatest that a
-- holder of the number has told of.
CREATE TABLE node_leases (
    id         smallint PRIMARY KEY,
    holder     text NOT NULL DEFAULT '',
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    last_id    bigint NOT NULL DEFAULT 0
);
INSERT INTO node_leases (id) SELECT generate_series(512, 1023);

-- Where a room is: bucket -> partition of the log -> shard of the store.
CREATE TABLE buckets (
    bucket    smallint PRIMARY KEY,
    partition integer NOT NULL
);
CREATE TABLE partitions (
    partition integer PRIMARY KEY,
    shard     smallint NOT NULL
);
CREATE TABLE shards (shard smallint PRIMARY KEY);

-- What all nodes must have the same of, and nobody else.
CREATE TABLE secrets (
    name  text PRIMARY KEY,
    value bytea NOT NULL
);
)sql";

// Files. Rows of media_usage are locked last in their transactions, so that all take turns at the
// one of the server only while they commit.
//
// Whose avatar a file is no more is in released_media with the same commit; what messages let go of
// is in the shards' own.
constexpr const char* kMedia = R"sql(
CREATE TABLE media (
    id                bigint PRIMARY KEY,
    room_id           bigint NOT NULL,
    user_id           bigint NOT NULL,
    key               text COLLATE "C" NOT NULL,
    facts             text NOT NULL,
    size              bigint NOT NULL,
    sha256            text NOT NULL,     -- in hexadecimal digits; '': not known
    state             smallint NOT NULL, -- model::MediaState
    created_at        bigint NOT NULL,
    ticket_expires_at bigint NOT NULL,
    attached_at       bigint,            -- the last time; NULL: never
    examined          smallint NOT NULL DEFAULT 0, -- by the picture worker
    upload_id         text NOT NULL DEFAULT ''
);
CREATE INDEX media_unused ON media (created_at) WHERE attached_at IS NULL AND state <> 3;
CREATE INDEX media_fresh ON media (id) WHERE examined = 0 AND state = 2 AND attached_at IS NOT NULL;
CREATE INDEX media_removed ON media (id) WHERE state = 3;

CREATE TABLE media_rooms (
    media_id bigint NOT NULL,
    room_id  bigint NOT NULL, -- 0: an avatar
    PRIMARY KEY (media_id, room_id)
);

CREATE TABLE media_usage (
    day     bigint NOT NULL, -- since 1970
    user_id bigint NOT NULL, -- 0, with day 0: of the server, all days
    bytes   bigint NOT NULL,
    PRIMARY KEY (day, user_id)
) WITH (fillfactor = 50);

CREATE INDEX users_avatar ON users (avatar_media_id) WHERE avatar_media_id IS NOT NULL;
CREATE TABLE released_media (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    media_id bigint NOT NULL
);
CREATE FUNCTION release_avatar() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO released_media (media_id) VALUES (OLD.avatar_media_id);
    RETURN NULL;
END $$;
CREATE TRIGGER media_of_avatar AFTER UPDATE OF avatar_media_id ON users FOR EACH ROW
WHEN (OLD.avatar_media_id IS NOT NULL AND NEW.avatar_media_id IS DISTINCT FROM OLD.avatar_media_id)
EXECUTE FUNCTION release_avatar();
)sql";

// Partitions change their shard while everybody runs (layout_watch.hpp, partition_move.hpp): the
// epoch grows with the table of partitions, and each process tells the one that it goes by.
constexpr const char* kMoves = R"sql(
CREATE TABLE layout_epoch (epoch bigint NOT NULL);
INSERT INTO layout_epoch VALUES (1);
CREATE TABLE layout_readers (
    node    text PRIMARY KEY,
    epoch   bigint NOT NULL,
    shards  integer NOT NULL, -- how many it knows
    seen_at timestamptz NOT NULL
);
CREATE TABLE moves (
    partition  integer PRIMARY KEY,
    source     smallint NOT NULL,
    target     smallint NOT NULL,
    flipped    smallint NOT NULL DEFAULT 0, -- 1: the target has it, the source has yet to forget
    started_at timestamptz NOT NULL DEFAULT now()
);
)sql";

// What a person is shown of each of their sessions.
constexpr const char* kDevices = R"sql(
ALTER TABLE sessions ADD COLUMN last_used_at bigint; -- NULL: not since it was begun
ALTER TABLE sessions ADD COLUMN user_agent text NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN address text NOT NULL DEFAULT '';
)sql";

constexpr Migration kSteps[] = {{kFirst}, {kMedia}, {kMoves}, {kDevices}};

} // namespace

constinit const Schema kDirectorySteps{"directory", kSteps};

} // namespace parley::postgres
