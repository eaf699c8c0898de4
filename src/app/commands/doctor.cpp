#include "app/commands/doctor.hpp"

#include "adapters/sqlite/inspection.hpp"
#include "adapters/sqlite/migrations.hpp"
#include "adapters/sqlite/offline.hpp"
#include "adapters/system/system_clock.hpp"
#include "app/commands/command.hpp"
#include "app/version.hpp"
#include "chat/snowflake.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace parley::app {
namespace {

using Level = Finding::Level;

constexpr const char* kRepair =
    "stop the server, keep a copy of the folder, and restore the last backup; tell the authors";

// Whether the file can be asked more.
bool look_at_version(sqlite::Database& database, Findings& findings) {
    const auto version = database.pragma("PRAGMA user_version");
    const auto newest = static_cast<std::int64_t>(sqlite::migrations().size());
    const std::string detail = "the file has version " + std::to_string(version) +
                               ", this program makes " + std::to_string(newest);
    if (database.pragma("PRAGMA application_id") != sqlite::kApplicationId) {
        findings.push_back({"store version", Level::problem, "the file was not made by Parley",
                            "name the right folder with --data"});
        return false;
    }
    if (version > newest) {
        findings.push_back({"store version", Level::problem, detail, "use the newer program"});
        return false;
    }
    if (version < newest) {
        findings.push_back({"store version", Level::warning, detail,
                            "back up, then start the server: it brings the file up to date"});
        return false;
    }
    findings.push_back({"store version", Level::ok, std::to_string(version)});
    return true;
}

std::optional<model::Time> look_at_store(const Invocation& given, Console& console,
                                         Findings& findings) {
    const auto file = sqlite::database_file(given.settings.data);
    if (!std::filesystem::exists(file)) {
        findings.push_back({"store", Level::ok, "no database yet: the start makes it"});
        return std::nullopt;
    }
    try {
        sqlite::Database database(file, sqlite::Database::Mode::reader);
        if (!look_at_version(database, findings)) return std::nullopt;
        const auto breaches = sqlite::inspect(
            database, {.full = given.has("--full"), .progress = [&](auto done, auto total) {
                           console.progress("looked at rooms", done, total);
                       }});
        console.end_progress();
        for (const std::string& rule : sqlite::store_rules()) {
            const auto breach = std::find_if(breaches.begin(), breaches.end(),
                                             [&](const auto& each) { return each.rule == rule; });
            if (breach == breaches.end())
                findings.push_back({"store " + rule, Level::ok, "kept"});
            else
                findings.push_back({"store " + rule, Level::problem, breach->detail, kRepair});
        }
        return chat::time_of(
            {database.pragma("SELECT value FROM meta WHERE key = 'last_event_id'")});
    } catch (const sqlite::DatabaseError& error) {
        findings.push_back({"store", Level::problem, error.what(), kRepair});
        return std::nullopt;
    }
}

const char* name_of(Level level) {
    switch (level) {
    case Level::ok:
        return "ok";
    case Level::warning:
        return "warning";
    case Level::problem:
        return "problem";
    }
    return "";
}

void print(const Finding& finding, Console& console) {
    std::string level = name_of(finding.level);
    level.resize(9, ' ');
    console.print(level + finding.check + ": " + finding.detail);
    if (finding.level != Level::ok) console.print("         do: " + finding.advice);
}

boost::json::object document(const Finding& finding) {
    boost::json::object entry{
        {"check", finding.check}, {"level", name_of(finding.level)}, {"detail", finding.detail}};
    if (finding.level != Level::ok) entry["advice"] = finding.advice;
    return entry;
}

} // namespace

int run_doctor(const Invocation& given, Console& console) {
    Findings findings;
    const model::Time now = system::SystemClock().now();
    const auto server = server_of(given.settings.data);
    look_at_files(given.settings, findings);
    look_at_disk(given.settings, findings);
    look_at_open_files(given.settings, server, findings);
    look_at_port(given.settings, server.has_value(), findings);
    look_at_certificate(given.settings, now, findings);
    look_at_pictures(findings);
    const auto newest = look_at_store(given, console, findings);
    look_at_clock(now, newest, findings);

    boost::json::array list;
    std::size_t problems = 0, warnings = 0;
    for (const Finding& finding : findings) {
        problems += finding.level == Level::problem;
        warnings += finding.level == Level::warning;
        print(finding, console);
        list.push_back(document(finding));
    }
    console.print(std::to_string(problems) + " problems, " + std::to_string(warnings) +
                  " warnings; the server " + (server ? "runs" : "does not run"));
    console.result({{"version", kVersion},
                    {"server_runs", server.has_value()},
                    {"problems", problems},
                    {"warnings", warnings},
                    {"findings", std::move(list)}});
    return problems > 0 ? kFailed : kDone;
}

} // namespace parley::app
