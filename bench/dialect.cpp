#include "dialect.hpp"

#include "rest.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>
#include <stdexcept>

namespace parley::bench {

namespace {

constexpr std::size_t kSetupConnections = 4;
constexpr std::string_view kPassword = "a fair measure";

std::uint64_t unix_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

// step(i) for every i below `count`, over a few connections at once.
void for_each_over_rest(const Plan& plan, std::size_t count,
                        const std::function<void(Rest&, std::size_t)>& step) {
    std::vector<std::future<void>> lanes;
    for (std::size_t lane = 0; lane < kSetupConnections; ++lane)
        lanes.push_back(std::async(std::launch::async, [&, lane] {
            Rest rest(plan.address, plan.port);
            for (std::size_t i = lane; i < count; i += kSetupConnections) step(rest, i);
        }));
    for (auto& lane : lanes) lane.get();
}

std::string sign_up_or_in(Rest& rest, const std::string& name) {
    std::string body = R"({"username":")" + name + R"(","email":")" + name + R"(@example.org")";
    body.append(R"(,"password":")").append(kPassword).append("\"}");
    Reply reply = rest.request("POST", "/v1/users", "", body);
    if (reply.status == 409) reply = Reply{201, rest.must("POST", "/v1/sessions", "", body)};
    const std::string token(string_field(reply.body, "\"access_token\""));
    if (reply.status != 201 || token.empty())
        throw std::runtime_error("POST /v1/users: " + std::to_string(reply.status) + " " +
                                 reply.body.substr(0, 200));
    return token;
}

class RawDialect final : public Dialect {
public:
    void prepare() override {}
    std::string path_of(const Connection& connection) const override {
        return "/" + std::to_string(connection.room);
    }
    std::string headers_of(const Connection&) const override { return {}; }
    void on_open(Client&, Connection& connection, Sink& sink) override { sink.joined(connection); }
    void on_text(Client&, Connection& connection, std::string_view text, std::uint64_t now,
                 Sink& sink) override {
        sink.delivered(connection, text, now);
    }
    void encode(const Connection&, std::uint64_t, std::string_view content,
                std::string& out) const override {
        out = content;
    }
};

class ParleyDialect final : public Dialect {
public:
    explicit ParleyDialect(const Plan& plan, Cast cast = {})
        : x_plan(plan), x_cast(std::move(cast)) {}

    void prepare() override { x_cast = make_cast(x_plan); }
    std::string path_of(const Connection&) const override { return "/v1/ws"; }
    std::string headers_of(const Connection& connection) const override {
        return "Authorization: Bearer " + x_cast.tokens[connection.member % x_cast.tokens.size()] +
               "\r\nSec-WebSocket-Protocol: parley.v1\r\n";
    }
    void on_open(Client&, Connection&, Sink&) override {} // `welcome` comes unasked

    void on_text(Client& client, Connection& connection, std::string_view text, std::uint64_t now,
                 Sink& sink) override {
        const std::string_view op = string_field(text, "\"op\"");
        if (op == "message" || op == "sent") {
            check_chain(connection, text, op == "sent", sink);
            sink.delivered(connection, string_field(text, "\"content\""), now);
        } else if (op == "welcome") {
            client.send_text(connection, R"({"op":"subscribe","room_id":")" +
                                             x_cast.room_ids[connection.room] + "\"}");
        } else if (op == "subscribed") {
            connection.last_id = to_number(string_field(text, "\"last_id\""));
            sink.joined(connection);
        } else if (op == "error" || op == "goaway") {
            sink.refused(connection, text);
        }
    }

    void encode(const Connection& sender, std::uint64_t sequence, std::string_view content,
                std::string& out) const override {
        // A UUIDv7: it grows with time, which is what the server's index of nonces likes.
        char nonce[64];
        const std::uint64_t ms = unix_ms();
        std::snprintf(nonce, sizeof nonce, "%08x-%04x-7%03x-%04x-%012llx",
                      static_cast<unsigned>(ms >> 16), static_cast<unsigned>(ms & 0xffff),
                      sender.index >> 14 & 0xfff, 0x8000 | (sender.index & 0x3fff),
                      static_cast<unsigned long long>(sequence));
        out = R"({"op":"send","room_id":")";
        out.append(x_cast.room_ids[sender.room]).append(R"(","nonce":")").append(nonce);
        out.append(R"(","type":"TEXT","content":")").append(content).append("\"}");
    }

