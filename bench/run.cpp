#include "run.hpp"

#include <algorithm>
#include <unistd.h>

namespace parley::bench {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000u;
constexpr std::uint64_t kStall = 10 * kSecond;
constexpr std::uint64_t kConnectTime = 120 * kSecond;
constexpr std::uint64_t kLongestWait = kSecond / 20;

std::uint64_t to_ns(double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); }

} // namespace

bool RunFigures::sound(std::uint32_t rooms) const {
    return verdict.missing + verdict.doubled + verdict.out_of_order + verdict.altered == 0 &&
           verdict.rooms_in_one_order == rooms && broken_chains + refused + lost == 0 && !stalled;
}

Run::Run(const RunSettings& settings)
    : x_settings(settings),
      x_dialect(make_dialect(settings.plan)),
      x_ledger(settings.plan.rooms, settings.plan.members, settings.plan.senders),
      x_client(settings.plan.address, settings.plan.port,
               settings.plan.rooms * settings.plan.members, *this),
      x_having(std::size_t{settings.plan.rooms} * settings.plan.senders * settings.window, 0) {
    for (std::size_t i = 0; i < x_client.size(); ++i) {
        x_client.at(i).room = static_cast<std::uint32_t>(i) / settings.plan.members;
        x_client.at(i).member = static_cast<std::uint32_t>(i) % settings.plan.members;
    }
}

void Run::note(std::string text) {
    if (x_figures.trouble.empty()) x_figures.trouble = std::move(text);
}

std::string Run::path_of(const Connection& connection) { return x_dialect->path_of(connection); }
std::string Run::headers_of(const Connection& connection) {
    return x_dialect->headers_of(connection);
}
void Run::on_open(Connection& connection) { x_dialect->on_open(x_client, connection, *this); }
void Run::on_text(Connection& connection, std::string_view text, std::uint64_t now) {
    x_dialect->on_text(x_client, connection, text, now, *this);
}
void Run::on_lost(Connection&, std::string_view why) {
    note("connection lost: " + std::string(why));
}
void Run::joined(Connection& connection) { x_client.set_joined(connection); }
void Run::broken_chain(Connection& connection) {
    ++x_figures.broken_chains;
    note("broken chain of ids after " + std::to_string(connection.last_id));
}
void Run::refused(Connection&, std::string_view frame) {
    ++x_figures.refused;
    note("refused: " + std::string(frame.substr(0, 200)));
}

void Run::delivered(Connection& connection, std::string_view content, std::uint64_t now) {
    Content parsed;
    if (!read_content(content, x_settings.size, parsed)) {
        x_ledger.count_altered();
        return note("altered content: " + std::string(content.substr(0, 80)));
    }
    if (!x_ledger.deliver(connection.room, connection.member, parsed)) return;
    x_last_arrival = now;
    if (parsed.intended_ns >= x_measured_from && parsed.intended_ns < x_measured_to)
        x_figures.latency.add(now - std::min(now, parsed.intended_ns));
    if (x_settings.rate > 0) return;
    if (x_settings.complete_all) return finish_one(parsed.sender, parsed.sequence);
    if (connection.member == parsed.sender % x_settings.plan.senders && x_phase != Phase::drain)
        post(parsed.sender, now);
}

// One more member has the message; when all have it, its sender posts the next.
void Run::finish_one(std::uint32_t sender, std::uint64_t sequence) {
    std::uint32_t& having =
        x_having[std::size_t{sender} * x_settings.window + sequence % x_settings.window];
    if (++having < x_settings.plan.members) return;
    having = 0;
    if (x_phase != Phase::drain) post(sender, now_ns());
}

Connection& Run::connection_of(std::uint32_t sender) {
    const Plan& plan = x_settings.plan;
    return x_client.at(std::size_t{sender} / plan.senders * plan.members + sender % plan.senders);
}

void Run::post(std::uint32_t sender, std::uint64_t intended_ns) {
    Connection& connection = connection_of(sender);
    const std::uint64_t sequence = x_ledger.sent_by(sender);
    write_content({sequence, sender, intended_ns}, x_settings.size, x_content);
    x_dialect->encode(connection, sequence, x_content, x_frame);
    x_client.send_text(connection, x_frame);
    x_ledger.count_sent(sender);
}

std::uint64_t Run::due_ns(std::uint64_t n) const {
    return x_open_loop_start +
           static_cast<std::uint64_t>(static_cast<double>(n) * 1e9 / x_settings.rate);
}

