// parley_load: load generator and delivery checker. docs/benchmarks.md says how to read its
// figures.
#include "history.hpp"
#include "run.hpp"
#include "storm.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <fstream>
#include <sys/resource.h>

namespace {

using namespace parley::bench;

// One table for a person, one JSON object for a program, from one list.
class Report {
public:
    explicit Report(std::string label) : x_json(R"({"label":")" + label + '"') {}

    void add(const char* key, double value, const char* caption = nullptr, const char* unit = "",
             int digits = 0) {
        char text[128];
        std::snprintf(text, sizeof text, ",\"%s\":%.*f", key, digits, value);
        x_json += text;
        if (!caption) return;
        std::snprintf(text, sizeof text, "  %-34s %14.*f %s\n", caption, digits, value, unit);
        x_table += text;
    }
    void say(const std::string& line) { x_table += "  ! " + line + '\n'; }
    const std::string& table() const { return x_table; }
    std::string json() const { return x_json + "}\n"; }

private:
    std::string x_json, x_table;
};

void allow_many_descriptors() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void report_run(const RunSettings& settings, const RunFigures& figures, Report& report) {
    report.add("connections", static_cast<double>(figures.connections), "connections");
    report.add("connects_per_second", figures.connects_per_second, "connects and subscribes",
               "1/s");
    if (settings.server > 0) {
        report.add("rss_before", figures.resident_before, "server memory before", "B");
        report.add("rss_idle", figures.resident_idle, "server memory, all connected", "B");
        report.add("rss_end", figures.resident_end, "server memory at the end", "B");
        report.add("rss_per_connection", figures.idle_bytes_per_connection,
                   "server memory per idle connection", "B");
    }
    if (settings.idle_only) return;
    const Verdict& verdict = figures.verdict;
    report.add("sent", static_cast<double>(figures.sent), "messages sent, whole run");
    report.add("messages_per_second", figures.messages_per_second, "messages", "1/s");
    report.add("deliveries_per_second", figures.deliveries_per_second, "deliveries", "1/s");
    report.add("p50_ms", figures.latency.quantile_ms(0.5), "latency p50", "ms", 3);
    report.add("p99_ms", figures.latency.quantile_ms(0.99), "latency p99", "ms", 3);
    report.add("p999_ms", figures.latency.quantile_ms(0.999), "latency p99.9", "ms", 3);
    report.add("max_ms", figures.latency.max_ms(), "latency max", "ms", 3);
    if (settings.server > 0) {
        report.add("server_us_per_delivery", figures.server_us_per_delivery,
                   "server CPU per delivery", "us", 3);
        report.add("server_cores", figures.server_cores, "server CPU", "cores", 2);
    }
    report.add("loader_cores", figures.loader_cores, "loader CPU", "cores", 2);
    report.add("missing", static_cast<double>(verdict.missing), "missing");
    report.add("doubled", static_cast<double>(verdict.doubled), "doubled");
    report.add("out_of_order", static_cast<double>(verdict.out_of_order), "out of order");
    report.add("altered", static_cast<double>(verdict.altered), "altered or of another room");
    report.add("broken_chains", static_cast<double>(figures.broken_chains),
               "broken prev_id chains");
    report.add("rooms_in_one_order", static_cast<double>(verdict.rooms_in_one_order),
               "rooms with one order for all");
}

void report_history(const HistoryFigures& figures, Report& report) {
    report.add("fill_messages_per_second", figures.fill_messages_per_second, "filled", "1/s");
    report.add("shallow_p50_ms", figures.shallow.quantile_ms(0.5), "page of the shallow room, p50",
               "ms", 3);
    report.add("shallow_p99_ms", figures.shallow.quantile_ms(0.99), "  p99", "ms", 3);
    report.add("deep_p50_ms", figures.deep.quantile_ms(0.5), "page of the deep room, p50", "ms", 3);
    report.add("deep_p99_ms", figures.deep.quantile_ms(0.99), "  p99", "ms", 3);
}

void report_storm(const std::string& mode, const StormFigures& figures, Report& report) {
    const auto crowd = static_cast<double>(figures.crowd);
    report.add("crowd", crowd, "people");
    if (mode == "storm") {
        report.add("back", static_cast<double>(figures.back), "back");
        report.add("lost", static_cast<double>(figures.lost), "attempts that failed");
        report.add("back_seconds", figures.back_seconds, "until the last one had it all", "s", 2);
        report.add("reads_per_client", (figures.reads - figures.room_loads) / crowd,
                   "store reads for each", "", 3);
        report.add("room_loads", figures.room_loads, "rooms loaded");
    } else {
        report.add("join_seconds", figures.join_seconds, "all joins took", "s", 2);
        report.add("frames_per_bystander", figures.frames_per_bystander, "frames for each", "", 1);
        report.add("bytes_per_bystander", figures.bytes_per_bystander, "bytes for each", "B");
        report.add("writes_per_bystander", figures.writes_per_bystander, "in writes", "", 1);
        report.add("online_frames", figures.online_frames, "frames when they come online", "", 3);
        report.add("server_us_per_join", figures.server_us_per_join, "server CPU per join", "us",
                   1);
    }
    report.add("missing", static_cast<double>(figures.missing), "people who miss something");
    report.add("broken_chains", static_cast<double>(figures.broken_chains),
               "broken prev_id chains");
    if (!figures.trouble.empty()) report.say(figures.trouble);
}

struct Arguments {
    RunSettings run;
    HistorySettings history;
    StormSettings storm;
    std::string mode = "load", rate = "max", complete = "all", label = "run", json_file;
};

void declare(CLI::App& app, Arguments& arguments) {
    RunSettings& run = arguments.run;
    Plan& plan = run.plan;
    app.add_option("--mode", arguments.mode, "what to do")
        ->check(CLI::IsMember({"load", "idle", "history", "storm", "crowd"}));
    app.add_option("--proto", plan.protocol, "parley, classic, or raw for the limit server")
        ->check(CLI::IsMember({"parley", "classic", "raw"}));
    app.add_option("--host", plan.address, "address of the server, inside 127.0.0.0/8");
    app.add_option("--port", plan.port, "port of the server")->required();
    app.add_option("--pid", run.server, "the server's process, for its CPU and memory");
    app.add_option("--rooms", plan.rooms, "rooms")->check(CLI::Range(1, 100'000));
    app.add_option("--members", plan.members, "connections in each room")
        ->check(CLI::Range(1, 19'000));
    app.add_option("--senders", plan.senders, "how many of them send")->check(CLI::Range(1, 1'000));
    app.add_option("--users", plan.users, "accounts that the connections share")
        ->check(CLI::Range(1, 10'000));
    app.add_option("--user-prefix", plan.user_prefix, "names of the accounts; signs in again");
    app.add_option("--rate", arguments.rate, "messages/s in all, or max");
    app.add_option("--window", run.window, "with max: messages in flight for each sender")
        ->check(CLI::Range(1, 100'000));
    app.add_option("--complete", arguments.complete, "with max: when a message is finished")
        ->check(CLI::IsMember({"all", "echo"}));
    app.add_option("--size", run.size, "bytes of content")->check(CLI::Range(48, 4'000));
    app.add_option("--seconds", run.seconds, "measured time")->check(CLI::Range(0.1, 600.0));
    app.add_option("--warmup", run.warmup_seconds, "time before it")->check(CLI::Range(0.0, 60.0));
    app.add_option("--drain", run.drain_seconds, "longest wait for stragglers")
        ->check(CLI::Range(0.0, 60.0));
    app.add_option("--idle-seconds", run.idle_seconds, "rest once all are connected")
        ->check(CLI::Range(0.0, 600.0));
    app.add_option("--connect-parallel", run.handshakes_at_once, "handshakes under way")
        ->check(CLI::Range(1, 4'000));
    app.add_option("--messages", arguments.history.deep, "history: messages in the deep room");
    app.add_option("--pages", arguments.history.pages, "history: pages to read of each room");
    app.add_option("--cut", arguments.storm.cut, "storm: close the sockets, or end the server")
        ->check(CLI::IsMember({"client", "kill", "term"}));
    app.add_option("--missed", arguments.storm.missed, "storm: messages missed in each room");
    app.add_option("--joins", arguments.storm.joins, "crowd: how many join")
        ->check(CLI::Range(1, 5'000));
    app.add_option("--label", arguments.label, "name of this run in the JSON line");
    app.add_option("--json", arguments.json_file, "appends the JSON line to this file");
}

int run(Arguments& arguments) {
    RunSettings& settings = arguments.run;
    if (!settings.plan.address.starts_with("127."))
        throw std::runtime_error("this tool loads servers on 127.0.0.0/8 only");
    if (settings.plan.senders > settings.plan.members)
        throw std::runtime_error("--senders must not exceed --members");
    if (arguments.rate != "max") settings.rate = std::stod(arguments.rate);
    settings.complete_all = arguments.complete == "all";
    settings.idle_only = arguments.mode == "idle";
    Report report(arguments.label);
    bool sound = true;
    if (arguments.mode == "history") {
        arguments.history.plan = settings.plan;
        report_history(measure_history(arguments.history), report);
    } else if (arguments.mode == "storm" || arguments.mode == "crowd") {
        arguments.storm.plan = settings.plan;
        arguments.storm.server = settings.server;
        Storm storm(arguments.storm);
        const StormFigures figures = arguments.mode == "storm" ? storm.storm() : storm.crowd();
        report_storm(arguments.mode, figures, report);
        sound = figures.sound();
    } else {
        Run measured(settings);
        const RunFigures figures = measured.execute();
        report_run(settings, figures, report);
        sound = figures.sound(settings.plan.rooms) && figures.connections > 0;
        if (figures.stalled) report.say("nothing arrived for a long time: run given up");
        if (!figures.trouble.empty()) report.say(figures.trouble);
        if (!sound) report.say("NOT SOUND: do not quote this run");
    }
    report.add("sound", sound ? 1 : 0);
    std::fputs(report.table().c_str(), stdout);
    std::fputs(report.json().c_str(), stdout);
    if (!arguments.json_file.empty())
        std::ofstream(arguments.json_file, std::ios::app) << report.json();
    return sound ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Load generator and delivery checker for Parley");
    Arguments arguments;
    declare(app, arguments);
    CLI11_PARSE(app, argc, argv);
    allow_many_descriptors();
    try {
        return run(arguments);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "parley_load: %s\n", error.what());
        return 2;
    }
}
