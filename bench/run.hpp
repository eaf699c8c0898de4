// Run: one measured run of the load generator: connect, rest, warm up, measure, drain, judge.
//
// Closed loop: each sender keeps `window` messages in flight; one is finished when all members have
// it (complete = all) or when its sender has it (echo). Open loop: `rate` messages a second in all,
// at fixed times, round robin over the rooms; latency counts from the intended time, so that a
// server (or loader) which falls behind shows it.
//
// Threading: one thread. Bounds: every phase ends by the clock; a run in which nothing arrives for
// kStall is given up.
#pragma once

#include "client.hpp"
#include "dialect.hpp"
#include "histogram.hpp"
#include "ledger.hpp"
#include "process.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace parley::bench {

struct RunSettings {
    Plan plan;
    double rate = 0; // 0: closed loop
    std::uint32_t window = 8;
    bool complete_all = true;
    bool idle_only = false; // connect, rest, report
    double seconds = 5, warmup_seconds = 1, drain_seconds = 5, idle_seconds = 1;
    std::size_t size = 100;
    std::size_t handshakes_at_once = 64;
    pid_t server = 0;
};

struct RunFigures {
    std::size_t connections = 0, lost = 0;
    double connects_per_second = 0, resident_before = 0, resident_idle = 0, resident_end = 0;
    double idle_bytes_per_connection = 0;
    double messages_per_second = 0, deliveries_per_second = 0, server_us_per_delivery = 0;
    double server_cores = 0, loader_cores = 0;
    std::uint64_t sent = 0, deliveries = 0, broken_chains = 0, refused = 0;
    Verdict verdict;
    bool stalled = false;
    std::string trouble; // the first thing that went wrong, for a person
    Histogram latency;
    bool sound(std::uint32_t rooms) const;
};

class Run final : private Listener, private Sink {
public:
    explicit Run(const RunSettings& settings);
    RunFigures execute();

private:
    enum class Phase : std::uint8_t { quiet, warmup, measured, drain };
    struct Sample {
        std::uint64_t at_ns = 0, messages = 0, deliveries = 0;
        double server_us = 0, loader_us = 0;
    };

    // --- Listener
    std::string path_of(const Connection& connection) override;
    std::string headers_of(const Connection& connection) override;
    void on_open(Connection& connection) override;
    void on_text(Connection& connection, std::string_view text, std::uint64_t now) override;
    void on_lost(Connection& connection, std::string_view why) override;
    // --- Sink
    void joined(Connection& connection) override;
    void delivered(Connection& connection, std::string_view content, std::uint64_t now) override;
    void broken_chain(Connection& connection) override;
    void refused(Connection& connection, std::string_view frame) override;

    void connect();
    void drive(double seconds);
    void drain();
    void post(std::uint32_t sender, std::uint64_t intended_ns);
    void post_due(std::uint64_t now);
    void finish_one(std::uint32_t sender, std::uint64_t sequence);
    Connection& connection_of(std::uint32_t sender);
    std::uint64_t due_ns(std::uint64_t n) const;
    Sample sample() const;
    void note(std::string text);

    const RunSettings x_settings;
    std::unique_ptr<Dialect> x_dialect;
    Ledger x_ledger;
    Client x_client;
    RunFigures x_figures;
    Phase x_phase = Phase::quiet;
    std::uint64_t x_open_loop_start = 0, x_open_loop_posted = 0;
    std::uint64_t x_measured_from = 0, x_measured_to = 0, x_last_arrival = 0;
    // Closed loop: how many members have the messages in flight, a ring for each sender.
    std::vector<std::uint32_t> x_having;
    std::string x_content, x_frame; // reused
};

} // namespace parley::bench