void Run::post_due(std::uint64_t now) {
    const Plan& plan = x_settings.plan;
    for (; due_ns(x_open_loop_posted) <= now; ++x_open_loop_posted) {
        const auto n = static_cast<std::uint32_t>(x_open_loop_posted %
                                                  (std::uint64_t{plan.rooms} * plan.senders));
        post(n % plan.rooms * plan.senders + n / plan.rooms, due_ns(x_open_loop_posted));
    }
}

void Run::connect() {
    const std::uint64_t start = now_ns();
    while (x_client.joined() + x_client.lost() < x_client.size() &&
           now_ns() - start < kConnectTime) {
        x_client.open_more(x_settings.handshakes_at_once);
        x_client.turn(now_ns() + kLongestWait);
    }
    const double seconds = static_cast<double>(now_ns() - start) * 1e-9;
    x_figures.connections = x_client.joined();
    x_figures.connects_per_second = static_cast<double>(x_client.joined()) / seconds;
}

void Run::drive(double seconds) {
    const std::uint64_t end = now_ns() + to_ns(seconds);
    for (std::uint64_t now = now_ns(); now < end && !x_figures.stalled; now = now_ns()) {
        std::uint64_t wake = std::min(end, now + kLongestWait);
        if (x_settings.rate > 0 && x_phase != Phase::quiet) {
            post_due(now);
            wake = std::min(wake, due_ns(x_open_loop_posted));
        }
        x_client.turn(wake);
        if (x_phase != Phase::quiet && now > x_last_arrival + kStall) x_figures.stalled = true;
    }
}

void Run::drain() {
    x_phase = Phase::drain;
    const std::uint64_t end = now_ns() + to_ns(x_settings.drain_seconds);
    while (now_ns() < end && !x_ledger.complete()) x_client.turn(now_ns() + kLongestWait);
    const std::uint64_t quiet_end = now_ns() + kSecond / 5; // what comes twice comes now
    while (now_ns() < quiet_end) x_client.turn(quiet_end);
}

Run::Sample Run::sample() const {
    Sample sample;
    sample.at_ns = now_ns();
    sample.messages = x_ledger.sent();
    sample.deliveries = x_ledger.delivered();
    if (x_settings.server > 0) sample.server_us = use_of_process(x_settings.server).cpu_us;
    sample.loader_us = use_of_process(getpid()).cpu_us;
    return sample;
}

RunFigures Run::execute() {
    x_dialect->prepare();
    const auto resident = [this] {
        return x_settings.server > 0 ? use_of_process(x_settings.server).resident_bytes : 0.0;
    };
    x_figures.resident_before = resident();
    connect();
    drive(x_settings.idle_seconds);
    x_figures.resident_idle = resident();
    if (x_client.joined() > 0)
        x_figures.idle_bytes_per_connection =
            (x_figures.resident_idle - x_figures.resident_before) /
            static_cast<double>(x_client.joined());
    if (x_client.joined() < x_client.size()) note("not every connection was made");
    if (!x_settings.idle_only && x_client.joined() == x_client.size()) {
        x_phase = Phase::warmup;
        x_last_arrival = x_open_loop_start = now_ns();
        if (x_settings.rate <= 0)
            for (std::uint32_t s = 0; s < x_settings.plan.rooms * x_settings.plan.senders; ++s)
                for (std::uint32_t i = 0; i < x_settings.window; ++i) post(s, now_ns());
        drive(x_settings.warmup_seconds);
        x_phase = Phase::measured;
        const Sample before = sample();
        x_measured_from = before.at_ns;
        x_measured_to = before.at_ns + to_ns(x_settings.seconds);
        drive(x_settings.seconds);
        const Sample after = sample();
        drain();
        const double seconds = static_cast<double>(after.at_ns - before.at_ns) * 1e-9;
        x_figures.deliveries = after.deliveries - before.deliveries;
        x_figures.deliveries_per_second = static_cast<double>(x_figures.deliveries) / seconds;
        x_figures.messages_per_second =
            static_cast<double>(after.messages - before.messages) / seconds;
        x_figures.server_cores = (after.server_us - before.server_us) * 1e-6 / seconds;
        x_figures.loader_cores = (after.loader_us - before.loader_us) * 1e-6 / seconds;
        if (x_figures.deliveries > 0)
            x_figures.server_us_per_delivery =
                (after.server_us - before.server_us) / static_cast<double>(x_figures.deliveries);
    }
    x_figures.sent = x_ledger.sent();
    x_figures.lost = x_client.lost();
    x_figures.verdict = x_ledger.verdict();
    x_figures.resident_end = resident();
    return std::move(x_figures);
}

} // namespace parley::bench