private:
    static void check_chain(Connection& connection, std::string_view text, bool sent, Sink& sink) {
        const std::uint64_t previous = to_number(string_field(text, "\"prev_id\""));
        const std::size_t message = sent ? text.find("\"message\":{") : 0;
        if (message == std::string_view::npos) return sink.broken_chain(connection);
        const std::uint64_t id = to_number(string_field(text.substr(message), "\"id\""));
        if (id <= connection.last_id || previous != connection.last_id)
            sink.broken_chain(connection);
        connection.last_id = id;
    }

    const Plan x_plan;
    Cast x_cast;
};

class ClassicDialect final : public Dialect {
public:
    explicit ClassicDialect(const Plan& plan) : x_plan(plan) {
        if (plan.users < plan.members)
            throw std::runtime_error("--proto classic: a user has one connection in a room, so "
                                     "--users must be at least --members");
    }

    void prepare() override { x_cast = make_cast(x_plan); }
    std::string path_of(const Connection& connection) const override {
        return "/ws/user/joinRoom?roomid=" + x_cast.room_ids[connection.room] + "&roomname=bench";
    }
    std::string headers_of(const Connection& connection) const override {
        return "token: " + x_cast.tokens[connection.member % x_cast.tokens.size()] + "\r\n";
    }
    void on_open(Client&, Connection&, Sink&) override {} // the greeting comes unasked

    void on_text(Client&, Connection& connection, std::string_view text, std::uint64_t now,
                 Sink& sink) override {
        const std::string_view event = string_field(text, "\"event_type\"");
        if (event == "chat") {
            const std::string_view rest = text.substr(std::string_view("{\"id\":").size());
            const std::uint64_t id = to_number(rest.substr(0, rest.find(',')));
            if (id <= connection.last_id) sink.broken_chain(connection);
            connection.last_id = id;
            sink.delivered(connection, string_field(text, "\"content\""), now);
        } else if (event == "error") {
            sink.refused(connection, text);
        } else if (string_field(text, "\"type\"") == "heartbeat") {
            sink.joined(connection);
        }
    }

    void encode(const Connection&, std::uint64_t, std::string_view content,
                std::string& out) const override {
        out = R"({"event_type":"chat","message_type":"TEXT","content":")";
        out.append(content).append(R"(","media_id":""})");
    }

private:
    const Plan x_plan;
    Cast x_cast;
};

} // namespace

Cast make_cast(const Plan& plan) {
    const std::string mark = std::to_string(unix_ms() % 100'000'000);
    const std::string prefix = plan.user_prefix.empty() ? "b" + mark + "n" : plan.user_prefix;
    Cast cast;
    cast.tokens.resize(std::min(plan.users, plan.members));
    cast.room_ids.resize(plan.rooms);
    for_each_over_rest(plan, cast.tokens.size(), [&](Rest& rest, std::size_t i) {
        cast.tokens[i] = sign_up_or_in(rest, prefix + std::to_string(i));
    });
    for_each_over_rest(plan, cast.room_ids.size(), [&](Rest& rest, std::size_t r) {
        const std::string body = R"({"kind":"group","visibility":"public","name":"bench )" + mark +
                                 " " + std::to_string(r) + "\"}";
        const std::string room = rest.must("POST", "/v1/rooms", cast.tokens[0], body);
        cast.room_ids[r] = string_field(room, "\"id\"");
    });
    const std::size_t others = cast.tokens.size() - 1;
    for_each_over_rest(plan, cast.room_ids.size() * others, [&](Rest& rest, std::size_t i) {
        rest.must("POST", "/v1/rooms/" + cast.room_ids[i / others] + "/join",
                  cast.tokens[1 + i % others], "{}");
    });
    return cast;
}

std::unique_ptr<Dialect> make_dialect(const Plan& plan) {
    if (plan.protocol == "raw") return std::make_unique<RawDialect>();
    if (plan.protocol == "parley") return std::make_unique<ParleyDialect>(plan);
    if (plan.protocol == "classic") return std::make_unique<ClassicDialect>(plan);
    throw std::runtime_error("--proto must be parley, classic or raw, not '" + plan.protocol + "'");
}

std::unique_ptr<Dialect> make_dialect(const Plan& plan, Cast cast) {
    return std::make_unique<ParleyDialect>(plan, std::move(cast));
}

} // namespace parley::bench
