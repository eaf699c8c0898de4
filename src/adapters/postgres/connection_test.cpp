#include "adapters/postgres/connection.hpp"

#include "adapters/postgres/migrations.hpp"
#include "model/room.hpp"
#include "tests/support/postgres_server.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace parley::postgres {
namespace {

using namespace std::chrono_literals;

std::string database() { return test::PostgresServer::instance().make_database("connection"); }

Errc code_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const DatabaseError& error) {
        return error.error().code;
    }
    return {};
}

TEST(PostgresConnection, CarriesEveryKindOfValue) {
    Connection connection(database());
    const std::string strange = "a'\\\"\n\t\x01\xC3\xA9 $1";
    const std::string bytes("\0\xFF\x80", 3);
    const std::optional<model::UserId> nobody;
    const auto rows = connection.query(
        "SELECT $1::bigint, $2::text, $3::bytea, $4::bigint, $5::text, $6::smallint, true",
        Params(INT64_MIN, strange, Blob{bytes}, nobody, std::string_view{}, model::Role::owner));
    ASSERT_EQ(rows.size(), 1u);
    const Row row = rows.front();
    EXPECT_EQ(row.integer(0), INT64_MIN);
    EXPECT_EQ(row.text(1), strange);
    EXPECT_EQ(row.bytes(2), bytes);
    EXPECT_TRUE(row.is_null(3));
    EXPECT_FALSE(row.is_null(4));
    EXPECT_EQ(row.text(4), "");
    EXPECT_EQ(row.enumerator<model::Role>(5), model::Role::owner);
    EXPECT_EQ(row.integer(6), 1);
}

TEST(PostgresConnection, CarriesArrays) {
    Connection connection(database());
    const std::vector<model::UserId> ids{{3}, {-1}};
    const std::vector<std::optional<std::string>> texts{"a,b", std::nullopt};
    const std::vector<Blob> blobs{{"x"}, {std::string_view("\0", 1)}};
    const auto rows = connection.query(
        "SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[])", Params(ids, texts, blobs));
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].integer(0), 3);
    EXPECT_EQ(rows[0].text(1), "a,b");
    EXPECT_EQ(rows[1].integer(0), -1);
    EXPECT_TRUE(rows[1].is_null(1));
    EXPECT_EQ(rows[1].bytes(2), std::string_view("\0", 1));
    const std::vector<int> none;
    EXPECT_TRUE(connection.query("SELECT unnest($1::bigint[])", Params(none)).empty());
    const auto arrays = connection.query("SELECT $1::bigint[], '{7,-8}'::smallint[], "
                                         "NULL::bigint[], '{}'::bigint[]",
                                         Params(ids));
    EXPECT_EQ(arrays.front().integers(0), (std::vector<std::int64_t>{3, -1}));
    EXPECT_EQ(arrays.front().integers(1), (std::vector<std::int64_t>{7, -8}));
    EXPECT_TRUE(arrays.front().integers(2).empty());
    EXPECT_TRUE(arrays.front().integers(3).empty());
}

TEST(PostgresConnection, AStatementThatFailsLeavesTheConnectionUsable) {
    Connection connection(database());
    EXPECT_EQ(code_of([&] { connection.query("SELECT nonsense"); }), Errc::internal);
    EXPECT_EQ(code_of([&] { connection.query("SELECT nonsense"); }), Errc::internal);
    EXPECT_EQ(code_of([&] { connection.query("SELECT 1 FROM nowhere"); }), Errc::unavailable);
    EXPECT_EQ(connection.query("SELECT 1").front().integer(0), 1);
}

