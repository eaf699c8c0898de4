#include "adapters/sqlite/id_source.hpp"
#include "adapters/sqlite/migrations.hpp"
#include "ports/rows.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace parley::sqlite {
namespace {

class DatabaseFile : public testing::Test {
protected:
    DatabaseFile() {
        std::string name = (std::filesystem::temp_directory_path() / "parley-XXXXXX").string();
        folder = ::mkdtemp(name.data());
    }
    ~DatabaseFile() override { std::filesystem::remove_all(folder); }
    std::unique_ptr<Database> open(Database::Mode mode = Database::Mode::writer) const {
        return std::make_unique<Database>(folder / "parley.db", mode);
    }
    std::filesystem::path folder;
};

constexpr Migration kSteps[] = {{"CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)"},
                                {"ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1"},
                                {"CREATE TABLE b (x INTEGER); INSERT INTO nowhere VALUES (1)"}};
const std::span<const Migration> kAll = kSteps;

TEST_F(DatabaseFile, AnOlderFileIsBroughtForwardAndKeepsItsRows) {
    migrate(*open(), kAll.first(1));
    const auto database = open();
    EXPECT_EQ(database->pragma("PRAGMA user_version"), 1);
    EXPECT_EQ(database->pragma("PRAGMA application_id"), kApplicationId);
    migrate(*database, kAll.first(2));
    EXPECT_EQ(database->pragma("PRAGMA user_version"), 2);
    EXPECT_EQ(database->pragma("SELECT y FROM a"), 2);
    migrate(*database, kAll.first(2));
    EXPECT_EQ(database->pragma("SELECT count(*) FROM a"), 1) << "a step runs once";
}

TEST_F(DatabaseFile, AStepThatFailsLeavesTheFileAsItWas) {
    const auto database = open();
    EXPECT_THROW(migrate(*database, kAll), DatabaseError);
    EXPECT_EQ(database->pragma("PRAGMA user_version"), 2) << "the steps before it stay";
    EXPECT_EQ(database->pragma("SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), 0);
    EXPECT_FALSE(database->in_transaction());
}

TEST_F(DatabaseFile, SessionsFromBeforeDevicesWereKeptAreShownWithoutThem) {
    constexpr std::size_t kBefore = 9;
    migrate(*open(), migrations().first(kBefore));
    open()->execute("INSERT INTO sessions (id, user_id, refresh_hash, created_at, expires_at) "
                    "VALUES (5, 7, x'00', 1000, 2000)");
    const auto database = open();
    migrate(*database);
    auto query = database->query("SELECT " PARLEY_SESSION_COLUMNS " FROM sessions");
    ASSERT_TRUE(query.row());
    const model::Session session = ports::read_session(query);
    EXPECT_EQ(session.user_id, model::UserId{7});
    EXPECT_EQ(session.last_used_at, model::Time{1000}) << "not since it was begun";
    EXPECT_EQ(session.device.user_agent + session.device.address, "");
}

TEST_F(DatabaseFile, AFileOfANewerProgramIsRefused) {
    const auto database = open();
    migrate(*database, kAll.first(2));
    EXPECT_THROW(migrate(*database, kAll.first(1)), DatabaseError);
    EXPECT_EQ(database->pragma("PRAGMA user_version"), 2);
}

TEST_F(DatabaseFile, TheFileIsDurableAndWipesWhatIsDeleted) {
    const auto database = open();
    migrate(*database);
    EXPECT_EQ(database->pragma("PRAGMA synchronous"), 2);
    EXPECT_EQ(database->pragma("PRAGMA secure_delete"), 1);
    auto query = database->query("PRAGMA journal_mode");
    ASSERT_TRUE(query.row());
    EXPECT_EQ(query.text(0), "wal");
}

TEST_F(DatabaseFile, AReaderSeesOneMomentAndCannotWrite) {
    const auto writer = open();
    migrate(*writer, kAll.first(1));
    const auto reader = open(Database::Mode::reader);
    reader->execute("BEGIN");
    EXPECT_EQ(reader->pragma("SELECT count(*) FROM a"), 1);
    writer->execute("INSERT INTO a VALUES (2)");
    EXPECT_EQ(reader->pragma("SELECT count(*) FROM a"), 1);
    reader->execute("COMMIT");
    EXPECT_EQ(reader->pragma("SELECT count(*) FROM a"), 2);
    EXPECT_THROW(reader->execute("INSERT INTO a VALUES (3)"), DatabaseError);
}

TEST_F(DatabaseFile, BindsEveryKindOfValue) {
    const auto database = open();
    database->execute("CREATE TABLE v (a, b, c, d, e)");
    database->query("INSERT INTO v VALUES (?, ?, ?, ?, ?)")
        .bind(std::string_view{}, Blob{std::string_view("\0x", 2)}, std::optional<model::UserId>{},
              model::UserId{-1}, model::Time{7})
        .run();
    auto query = database->query("SELECT typeof(a), length(b), typeof(c), d, e FROM v");
    ASSERT_TRUE(query.row());
    EXPECT_EQ(query.text(0), "text") << "an empty text is not NULL";
    EXPECT_EQ(query.integer(1), 2);
    EXPECT_EQ(query.text(2), "null");
    EXPECT_EQ(query.integer(3), -1);
    EXPECT_EQ(query.time(4), model::Time{7});
    EXPECT_FALSE(query.row());
}

TEST_F(DatabaseFile, ErrorsSayWhoseTheyAre) {
    const auto database = open();
    database->execute("CREATE TABLE v (a INTEGER UNIQUE); INSERT INTO v VALUES (1);"
                      "PRAGMA max_page_count = 3");
    const auto insert = [&](const char* sql) -> Result<void> {
        return guarded([&]() -> Result<void> {
            database->execute(sql);
            return {};
        });
    };
    EXPECT_EQ(insert("INSERT INTO v VALUES (1)").error().code, Errc::internal);
    const auto full = insert("CREATE TABLE w (x); INSERT INTO w VALUES (randomblob(100000))");
    EXPECT_EQ(full.error().code, Errc::unavailable);
    EXPECT_NE(full.error().detail.find("full"), std::string::npos);
    EXPECT_TRUE(insert("DELETE FROM v")) << "the connection lives on";
}

TEST(IdSource, GoesForwardWhateverTheClockDoes) {
    constexpr std::int64_t kNow = 1'767'323'045'678;
    IdSource ids(3, 0);
    const auto first = ids.next({kNow});
    EXPECT_EQ(first >> 22, kNow - 1'704'067'200'000);
    EXPECT_EQ(first >> 12 & 1023, 3);
    EXPECT_EQ(ids.next({kNow}), first + 1);
    EXPECT_GT(ids.next({kNow - 10'000}), first + 1);
    EXPECT_GT(ids.next({0}), first + 2);
    EXPECT_GT(ids.next({kNow + 1}), first + (1 << 22) - 1);
    IdSource again(3, first + 100);
    EXPECT_EQ(again.next({kNow}), first + 101) << "goes on from the rows after a restart";
}

} // namespace
} // namespace parley::sqlite
