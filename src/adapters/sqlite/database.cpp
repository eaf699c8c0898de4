#include "adapters/sqlite/database.hpp"

#include <sqlite3.h>

#include <utility>

namespace parley::sqlite {
namespace {

constexpr int kBusyWaitMs = 5'000, kRestartWaitMs = 50;
constexpr int kPagesPerCopyStep = 1'024;

// Counting memory costs a global lock in every allocation; nobody reads the count.
int initialise() {
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    return sqlite3_initialize();
}

// What a person can do something about, in words; the rest by SQLite's own.
const char* cause_of(int code) {
    switch (code & 0xFF) {
    case SQLITE_FULL:
        return "the disk is full";
    case SQLITE_IOERR:
        return "the disk reported an error";
    case SQLITE_CANTOPEN:
        return "the database file cannot be opened";
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return "the database file may not be written";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "the database file is in use by another program";
    case SQLITE_CORRUPT:
        return "the database file is damaged";
    case SQLITE_NOTADB:
        return "the file is not a database";
    case SQLITE_NOMEM:
        return "out of memory";
    default:
        return "the store failed";
    }
}

// Constraints and misuse are bugs of this adapter; everything else is the world's.
Errc errc_of(int code) {
    switch (code & 0xFF) {
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return Errc::internal;
    default:
        return Errc::unavailable;
    }
}

DatabaseError error_of(int code) {
    return {errc_of(code), std::string(cause_of(code)) + " (SQLite " + std::to_string(code) + ": " +
                               sqlite3_errstr(code) + ")"};
}

int mode_of(Database::CheckpointKind kind) {
    switch (kind) {
    case Database::CheckpointKind::passive:
        return SQLITE_CHECKPOINT_PASSIVE;
    case Database::CheckpointKind::restart:
        return SQLITE_CHECKPOINT_RESTART;
    case Database::CheckpointKind::truncate:
        return SQLITE_CHECKPOINT_TRUNCATE;
    }
    PARLEY_ASSERT(!"a CheckpointKind outside its enum");
}

} // namespace

Database::Database(const std::filesystem::path& file, Mode mode) {
    static const int initialised = initialise();
    if (initialised != SQLITE_OK) throw error_of(initialised);
    const int access =
        mode == Mode::writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    const int code = sqlite3_open_v2(file.c_str(), &x_handle,
                                     access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    if (code != SQLITE_OK) {
        sqlite3_close(x_handle);
        throw error_of(code);
    }
    try {
        configure(mode);
    } catch (...) {
        sqlite3_close(x_handle);
        throw;
    }
}

void Database::configure(Mode mode) {
    // Recovery after a crash and the end of another connection lock the file for a moment.
    sqlite3_busy_timeout(x_handle, kBusyWaitMs);
    execute("PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF");
    if (mode == Mode::reader) {
        // No mmap: a read error would be a SIGBUS. The kernel's page cache is shared by all
        // readers.
        execute("PRAGMA cache_size = -4096; PRAGMA query_only = ON");
        return;
    }
    execute("PRAGMA cache_size = -65536; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
            "PRAGMA secure_delete = ON"); // a deleted text is overwritten, not only unlinked
    sqlite3_wal_hook(
        x_handle,
        [](void* self, sqlite3*, const char*, int pages) {
            static_cast<Database*>(self)->x_log_pages = pages;
            return SQLITE_OK;
        },
        this);
}

Database::~Database() {
    for (const auto& [text, statement] : x_statements) sqlite3_finalize(statement);
    const int code = sqlite3_close(x_handle);
    PARLEY_ASSERT(code == SQLITE_OK);
}

void Database::fail(int code) const { throw error_of(code); }

Query Database::query(const char* sql) {
    sqlite3_stmt*& statement = x_statements[sql];
    if (!statement) {
        const int code =
            sqlite3_prepare_v3(x_handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
        if (code != SQLITE_OK) fail(code);
    }
    PARLEY_ASSERT(!sqlite3_stmt_busy(statement));
    return {*this, statement};
}

void Database::execute(const char* sql) {
    const int code = sqlite3_exec(x_handle, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code);
}

std::int64_t Database::pragma(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(x_handle, sql, -1, &statement, nullptr);
    std::int64_t value = 0;
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW) value = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail(code);
    return value;
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(x_handle) == 0; }

std::int64_t Database::changes() const { return sqlite3_changes64(x_handle); }

Database::Checkpoint Database::checkpoint(CheckpointKind kind) {
    Checkpoint done;
    // A reader of long standing is a backup or an export: the log grows rather than that commits
    // wait for it.
    if (kind == CheckpointKind::restart) sqlite3_busy_timeout(x_handle, kRestartWaitMs);
    const int code = sqlite3_wal_checkpoint_v2(x_handle, nullptr, mode_of(kind), &done.log_pages,
                                               &done.copied_pages);
    sqlite3_busy_timeout(x_handle, kBusyWaitMs);
    // Busy: a reader still looks at an older state. What could be copied is.
    if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) fail(code);
    if (code == SQLITE_OK) x_log_pages = done.log_pages - done.copied_pages;
    return done;
}

void Database::copy_to(const std::filesystem::path& file, const Progress& progress) {
    sqlite3* target = nullptr;
    int code = sqlite3_open_v2(file.c_str(), &target,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                               nullptr);
    // The one transaction around all steps makes the copy one moment, and keeps a writer from
    // making it begin again.
    if (code == SQLITE_OK)
        code =
            sqlite3_exec(x_handle, "BEGIN; SELECT 1 FROM sqlite_schema", nullptr, nullptr, nullptr);
    sqlite3_backup* copy =
        code == SQLITE_OK ? sqlite3_backup_init(target, "main", x_handle, "main") : nullptr;
    if (copy) {
        do {
            code = sqlite3_backup_step(copy, kPagesPerCopyStep);
            const auto total = static_cast<std::uint64_t>(sqlite3_backup_pagecount(copy));
            progress(total - static_cast<std::uint64_t>(sqlite3_backup_remaining(copy)), total);
        } while (code == SQLITE_OK);
        sqlite3_backup_finish(copy);
        if (code == SQLITE_DONE)
            code = sqlite3_exec(target, "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr);
    } else if (code == SQLITE_OK) {
        code = sqlite3_extended_errcode(target);
    }
    if (in_transaction()) sqlite3_exec(x_handle, "ROLLBACK", nullptr, nullptr, nullptr);
    sqlite3_close(target);
    if (code != SQLITE_OK) fail(code);
}

Query::Query(Database& database, sqlite3_stmt* statement)
    : x_database(database), x_statement(statement) {}

Query::Query(Query&& other) noexcept
    : x_database(other.x_database), x_statement(std::exchange(other.x_statement, nullptr)) {}

Query::~Query() {
    if (x_statement) sqlite3_reset(x_statement);
}

bool Query::row() {
    const int code = sqlite3_step(x_statement);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) x_database.fail(code);
    return false;
}

void Query::run() {
    const bool has_row = row();
    PARLEY_ASSERT(!has_row);
}

void Query::again() { sqlite3_reset(x_statement); }

bool Query::is_null(int column) const {
    return sqlite3_column_type(x_statement, column) == SQLITE_NULL;
}

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(x_statement, column); }

std::string_view Query::text(int column) const {
    // In this order: the size is that of the text form, which the first call makes.
    const void* data = sqlite3_column_blob(x_statement, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(x_statement, column));
    return data ? std::string_view(static_cast<const char*>(data), size) : std::string_view{};
}

void Query::bind_integer(int index, std::int64_t value) {
    const int code = sqlite3_bind_int64(x_statement, index, value);
    if (code != SQLITE_OK) x_database.fail(code);
}

void Query::bind_text(int index, std::string_view value) {
    // A null pointer would bind NULL, and an empty view may hold one.
    const int code = sqlite3_bind_text(x_statement, index, value.data() ? value.data() : "",
                                       static_cast<int>(value.size()), SQLITE_STATIC);
    if (code != SQLITE_OK) x_database.fail(code);
}

void Query::bind_blob(int index, std::string_view value) {
    const int code = sqlite3_bind_blob(x_statement, index, value.data() ? value.data() : "",
                                       static_cast<int>(value.size()), SQLITE_STATIC);
    if (code != SQLITE_OK) x_database.fail(code);
}

void Query::bind_null(int index) {
    const int code = sqlite3_bind_null(x_statement, index);
    if (code != SQLITE_OK) x_database.fail(code);
}

} // namespace parley::sqlite
