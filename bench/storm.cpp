#include "storm.hpp"

#include "process.hpp"
#include "rest.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

namespace parley::bench {

namespace {

constexpr std::size_t kLanes = 4;
constexpr std::uint64_t kSecond = 1'000'000'000u;

double seconds_since(std::uint64_t start_ns) {
    return static_cast<double>(now_ns() - start_ns) * 1e-9;
}

void over_rest(const Plan& plan, std::size_t from, std::size_t to,
               const std::function<void(Rest&, std::size_t)>& step) {
    std::vector<std::future<void>> lanes;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
        lanes.push_back(std::async(std::launch::async, [&, lane] {
            Rest rest(plan.address, plan.port);
            for (std::size_t i = from + lane; i < to; i += kLanes) step(rest, i);
        }));
    for (auto& lane : lanes) lane.get();
}

} // namespace

void Storm::note(std::string text) {
    if (x_figures.trouble.empty()) x_figures.trouble = std::move(text);
}

std::string Storm::headers_of(const Connection& connection) {
    return "Authorization: Bearer " + x_people[connection.index].token +
           "\r\nSec-WebSocket-Protocol: parley.v1\r\n";
}

void Storm::make_people(std::uint32_t count) {
    const std::size_t first = x_people.size();
    x_people.resize(first + count);
    over_rest(x_settings.plan, first, x_people.size(), [&](Rest& rest, std::size_t i) {
        const std::string name = x_prefix + std::to_string(i);
        const std::string body = R"({"username":")" + name + R"(","email":")" + name +
                                 R"(@example.org","password":"a fair measure"})";
        const std::string made = rest.must("POST", "/v1/users", "", body);
        x_people[i].token = string_field(made, "\"access_token\"");
        x_people[i].room = static_cast<std::uint32_t>(i) % x_settings.plan.rooms;
    });
}

void Storm::make_rooms() {
    Rest rest(x_settings.plan.address, x_settings.plan.port);
    for (std::uint32_t r = 0; r < x_settings.plan.rooms; ++r) {
        const std::string body = R"({"kind":"group","visibility":"public","name":"storm )" +
                                 x_prefix + " " + std::to_string(r) + "\"}";
        const std::string made = rest.must("POST", "/v1/rooms", x_people[r].token, body);
        x_rooms.emplace_back(string_field(made, "\"id\""));
    }
    x_newest.resize(x_rooms.size());
    over_rest(x_settings.plan, x_rooms.size(), x_people.size(), [&](Rest& r, std::size_t i) {
        r.must("POST", "/v1/rooms/" + x_rooms[x_people[i].room] + "/join", x_people[i].token, "{}");
    });
}

void Storm::post(std::uint32_t times) {
    Rest rest(x_settings.plan.address, x_settings.plan.port);
    for (std::uint32_t n = 0; n < times; ++n)
        for (std::size_t r = 0; r < x_rooms.size(); ++r) {
            const std::string body = R"({"nonce":"storm )" + std::to_string(now_ns()) +
                                     R"(","type":"TEXT","content":"what was missed"})";
            const std::string said =
                rest.must("POST", "/v1/rooms/" + x_rooms[r] + "/messages", x_people[r].token, body);
            x_newest[r] = to_number(string_field(said, "\"id\""));
        }
}

void Storm::take_event(Person& person, std::string_view event) {
    const std::uint64_t id = to_number(string_field(event, "\"id\""));
    const std::uint64_t previous = to_number(string_field(event, "\"prev_id\""));
    if (person.last_id != 0 && (previous != person.last_id || id <= person.last_id)) {
        ++x_figures.broken_chains;
        note("broken chain of ids after " + std::to_string(person.last_id) + ": " +
             std::string(event.substr(0, 160)));
    }
    person.last_id = id;
}

