#include "tests/sim/simulation.hpp"

#include "chat/composer.hpp"
#include "tests/sim/checker.hpp"
#include "tests/sim/client.hpp"
#include "tests/sim/server.hpp"

#include <array>
#include <memory>
#include <utility>

namespace parley::sim {

namespace {

constexpr std::size_t kStepsMost = 400'000;
constexpr std::array<std::pair<Bug, std::string_view>, 18> kBugs{
    {{Bug::none, "none"},
     {Bug::ack_before_commit, "ack_before_commit"},
     {Bug::no_nonce_check, "no_nonce_check"},
     {Bug::resume_skips_one, "resume_skips_one"},
     {Bug::edit_before_commit, "edit_before_commit"},
     {Bug::deleted_text_stays, "deleted_text_stays"},
     {Bug::reaction_doubled, "reaction_doubled"},
     {Bug::removed_still_hears, "removed_still_hears"},
     {Bug::demotion_ignored, "demotion_ignored"},
     {Bug::last_owner_goes, "last_owner_goes"},
     {Bug::slow_mode_forgotten, "slow_mode_forgotten"},
     {Bug::mark_before_store, "mark_before_store"},
     {Bug::ack_before_produce, "ack_before_produce"},
     {Bug::offset_apart, "offset_apart"},
     {Bug::stale_owner_writes, "stale_owner_writes"},
     {Bug::bus_gap_ignored, "bus_gap_ignored"},
     {Bug::reads_do_not_wait, "reads_do_not_wait"},
     {Bug::time_of_reading, "time_of_reading"}}};

class Simulation {
public:
    Simulation(std::uint64_t seed, Bug bug, Trace trace) : x_world(seed, bug, trace == Trace::on) {}

    Report run() {
        set_up();
        for (const auto& device : x_devices)
            device->start(static_cast<int>(x_world.random.between(10, 60)));
        settle();
        // The end: no more faults, everybody comes back once more and asks for what is missing.
        x_world.trace("--- all come back");
        for (const auto& device : x_devices) device->come_back();
        settle();
        return check();
    }

private:
    void set_up() {
        x_network.serve(x_server);
        x_server.start();
        for (std::int64_t i = x_world.random.between(2, 6); i > 0; --i) {
            const std::string name = "user" + std::to_string(i);
            x_users.push_back(x_disk.add_user({name, name, name, name, ""})->id);
        }
        for (std::int64_t i = x_world.random.between(1, 3); i > 0; --i) {
            model::CreateDraft draft;
            draft.name = "room " + std::to_string(i);
            draft.visibility = x_world.random.chance(500) ? model::Visibility::open
                                                          : model::Visibility::restricted;
            for (const model::UserId user : x_users)
                if (x_world.random.chance(750)) draft.member_ids.push_back(user);
            const auto made = x_server.run_now(chat::Composer::create(x_users.front(), draft));
            x_rooms.push_back(made.room_id);
            const auto& members = made.durable->initial_members();
            RoomModel& first = x_journal.first[made.room_id];
            for (const model::UserId user : members) first.roles[user] = model::Role::member;
            first.roles[x_users.front()] = model::Role::owner;
            first.open = draft.visibility == model::Visibility::open;
        }
        for (const model::UserId user : x_users)
            for (std::int64_t i = x_world.random.between(1, 2); i > 0; --i)
                x_devices.push_back(std::make_unique<Device>(x_world, x_network, x_journal, user,
                                                             x_rooms, x_users));
        // Faults end after a while, so that every run comes to rest.
        x_world.scheduler.after(4'000, [this] { x_world.faults = {}; });
    }

    void settle() {
        for (std::size_t steps = 0; x_world.scheduler.run_one(); ++steps)
            if (steps == kStepsMost || x_world.violations.size() > 20) {
                if (x_world.violations.empty())
                    x_world.violated("I10", "the run never comes to rest");
                return;
            }
    }

    Report check() {
        Checker checker(
            x_world, x_journal, [this](model::RoomId) -> memory::Store& { return x_disk; },
            x_rooms);
        checker.check_history();
        checker.check_rules();
        checker.check_changes();
        checker.check_commits(x_server.store().committed());
        checker.check_sends();
        checker.check_order_of_senders();
        for (const auto& device : x_devices) checker.check_observer(*device);
        if (x_server.running())
            x_server.check_rooms();
        else
            x_world.violated("I10", "the server did not come back");
        return {.seed = 0,
                .violations = x_world.violations,
                .trace = x_world.trace_lines,
                .digest = checker.digest(),
                .virtual_ms = x_world.scheduler.now_ms(),
                .stats = x_world.stats};
    }

    World x_world;
    memory::Store x_disk{x_world.clock};
    Network x_network{x_world};
    Server x_server{x_world, x_network, x_disk};
    Journal x_journal;
    std::vector<model::UserId> x_users;
    std::vector<model::RoomId> x_rooms;
    std::vector<std::unique_ptr<Device>> x_devices;
};

} // namespace

Report run(std::uint64_t seed, Bug bug, Trace trace) {
    auto simulation = std::make_unique<Simulation>(seed, bug, trace);
    Report report = simulation->run();
    report.seed = seed;
    return report;
}

std::string_view name_of(Bug bug) {
    for (const auto& [each, name] : kBugs)
        if (each == bug) return name;
    return "?";
}

std::optional<Bug> parse_bug(std::string_view name) {
    for (const auto& [bug, each] : kBugs)
        if (each == name) return bug;
    return std::nullopt;
}

std::string explain(const Report& report, Bug bug, Kind kind) {
    constexpr std::size_t kLines = 40;
    std::string text = "seed " + std::to_string(report.seed) + " broke a promise:\n";
    for (std::size_t i = 0; i < report.violations.size() && i < 10; ++i)
        text += "  " + report.violations[i] + "\n";
    text += "replay: build/release/tests/sim/parley_sim --verbose --seed " +
            std::to_string(report.seed);
    if (kind == Kind::cluster) text += " --cluster";
    if (bug != Bug::none) text += " --bug " + std::string(name_of(bug));
    text += "\nthe trace up to the first violation:\n";
    const std::vector<std::string> trace =
        (kind == Kind::cluster ? run_cluster : run)(report.seed, bug, Trace::on).trace;
    std::size_t end = 0;
    while (end < trace.size() && trace[end].find("VIOLATED") == std::string::npos) ++end;
    end = std::min(end + 1, trace.size());
    for (std::size_t i = end > kLines ? end - kLines : 0; i < end; ++i)
        text += "  " + trace[i] + "\n";
    return text;
}

} // namespace parley::sim