TEST(PostgresConnection, ATransactionIsAllOrNothing) {
    const std::string target = database();
    Connection connection(target), other(target);
    connection.script("CREATE TABLE a (x BIGINT PRIMARY KEY); INSERT INTO a VALUES (0)", 5s);
    const auto count = [&] { return other.query("SELECT count(*) FROM a").front().integer(0); };
    {
        Transaction transaction(connection);
        connection.query("INSERT INTO a VALUES ($1)", Params(1));
    }
    EXPECT_EQ(count(), 1);
    {
        Transaction transaction(connection);
        for (int i = 1; i <= 2'500; ++i) connection.queue("INSERT INTO a VALUES ($1)", Params(i));
        transaction.commit();
    }
    EXPECT_EQ(count(), 2'501);
    {
        Transaction transaction(connection);
        connection.queue("INSERT INTO a VALUES ($1)", Params(5'000));
        connection.queue("INSERT INTO a VALUES ($1)", Params(1)); // there already
        EXPECT_EQ(code_of([&] { transaction.commit(); }), Errc::internal);
    }
    EXPECT_EQ(count(), 2'501);
    {
        Transaction transaction(connection);
        connection.query("INSERT INTO a VALUES ($1)", Params(5'000));
        EXPECT_EQ(code_of([&] { connection.query("SELECT 1 FROM a WHERE x = 1 / (x - x)"); }),
                  Errc::internal);
        EXPECT_EQ(code_of([&] { transaction.commit(); }), Errc::unavailable) << "it was undone";
    }
    EXPECT_EQ(count(), 2'501);
    EXPECT_EQ(connection.query("SELECT 1").front().integer(0), 1);
}

TEST(PostgresConnection, ConnectsAgainAfterTheServerHasGone) {
    auto& server = test::PostgresServer::instance();
    Connection connection(database()), idle(database());
    connection.script("CREATE TABLE a (x BIGINT)", 5s);
    idle.query("SELECT 1");
    {
        Transaction transaction(connection);
        connection.query("INSERT INTO a VALUES (1)");
        server.crash();
        EXPECT_EQ(code_of([&] { connection.query("INSERT INTO a VALUES (2)"); }),
                  Errc::unavailable);
        server.start();
        EXPECT_EQ(code_of([&] { connection.query("INSERT INTO a VALUES (3)"); }),
                  Errc::unavailable)
            << "not half a transaction on a new connection";
    }
    EXPECT_EQ(connection.query("SELECT count(*) FROM a").front().integer(0), 0);
    EXPECT_EQ(idle.query("SELECT 1").front().integer(0), 1) << "saw that it was cut";
}

TEST(PostgresConnection, AServerThatIsNotThereIsAskedAgainOnlyAfterAWhile) {
    Connection connection("host=127.0.0.1 port=1 dbname=none");
    EXPECT_EQ(code_of([&] { connection.query("SELECT 1"); }), Errc::unavailable);
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 1'000; ++i)
        EXPECT_EQ(code_of([&] { connection.query("SELECT 1"); }), Errc::unavailable);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 200ms);
}

TEST(PostgresConnection, AServerThatDoesNotAnswerCostsABoundedTime) {
    auto& server = test::PostgresServer::instance();
    Connection connection(database());
    connection.query("SELECT 1");
    server.freeze(true);
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(code_of([&] { connection.query("SELECT 1"); }), Errc::unavailable);
    const auto took = std::chrono::steady_clock::now() - began;
    server.freeze(false);
    EXPECT_GE(took, limits::kShardCallTimeout - 1s);
    EXPECT_LE(took, limits::kShardCallTimeout + 1s);
    EXPECT_EQ(connection.query("SELECT 1").front().integer(0), 1);
}

TEST(PostgresConnection, AStatementThatTakesTooLongIsGivenUpByTheServer) {
    Connection connection(database());
    const auto pid = connection.query("SELECT pg_backend_pid()").front().integer(0);
    EXPECT_EQ(code_of([&] { connection.query("SELECT pg_sleep(60)"); }), Errc::unavailable);
    EXPECT_EQ(connection.query("SELECT pg_backend_pid()").front().integer(0), pid);
}

constexpr Migration kMigrations[] = {
    {"CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)"},
    {"ALTER TABLE a ADD COLUMN y INTEGER"},
    {"CREATE TABLE b (x INTEGER); INSERT INTO nowhere VALUES (1)"}};
const std::span<const Migration> kAll = kMigrations;

TEST(PostgresMigrations, RunOnceAndEachAllOrNothing) {
    const std::string target = database();
    Connection connection(target);
    migrate(connection, {"test", kAll.first(1)});
    migrate(connection, {"test", kAll.first(2)});
    migrate(connection, {"test", kAll.first(2)});
    EXPECT_EQ(connection.query("SELECT count(*) FROM a").front().integer(0), 1);
    check_schema(connection, {"test", kAll.first(2)});
    EXPECT_EQ(code_of([&] { check_schema(connection, {"test", kAll}); }), Errc::unavailable);
    EXPECT_EQ(code_of([&] { migrate(connection, {"test", kAll}); }), Errc::unavailable);
    EXPECT_TRUE(connection.query("SELECT 1 FROM pg_tables WHERE tablename = 'b'").empty());
    EXPECT_EQ(code_of([&] { migrate(connection, {"test", kAll.first(1)}); }), Errc::unavailable)
        << "of a newer program";
    EXPECT_EQ(code_of([&] { migrate(connection, {"other", kAll.first(2)}); }), Errc::unavailable);
}

TEST(PostgresMigrations, SeveralProgramsAtOnce) {
    const std::string target = database();
    std::vector<std::thread> programs;
    std::atomic<int> failed{0};
    for (int i = 0; i < 4; ++i)
        programs.emplace_back([&] {
            Connection connection(target);
            if (code_of([&] { migrate(connection, kShardSteps); }) != Errc{}) ++failed;
        });
    for (auto& program : programs) program.join();
    EXPECT_EQ(failed, 0);
    Connection connection(target);
    check_schema(connection, kShardSteps);
}

} // namespace
} // namespace parley::postgres
