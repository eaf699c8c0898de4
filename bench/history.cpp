#include "history.hpp"

#include "client.hpp"
#include "ledger.hpp"
#include "rest.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>

namespace parley::bench {

namespace {

constexpr std::uint64_t kWindow = 512;
constexpr std::size_t kContentBytes = 100;

// Posts to one room until it holds `wanted` messages; remembers its first and last id.
class Filler final : private Listener, private Sink {
public:
    Filler(const Plan& plan, Dialect& dialect, std::uint32_t room, std::uint64_t wanted)
        : x_dialect(dialect), x_client(plan.address, plan.port, 1, *this), x_wanted(wanted) {
        x_client.at(0).room = room;
    }
    void fill(std::uint64_t deadline_ns) {
        while (x_stored < x_wanted) {
            if (now_ns() > deadline_ns) throw std::runtime_error("filling the room took too long");
            x_client.open_more(1);
            x_client.turn(now_ns() + 50'000'000);
        }
    }
    std::uint64_t first_id() const { return x_first_id; }
    std::uint64_t last_id() const { return x_client_last_id; }

private:
    std::string path_of(const Connection& c) override { return x_dialect.path_of(c); }
    std::string headers_of(const Connection& c) override { return x_dialect.headers_of(c); }
    void on_open(Connection& c) override { x_dialect.on_open(x_client, c, *this); }
    void on_text(Connection& c, std::string_view text, std::uint64_t now) override {
        x_dialect.on_text(x_client, c, text, now, *this);
    }
    void on_lost(Connection&, std::string_view why) override {
        throw std::runtime_error("connection lost: " + std::string(why));
    }
    void joined(Connection& connection) override {
        x_client.set_joined(connection);
        for (std::uint64_t i = 0; i < std::min(kWindow, x_wanted); ++i) post(connection);
    }
    void delivered(Connection& connection, std::string_view, std::uint64_t) override {
        ++x_stored;
        if (x_first_id == 0) x_first_id = connection.last_id;
        x_client_last_id = connection.last_id;
        if (x_posted < x_wanted) post(connection);
    }
    void broken_chain(Connection&) override { throw std::runtime_error("broken chain of ids"); }
    void refused(Connection&, std::string_view frame) override {
        throw std::runtime_error("refused: " + std::string(frame.substr(0, 200)));
    }
    void post(Connection& connection) {
        write_content({x_posted, 0, 0}, kContentBytes, x_content);
        x_dialect.encode(connection, x_posted++, x_content, x_frame);
        x_client.send_text(connection, x_frame);
    }

    Dialect& x_dialect;
    Client x_client;
    const std::uint64_t x_wanted;
    std::uint64_t x_posted = 0, x_stored = 0, x_first_id = 0, x_client_last_id = 0;
    std::string x_content, x_frame;
};

} // namespace

HistoryFigures measure_history(const HistorySettings& settings) {
    Plan plan = settings.plan;
    plan.protocol = "parley";
    plan.rooms = 2;
    plan.members = plan.users = plan.senders = 1;
    const Cast cast = make_cast(plan);
    const auto dialect = make_dialect(plan, cast);

    const std::uint64_t start = now_ns();
    const std::uint64_t deadline = start + static_cast<std::uint64_t>(settings.fill_seconds * 1e9);
    Filler shallow(plan, *dialect, 0, settings.shallow), deep(plan, *dialect, 1, settings.deep);
    shallow.fill(deadline);
    deep.fill(deadline);
    HistoryFigures figures;
    figures.fill_messages_per_second = static_cast<double>(settings.shallow + settings.deep) /
                                       (static_cast<double>(now_ns() - start) * 1e-9);

    Rest rest(plan.address, plan.port);
    std::mt19937_64 random(1);
    const auto read_page = [&](const Filler& room, std::size_t index, Histogram& histogram) {
        std::uniform_int_distribution<std::uint64_t> any(room.first_id() + 1, room.last_id() + 1);
        const std::string path = "/v1/rooms/" + cast.room_ids[index] +
                                 "/messages?limit=50&before=" + std::to_string(any(random));
        const std::uint64_t before = now_ns();
        rest.must("GET", path, cast.tokens[0]);
        histogram.add(now_ns() - before);
    };
    Histogram warm;
    for (std::uint64_t i = 0; i < settings.pages / 10; ++i) {
        read_page(shallow, 0, warm);
        read_page(deep, 1, warm);
    }
    for (std::uint64_t i = 0; i < settings.pages; ++i) {
        read_page(shallow, 0, figures.shallow);
        read_page(deep, 1, figures.deep);
    }
    return figures;
}

} // namespace parley::bench
