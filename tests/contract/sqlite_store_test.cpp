// What only the SQLite store promises: its folder, its file, full disks, crashes, bounded queues.
#include "adapters/sqlite/database.hpp"
#include "adapters/sqlite/migrations.hpp"
#include "adapters/sqlite/store.hpp"
#include "base/limits.hpp"
#include "tests/contract/await.hpp"
#include "tests/contract/backend.hpp"

#include <csignal>
#include <fstream>
#include <future>
#include <gmock/gmock.h>
#include <sched.h>
#include <set>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace parley::contract {
namespace {

using chat::Composer;
using testing::HasSubstr;

// A store with an ingester behind it, as the product wires them.
class RunningStore {
public:
    explicit RunningStore(const std::filesystem::path& folder, ports::BatchRunner runner = {})
        : x_store(folder, x_clock, x_logger, x_metrics),
          x_ingester(ingest::Ingester::open(x_store.events(), x_clock, 1).value()) {
        if (!runner) runner = [this](auto batch) { return x_ingester->run(std::move(batch)); };
        x_store.start(std::move(runner), sink);
    }
    sqlite::Store& operator*() { return x_store; }
    sqlite::Store* operator->() { return &x_store; }
    Metrics& metrics() { return x_metrics; }

    Result<model::User> try_user(const std::string& name) {
        return await(x_store.users().create_user({.username = name,
                                                  .username_key = name,
                                                  .email = name,
                                                  .email_key = name,
                                                  .password_hash = "-"}));
    }
    ports::Outcome submit(Result<model::Draft> draft) {
        append(std::move(draft));
        return std::move(sink.wait_for(1).front());
    }
    void append(Result<model::Draft> draft) {
        std::vector<ports::Submission> one;
        one.push_back({filtered(std::move(draft)), {}});
        x_store.log().append(std::move(one));
    }
    model::RoomId room(model::UserId owner) {
        return submit(Composer::create(owner, {.name = "room one",
                                               .topic = {},
                                               .kind = model::RoomKind::group,
                                               .visibility = model::Visibility::open,
                                               .member_ids = {}}))
            .room_id;
    }