void Storm::on_text(Connection& connection, std::string_view text, std::uint64_t now) {
    Person& person = x_people[connection.index];
    ++person.frames;
    person.bytes += text.size();
    if (person.read_at != now) ++person.reads; // one recv, one time
    person.read_at = now;
    const std::string_view op = string_field(text, "\"op\"");
    if (op == "welcome") {
        std::string ask = R"({"op":"subscribe","room_id":")" + x_rooms[person.room] + '"';
        if (person.since) ask += R"(,"since":")" + std::to_string(person.since) + '"';
        x_client->send_text(connection, ask + '}');
    } else if (op == "subscribed") {
        const std::uint64_t last = to_number(string_field(text, "\"last_id\""));
        // Each event of the list begins with its op, the frame's own being the first.
        for (std::size_t at = text.find("{\"op\":", 1); at != text.npos;
             at = text.find("{\"op\":", at + 1))
            take_event(person, text.substr(at));
        if (person.since == 0) person.last_id = last;
        if (person.last_id != last) note("the resume does not end with last_id");
        x_client->set_joined(connection);
    } else if (text.find("\"prev_id\"") != text.npos) {
        take_event(person, text);
    } else if (op == "error" || op == "goaway") {
        note("refused: " + std::string(text.substr(0, 200)));
    }
}

bool Storm::connect(Client& client, double seconds) {
    x_client = &client;
    const std::uint64_t start = now_ns();
    while (client.joined() + client.lost() < client.size() && seconds_since(start) < seconds) {
        client.open_more(x_settings.handshakes_at_once);
        client.turn(now_ns() + kSecond / 20);
    }
    return client.joined() == client.size();
}

void Storm::drive(Client& client, double seconds) {
    for (const std::uint64_t start = now_ns(); seconds_since(start) < seconds;)
        client.turn(now_ns() + kSecond / 20);
}

bool Storm::all_have(std::size_t people, const std::vector<std::uint64_t>& newest) const {
    return std::all_of(x_people.begin(), x_people.begin() + static_cast<std::ptrdiff_t>(people),
                       [&](const Person& person) { return person.last_id >= newest[person.room]; });
}

bool Storm::wait_until_all_have(Client& client, const std::vector<std::uint64_t>& newest) {
    const std::uint64_t start = now_ns();
    while (!all_have(client.size(), newest)) {
        if (seconds_since(start) > 30) return false;
        client.turn(now_ns() + kSecond / 20);
    }
    return true;
}

double Storm::metric(const std::string& name) const {
    Rest rest(x_settings.plan.address, x_settings.plan.port);
    const std::string text = "\n" + rest.must("GET", "/metrics", "");
    const std::size_t at = text.find("\n" + name + " ");
    return at == text.npos ? 0 : std::stod(text.substr(at + name.size() + 2));
}

