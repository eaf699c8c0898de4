#include "adapters/postgres/migrations.hpp"

#include <string>

namespace parley::postgres {
namespace {

constexpr std::int64_t kLock = 0x5061726C6579; // "Parley"

void check_database(Connection& connection) {
    const auto rows = connection.query("SELECT pg_encoding_to_char(encoding)::text, "
                                       "datcollate::text FROM pg_database "
                                       "WHERE datname = current_database()");
    const bool bytes_ordered =
        rows.front().text(1) == "C" || rows.front().text(1) == "POSIX";
    if (rows.front().text(0) != "UTF8" || !bytes_ordered)
        throw DatabaseError(Errc::unavailable,
                            "the database must be made with ENCODING 'UTF8' LC_COLLATE 'C' "
                            "TEMPLATE template0");
}

// The number of the last step; 0 when there is none.
std::int64_t version_of(Connection& connection, const Schema& schema) {
    if (connection.query("SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND "
                         "tablename = 'schema_version'")
            .empty())
        return 0;
    const auto rows = connection.query("SELECT name, version FROM schema_version");
    if (rows.empty()) return 0;
    if (rows.front().text(0) != schema.name)
        throw DatabaseError(Errc::unavailable, "the database is a " + rows.front().string(0) +
                                                   ", not a " + schema.name);
    const std::int64_t version = rows.front().integer(1);
    if (version > static_cast<std::int64_t>(schema.steps.size()))
        throw DatabaseError(Errc::unavailable,
                            "the database has version " + std::to_string(version) +
                                ", this program knows versions up to " +
                                std::to_string(schema.steps.size()) + ": use the newer program");
    return version;
}

void run_steps(Connection& connection, const Schema& schema) {
    const std::int64_t version = version_of(connection, schema);
    for (auto number = static_cast<std::size_t>(version); number < schema.steps.size(); ++number) {
        std::string script = "BEGIN; SET LOCAL statement_timeout = 0;";
        if (number == 0)
            script += "CREATE TABLE schema_version (name TEXT NOT NULL, version BIGINT NOT NULL);"
                      "INSERT INTO schema_version VALUES ('" +
                      std::string(schema.name) + "', 0);";
        script += schema.steps[number].sql;
        script += ";UPDATE schema_version SET version = " + std::to_string(number + 1) +
                  "; COMMIT";
        try {
            connection.script(script, limits::kMigrationTimeout);
        } catch (const DatabaseError&) {
            connection.script("ROLLBACK", limits::kShardCallTimeout);
            throw;
        }
    }
}

} // namespace

void migrate(Connection& connection, const Schema& schema) {
    check_database(connection);
    const std::string lock = std::to_string(kLock);
    connection.script("SET statement_timeout = 0", limits::kShardCallTimeout);
    connection.script("SELECT pg_advisory_lock(" + lock + ")", limits::kMigrationTimeout);
    try {
        run_steps(connection, schema);
    } catch (const DatabaseError& error) {
        try {
            connection.script("SELECT pg_advisory_unlock(" + lock + "); RESET statement_timeout",
                              limits::kShardCallTimeout);
        } catch (const DatabaseError&) {
            // The end of the connection gives the lock back.
        }
        throw error;
    }
    connection.script("SELECT pg_advisory_unlock(" + lock + "); RESET statement_timeout",
                      limits::kShardCallTimeout);
}

void check_schema(Connection& connection, const Schema& schema) {
    const std::int64_t version = version_of(connection, schema);
    if (version < static_cast<std::int64_t>(schema.steps.size()))
        throw DatabaseError(Errc::unavailable,
                            "the database has version " + std::to_string(version) +
                                ", this program needs version " +
                                std::to_string(schema.steps.size()) + ": run parley migrate");
}

} // namespace parley::postgres