    CollectingSink sink;

private:
    ManualClock x_clock;
    SilentLogger x_logger;
    Metrics x_metrics;
    sqlite::Store x_store;
    std::unique_ptr<ingest::Ingester> x_ingester;
};

Result<model::Draft> a_post(model::RoomId room, model::UserId user, const std::string& nonce,
                            const std::string& content = "hello") {
    return Composer::post(
        room, user,
        {.nonce = nonce, .type = "TEXT", .content = content, .media_id = {}, .reply_to = {}});
}

std::string refusal_of(const std::filesystem::path& folder) {
    try {
        ManualClock clock;
        SilentLogger logger;
        Metrics metrics;
        const sqlite::Store store(folder, clock, logger, metrics);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "";
}

// Runs `function` in a process of its own; its answer is the exit code.
template <class Function>
int in_child(Function function) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(function());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

mode_t mode_of(const std::filesystem::path& path) {
    struct stat facts{};
    ::stat(path.c_str(), &facts);
    return facts.st_mode & 0777;
}

TEST(SqliteStore, MakesAFolderThatOnlyItsOwnerCanRead) {
    const TemporaryFolder folder;
    const auto data = folder.path() / "a" / "data";
    RunningStore store(data);
    const auto user = store.try_user("alice").value();
    store.room(user.id);
    EXPECT_EQ(mode_of(data), 0700u);
    EXPECT_EQ(mode_of(data / "parley.db"), 0600u);
    EXPECT_EQ(mode_of(data / "parley.db-wal"), 0600u);
    EXPECT_EQ(mode_of(data / "parley.lock"), 0600u);
}

TEST(SqliteStore, ASecondProcessOnTheFolderIsRefused) {
    const TemporaryFolder folder;
    int ready[2], go[2];
    ASSERT_EQ(::pipe(ready), 0);
    ASSERT_EQ(::pipe(go), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        RunningStore store(folder.path());
        char byte = 'r';
        if (::write(ready[1], &byte, 1) != 1 || ::read(go[0], &byte, 1) != 1) ::_exit(1);
        store->stop();
        ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    const std::string text = refusal_of(folder.path());
    EXPECT_THAT(text, HasSubstr(folder.path().string()));
    EXPECT_THAT(text, HasSubstr("process " + std::to_string(child)));
    ASSERT_EQ(::write(go[1], &byte, 1), 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(refusal_of(folder.path()), "") << "free again once the other has gone";
    for (const int end : {ready[0], ready[1], go[0], go[1]}) ::close(end);
}

TEST(SqliteStore, AFileOfANewerProgramIsRefusedUnchanged) {
    const TemporaryFolder folder;
    ASSERT_EQ(refusal_of(folder.path()), "");
    const auto newer = static_cast<std::int64_t>(sqlite::migrations().size()) + 1;
    {
        sqlite::Database database(folder.path() / "parley.db", sqlite::Database::Mode::writer);
        database.execute(("PRAGMA user_version = " + std::to_string(newer)).c_str());
    }
    const std::string text = refusal_of(folder.path());
    EXPECT_THAT(text, HasSubstr("version " + std::to_string(newer)));
    EXPECT_THAT(text, HasSubstr("newer program"));
    sqlite::Database database(folder.path() / "parley.db", sqlite::Database::Mode::writer);
    EXPECT_EQ(database.pragma("PRAGMA user_version"), newer);
}

TEST(SqliteStore, AFileThatIsNotOursIsRefusedUnchanged) {
    const TemporaryFolder folder;
    const auto file = folder.path() / "parley.db";
    {
        sqlite::Database database(file, sqlite::Database::Mode::writer);
        database.execute("CREATE TABLE theirs (x)");
    }
    EXPECT_THAT(refusal_of(folder.path()), HasSubstr("not made by Parley"));
    std::ofstream(file, std::ios::trunc) << std::string(8192, 'x');
    EXPECT_THAT(refusal_of(folder.path()), HasSubstr("not a database"));
    EXPECT_EQ(std::filesystem::file_size(file), 8192u);
}

TEST(SqliteStore, AFolderThatCannotBeMadeIsNamed) {
    const TemporaryFolder folder;
    std::ofstream(folder.path() / "file") << "in the way";
    EXPECT_THAT(refusal_of(folder.path() / "file" / "data"), HasSubstr("file"));
}

TEST(SqliteStore, AStoppedStoreLeavesNoWriteAheadLogToRead) {
    const TemporaryFolder folder;
    {
        RunningStore store(folder.path());
        const auto alice = store.try_user("alice").value().id;
        const auto room = store.room(alice);
        for (int i = 0; i < 50; ++i) store.submit(a_post(room, alice, std::to_string(i)));
        store->stop();
    }
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "parley.db-wal"));
}

TEST(SqliteStore, AStoppedStoreAnswersShuttingDown) {
    const TemporaryFolder folder;
    RunningStore store(folder.path());
    const auto alice = store.try_user("alice").value().id;
    store->stop();
    EXPECT_EQ(store.try_user("bob").error().code, Errc::shutting_down);
    EXPECT_EQ(await(store->users().note_presence({{1}, {alice}, {}})).error().code,
              Errc::shutting_down);
    EXPECT_EQ(await(store->users().find_user(alice)).error().code, Errc::shutting_down);
    store->stop();
}

TEST(SqliteStore, AFullQueueAnswersOverloadedAtOnce) {
    const TemporaryFolder folder;
    std::promise<void> entered, release;
    auto released = release.get_future().share();
    bool first = true;
    RunningStore store(folder.path(), [&](std::vector<ports::Submission> batch) {
        if (std::exchange(first, false)) entered.set_value();
        released.wait();
        return std::vector<ports::Outcome>(batch.size());
    });
    store.append(a_post({1}, {2}, "taken")); // and out of the queue
    entered.get_future().wait();
    std::vector<ports::Submission> batch;
    for (std::size_t i = 0; i < limits::kLogQueue - 1; ++i)
        batch.push_back({filtered(a_post({1}, {2}, "n" + std::to_string(i))), {}});
    store->log().append(std::move(batch));
    batch = {};
    for (int i = 0; i < 3; ++i)
        batch.push_back({filtered(a_post({1}, {2}, "over" + std::to_string(i))), {}});
    store->log().append(std::move(batch));
    const auto refused = store.sink.wait_for(2);
    ASSERT_EQ(refused.size(), 2u) << "one of the three had a place";
    EXPECT_EQ(refused[0].error->code, Errc::overloaded);
    EXPECT_EQ(refused[0].nonce, "over1");
    EXPECT_EQ(refused[1].nonce, "over2");
    EXPECT_EQ(refused[1].room_id, model::RoomId{1});
    EXPECT_EQ(store.metrics().counter("parley_log_rejected_total", "").value(), 2u);
    EXPECT_EQ(store.metrics().gauge("parley_log_queue", "").value(),
              static_cast<std::int64_t>(limits::kLogQueue));
    release.set_value();
    EXPECT_EQ(store.sink.wait_for(limits::kLogQueue + 1).size(), limits::kLogQueue + 1);
    store->stop();
    EXPECT_EQ(store.metrics().gauge("parley_log_queue", "").value(), 0);
}

TEST(SqliteStore, LongTextsFillTheQueueBeforeTheirNumberDoes) {
    const TemporaryFolder folder;
    std::promise<void> entered, release;
    auto released = release.get_future().share();
    bool first = true;
    RunningStore store(folder.path(), [&](std::vector<ports::Submission> batch) {
        if (std::exchange(first, false)) entered.set_value();
        released.wait();
        return std::vector<ports::Outcome>(batch.size());
    });
    store.append(a_post({1}, {2}, "taken"));
    entered.get_future().wait();
    std::string text; // of 4,000 code points, so as long as a text can be
    for (std::size_t i = 0; i < limits::kContentCodePoints; ++i) text += "\xF0\x9F\x8C\x8D";
    std::vector<ports::Submission> batch;
    const std::size_t count = limits::kLogQueueBytes / limits::kContentBytes + 8;
    for (std::size_t i = 0; i < count; ++i)
        batch.push_back({filtered(a_post({1}, {2}, "n" + std::to_string(i), text)), {}});
    store->log().append(std::move(batch));
    const auto refused = store.sink.wait_for(8);
    ASSERT_GE(refused.size(), 8u);
    ASSERT_LT(refused.size(), count / 2);
    EXPECT_EQ(refused.front().error->code, Errc::overloaded);
    release.set_value();
    const std::size_t rest = count + 1 - refused.size();
    EXPECT_EQ(store.sink.wait_for(rest).size(), rest);
    store->stop();
}

// --- a disk without room
// ---------------------------------------------------------------------------

// A disk that can be filled: a small one of its own where the test may mount one (seen by this
// process only, so that it goes with it); else the limit on the size of this process's files.
class SmallDisk {
public:
    SmallDisk() {
        x_mounted =
            ::unshare(CLONE_NEWNS) == 0 &&
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
            ::mount("parley-test", x_folder.path().c_str(), "tmpfs", 0, "size=2m,mode=700") == 0;
        if (x_mounted) return;
        std::signal(SIGXFSZ, SIG_IGN);
        limit(2 << 20);
    }
    ~SmallDisk() {
        if (x_mounted)
            ::umount2(x_folder.path().c_str(), MNT_DETACH);
        else
            limit(RLIM_INFINITY);
    }
    void give_room() {
        if (x_mounted)
            ASSERT_EQ(
                ::mount("parley-test", x_folder.path().c_str(), "tmpfs", MS_REMOUNT, "size=64m"),
                0);
        else
            limit(RLIM_INFINITY);
    }
    std::filesystem::path folder() const { return x_folder.path() / "data"; }

private:
    static void limit(rlim_t bytes) {
        struct rlimit bound{};
        ::getrlimit(RLIMIT_FSIZE, &bound);
        bound.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &bound);
    }
    TemporaryFolder x_folder;
    bool x_mounted = false;
};

TEST(SqliteStore, AFullDiskRefusesWritesAndLosesNothingAndRecovers) {
    SmallDisk disk;
    std::set<std::string> stored;
    model::UserId alice;
    model::RoomId room;
    {
        RunningStore store(disk.folder());
        alice = store.try_user("alice").value().id;
        room = store.room(alice);
        const std::string content(4'000, 'x');
        int refused = 0;
        for (int i = 0; refused < 5; ++i) {
            ASSERT_LT(i, 5'000) << "the disk does not fill";
            const auto outcome = store.submit(a_post(room, alice, std::to_string(i), content));
            if (outcome.durable) {
                stored.insert(outcome.nonce);
                continue;
            }
            ASSERT_TRUE(outcome.error);
            EXPECT_EQ(outcome.error->code, Errc::unavailable);
            EXPECT_EQ(outcome.nonce, std::to_string(i));
            ++refused;
        }
        EXPECT_GE(store.metrics().counter("parley_commit_failures_total", "").value(), 5u);
        // Reading goes on, and so does a write of the directory: it is answered, one way or
        // another.
        EXPECT_EQ(await(store->history().messages_before(room, {}, 5)).value().messages.size(), 5u);
        const auto user = store.try_user("bob");
        if (!user) {
            EXPECT_EQ(user.error().code, Errc::unavailable);
        }

        disk.give_room();
        const auto outcome = store.submit(a_post(room, alice, "after", content));
        ASSERT_TRUE(outcome.durable) << "it goes on when there is room";
        stored.insert(outcome.nonce);
        EXPECT_TRUE(store.try_user("carol"));
    }
    RunningStore store(disk.folder());
    std::set<std::string> found;
    model::EventId since;
    for (bool more = true; more;) {
        const auto page = await(store->history().events_after(room, since, 500)).value();
        for (const auto& event : page.events)
            if (const auto* posted = std::get_if<model::MessagePosted>(&event.body)) {
                EXPECT_TRUE(found.insert(posted->nonce).second);
            }
        since = page.events.back().id;
        more = page.more;
    }
    EXPECT_EQ(found, stored) << "what was acknowledged, and nothing that was refused";
}

// --- a process that is killed
// ------------------------------------------------------------------------

// Writes each acknowledged nonce to the pipe, until it is killed.
class PipeSink final : public ports::OutcomeSink {
public:
    explicit PipeSink(int end) : x_end(end) {}
    void on_outcomes(std::vector<ports::Outcome> outcomes) override {
        std::string lines;
        for (const auto& outcome : outcomes)
            if (outcome.durable && !outcome.nonce.empty()) lines += outcome.nonce + "\n";
        for (std::string_view rest = lines; !rest.empty();) {
            const auto size = ::write(x_end, rest.data(), rest.size());
            if (size <= 0) ::_exit(1);
            rest.remove_prefix(static_cast<std::size_t>(size));
        }
    }

private:
    int x_end;
};

[[noreturn]] void post_until_killed(const std::filesystem::path& folder, model::RoomId room,
                                    model::UserId alice, int round, int end) {
    ManualClock clock;
    SilentLogger logger;
    Metrics metrics;
    sqlite::Store store(folder, clock, logger, metrics);
    const auto ingester = ingest::Ingester::open(store.events(), clock, 1).value();
    PipeSink sink(end);
    store.start([&](auto batch) { return ingester->run(std::move(batch)); }, sink);
    for (std::uint64_t i = 0;; ++i) {
        std::vector<ports::Submission> batch;
        for (int j = 0; j < 7; ++j)
            batch.push_back({filtered(a_post(room, alice,
                                             std::to_string(round) + "-" + std::to_string(i) + "-" +
                                                 std::to_string(j))),
                             {}});
        store.log().append(std::move(batch));
        ::usleep(200);
    }
}

std::set<std::string> nonces_in(RunningStore& store, model::RoomId room) {
    std::set<std::string> found;
    model::EventId since, previous;
    for (bool more = true; more;) {
        const auto page = await(store->history().events_after(room, since, 500)).value();
        for (const auto& event : page.events) {
            EXPECT_EQ(event.prev_id, previous) << "an unbroken chain";
            previous = event.id;
            if (const auto* posted = std::get_if<model::MessagePosted>(&event.body)) {
                EXPECT_TRUE(found.insert(posted->nonce).second) << "once";
            }
        }
        since = page.events.back().id;
        more = page.more;
    }
    return found;
}

TEST(SqliteStore, WhatWasAcknowledgedIsThereAfterAKill) {
    const TemporaryFolder folder;
    model::UserId alice;
    model::RoomId room;
    {
        RunningStore store(folder.path());
        alice = store.try_user("alice").value().id;
        room = store.room(alice);
    }
    std::set<std::string> acknowledged;
    for (int round = 0; round < 3; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const pid_t child = ::fork();
        if (child == 0) post_until_killed(folder.path(), room, alice, round, ends[1]);
        ::close(ends[1]);
        std::string text;
        char bytes[4096];
        bool killed = false;
        for (ssize_t size; (size = ::read(ends[0], bytes, sizeof bytes)) > 0;) {
            text.append(bytes, static_cast<std::size_t>(size));
            if (!killed && text.size() > 4'000u * (round + 1)) killed = ::kill(child, SIGKILL) == 0;
        }
        ::close(ends[0]);
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status));
        for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos;
             at = end + 1)
            acknowledged.insert(text.substr(at, end - at));

        RunningStore store(folder.path());
        const auto found = nonces_in(store, room);
        EXPECT_TRUE(
            std::includes(found.begin(), found.end(), acknowledged.begin(), acknowledged.end()))
            << "round " << round;
    }
    EXPECT_GT(acknowledged.size(), 1'000u);
}

} // namespace
} // namespace parley::contract