// By kill or term: whoever started the server starts it again.
void Storm::cut() {
    if (x_settings.cut == "client") return;
    if (x_settings.server <= 0) throw std::runtime_error("--cut kill and term need --pid");
    ::kill(x_settings.server, x_settings.cut == "kill" ? SIGKILL : SIGTERM);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    for (const std::uint64_t start = now_ns();;) {
        try {
            Rest rest(x_settings.plan.address, x_settings.plan.port);
            if (rest.request("GET", "/readyz", "").status == 200) return;
        } catch (const std::runtime_error&) {
            if (seconds_since(start) > x_settings.seconds) throw;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

StormFigures Storm::storm() {
    x_prefix = "s" + std::to_string(now_ns() / 1'000'000 % 100'000'000) + "n";
    make_people(x_settings.plan.members);
    make_rooms();
    x_figures.crowd = x_people.size();
    auto client = std::make_unique<Client>(x_settings.plan.address, x_settings.plan.port,
                                           x_settings.plan.members, static_cast<Listener&>(*this));
    if (!connect(*client, 120))
        throw std::runtime_error("not all could connect: " + x_figures.trouble);
    post(1);
    if (!wait_until_all_have(*client, x_newest)) note("a message did not reach everybody");
    for (Person& person : x_people) person.since = person.last_id;
    post(x_settings.missed);
    const std::uint64_t start = now_ns();
    client.reset(); // every socket, at once
    cut();
    for (Person& person : x_people) person.last_id = person.since;
    const bool same_process = x_settings.cut == "client";
    const double reads = same_process ? metric("parley_store_reads_total") : 0;
    const double loads = same_process ? metric("parley_room_loads_total") : 0;
    client = std::make_unique<Client>(x_settings.plan.address, x_settings.plan.port,
                                      x_settings.plan.members, static_cast<Listener&>(*this));
    connect(*client, x_settings.seconds);
    x_figures.back_seconds = seconds_since(start);
    x_figures.back = client->joined();
    x_figures.lost = client->lost();
    x_figures.reads = metric("parley_store_reads_total") - reads;
    x_figures.room_loads = metric("parley_room_loads_total") - loads;
    post(1); // nothing is left out between what was read and what is live
    wait_until_all_have(*client, x_newest);
    for (const Person& person : x_people)
        x_figures.missing += person.last_id < x_newest[person.room];
    return std::move(x_figures);
}

StormFigures Storm::crowd() {
    x_prefix = "c" + std::to_string(now_ns() / 1'000'000 % 100'000'000) + "n";
    const std::size_t crowd = x_settings.plan.members;
    make_people(x_settings.plan.members);
    make_rooms();
    x_figures.crowd = crowd;
    Client client(x_settings.plan.address, x_settings.plan.port, x_settings.plan.members, *this);
    if (!connect(client, 120))
        throw std::runtime_error("not all could connect: " + x_figures.trouble);
    x_figures.back = client.joined();
    post(1);
    wait_until_all_have(client, x_newest);
    drive(client, 6); // what waits has gone out
    make_people(x_settings.joins);
    for (Person& person : x_people) person.frames = person.bytes = person.reads = 0;
    const auto cpu = [this] {
        return x_settings.server > 0 ? use_of_process(x_settings.server).cpu_us : 0.0;
    };
    const double cpu_before = cpu();
    const std::uint64_t start = now_ns();
    // The joins run beside the crowd, which has to be read.
    auto joining = std::async(std::launch::async, [&] {
        Rest rest(x_settings.plan.address, x_settings.plan.port);
        for (std::size_t i = crowd; i < x_people.size(); ++i)
            rest.must("POST", "/v1/rooms/" + x_rooms[x_people[i].room] + "/join", x_people[i].token,
                      "{}");
    });
    while (joining.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
        client.turn(now_ns() + kSecond / 100);
    joining.get();
    x_figures.join_seconds = seconds_since(start);
    drive(client, 6);
    x_figures.server_us_per_join = (cpu() - cpu_before) / x_settings.joins;
    double frames = 0, bytes = 0, reads = 0;
    for (std::size_t i = 0; i < crowd; ++i)
        frames += static_cast<double>(x_people[i].frames),
            bytes += static_cast<double>(x_people[i].bytes),
            reads += static_cast<double>(x_people[i].reads), x_people[i].frames = 0;
    const double per = static_cast<double>(crowd);
    x_figures.frames_per_bystander = frames / per;
    x_figures.bytes_per_bystander = bytes / per;
    x_figures.writes_per_bystander = reads / per;
    // Now those who joined come online: nobody is to hear of it.
    const std::vector<Person> others(x_people.begin() + static_cast<std::ptrdiff_t>(crowd),
                                     x_people.end());
    std::rotate(x_people.begin(), x_people.begin() + static_cast<std::ptrdiff_t>(crowd),
                x_people.end());
    Client late(x_settings.plan.address, x_settings.plan.port, x_settings.joins, *this);
    if (!connect(late, 60)) note("those who joined could not come online");
    std::rotate(x_people.begin(), x_people.begin() + static_cast<std::ptrdiff_t>(others.size()),
                x_people.end());
    x_client = &client;
    drive(client, 1);
    double online = 0;
    for (std::size_t i = 0; i < crowd; ++i) online += static_cast<double>(x_people[i].frames);
    x_figures.online_frames = online / per;
    post(1);
    wait_until_all_have(client, x_newest);
    for (std::size_t i = 0; i < crowd; ++i)
        x_figures.missing += x_people[i].last_id < x_newest[x_people[i].room];
    return std::move(x_figures);
}

} // namespace parley::bench
