#include "tests/sim/cluster/front_node.hpp"

#include "tests/sim/compose.hpp"
#include "tests/sim/server.hpp"

#include <boost/asio/co_spawn.hpp>

#include <charconv>
#include <cstdlib>
#include <utility>

namespace parley::sim {

namespace {

FrameRef plain(std::string_view payload) { return FrameRef::copy_of(payload); }

const char* packet_name(Packet::Kind kind) {
    switch (kind) {
    case Packet::Kind::subscribed:
        return "resumes";
    case Packet::Kind::event:
        return "shows";
    case Packet::Kind::sent:
        return "has sent";
    default:
        return "says";
    }
}

service::RateSettings no_limits() {
    service::RateSettings settings;
    settings.enabled = false;
    return settings;
}

} // namespace

struct FrontNode::Ends final : ports::DraftLogEnds {
    explicit Ends(FrontNode& n) : node(n) {}
    Task<Result<std::vector<std::int64_t>>> ends() override {
        const ClusterParts& parts = node.x_parts;
        if (node.dead()) co_return Error(Errc::unavailable, "gone");
        co_await pause(parts.weather.delay_ms());
        // A node that alone cannot ask reads what it knows of, and counts that as uncertain.
        if (node.dead() || !parts.log.up())
            co_return Error(Errc::unavailable, "the log does not answer");
        std::vector<std::int64_t> ends;
        for (ports::Partition p = 0; p < parts.layout.partitions; ++p)
            ends.push_back(parts.log.end(p));
        co_await pause(parts.weather.delay_ms());
        co_return ends;
    }
    FrontNode& node;
};

struct FrontNode::Dice final : ports::Entropy {
    explicit Dice(Random& r) : random(r) {}
    void fill(std::span<std::byte> out) override {
        for (std::byte& one : out) one = static_cast<std::byte>(random.below(256));
    }
    Random& random;
};

struct FrontNode::OfCore {
    OfCore(FrontNode& node, std::uint16_t index, memory::Store& directory)
        : core(index),
          caught_up(
              {.core = core,
               .ends = *node.x_ends,
               .partition_of =
                   [&node](model::RoomId room) { return node.x_parts.layout.partition_of(room); },
               .partitions = node.x_parts.layout.partitions,
               .shard_of =
                   [&node](ports::Partition partition) {
                       return node.x_parts.layout.shard_of(partition);
                   },
               .positions = [&node](std::size_t s) { return node.x_reads.positions(s); },
               .clock = node.x_clock,
               .metrics = node.x_metrics}),
          fresh_history(node.x_reads, caught_up),
          fresh_rooms(node.x_reads, caught_up),
          history(waits(node) ? static_cast<ports::History&>(fresh_history) : node.x_reads),
          rooms_read(waits(node) ? static_cast<ports::RoomDirectory&>(fresh_rooms) : node.x_reads) {
        static_cast<void>(directory);
    }
    static bool waits(const FrontNode& node) {
        return node.x_parts.weather.world.bug != Bug::reads_do_not_wait;
    }

    Core core; // goes last
    cluster::CaughtUp caught_up;
    cluster::FreshHistory fresh_history;
    cluster::FreshDirectory fresh_rooms;
    ports::History& history;
    ports::RoomDirectory& rooms_read;
    std::unique_ptr<service::Rooms> rooms;
    std::map<LinkId, std::unique_ptr<Connection>> connections;
};

struct FrontNode::Connection final : chat::Subscriber, service::Responder {
    Connection(FrontNode& n, LinkId l, model::UserId user) : node(n), link(l) { x_user_id = user; }
    void push(const FrameRef& frame) override {
        bool is_event = false;
        const WireEvent event = node.read_frame(frame.bytes(), is_event);
        if (is_event)
            node.answer(link, {.kind = Packet::Kind::event,
                               .ref = 0,
                               .room = event.room,
                               .events = {event},
                               .more = false,
                               .code = {}});
    }
    // One that was not live yet has its request's answer.
    void on_ended(chat::Subscription& subscription) override {
        const model::RoomId room = subscription.room_id();
        subscriptions.erase(room);
        if (subscription.live())
            node.answer(link, {.kind = Packet::Kind::ended,
                               .ref = 0,
                               .room = room,
                               .events = {},
                               .more = false,
                               .code = {}});
    }
    chat::Subscriber* as_subscriber() override { return this; }
    void on_outcome(const service::DeliveryRef& delivery) override {
        const ports::Outcome& outcome = delivery->outcome;
        Packet packet{.kind = Packet::Kind::done,
                      .ref = std::stoull(outcome.origin.ref),
                      .room = outcome.room_id,
                      .events = {},
                      .more = false,
                      .code = {}};
        if (outcome.error) {
            packet.kind = Packet::Kind::error;
            packet.code = std::string(name_of(outcome.error->code));
        } else if (outcome.durable) {
            const WireEvent event = to_wire(outcome.durable->event());
            node.x_parts.weather.world.stats.repeated += outcome.duplicate;
            node.x_acknowledged(event.room, event.id);
            if (event.kind == EventKind::posted) {
                packet.kind = Packet::Kind::sent;
                packet.events.push_back(event);
            }
        }
        node.answer(link, std::move(packet));
    }

    struct Held {
        chat::Subscription* subscription = nullptr;
        std::uint64_t attempt = 0;
    };
    FrontNode& node;
    const LinkId link;
    std::uint64_t responder = 0;
    std::map<model::RoomId, Held> subscriptions;
};

FrontNode::FrontNode(ClusterParts parts, Names& names, memory::Store& directory, Network& network,
                     std::string name, std::uint16_t cores, Acknowledged acknowledged)
    : x_parts(parts),
      x_network(network),
      x_name(std::move(name)),
      x_acknowledged(std::move(acknowledged)),
      x_clock(parts.weather.world.scheduler),
      x_rates(no_limits(), x_metrics),
      x_bus(parts.weather, parts.bus, *this),
      x_producer(parts.weather, parts.log, *this),
      x_names(parts.weather, names, *this),
      x_reads(parts.weather, parts.shards, parts.layout, *this),
      x_ends(std::make_unique<Ends>(*this)),
      x_dice(std::make_unique<Dice>(parts.weather.world.random)),
      x_pending(*x_dice, x_metrics),
      x_follower(
          x_name, x_bus, x_pending,
          [this](std::vector<model::RoomId> rooms) { return x_reads.heads(std::move(rooms)); },
          x_logger, x_metrics) {
    x_log = std::make_unique<cluster::RemoteLog>(cluster::RemoteLogParts{
        .node = x_name,
        .producer = x_producer,
        .partition_of = [this](model::RoomId room) { return x_parts.layout.partition_of(room); },
        .next_room_id = [this]() -> Result<model::RoomId> {
            // Of any bucket.
            const std::int64_t at = x_clock.now().ms - chat::kEpochMs;
            return model::RoomId{(at << 22) + x_parts.weather.world.random.between(0, 1 << 21)};
        },
        .names = x_names,
        .directory = [this](std::uint16_t core) -> ports::RoomDirectory& {
            return x_cores[core]->rooms_read;
        },
        .users = directory,
        .clock = x_clock,
        .rates = x_rates,
        .pending = x_pending,
        .sink = x_sink,
        .metrics = x_metrics});
    std::vector<Core*> all_cores;
    std::vector<service::Rooms*> all;
    for (std::uint16_t i = 0; i < cores; ++i) {
        OfCore& one = *x_cores.emplace_back(std::make_unique<OfCore>(*this, i, directory));
        one.rooms = std::make_unique<service::Rooms>(
            one.core,
            service::RoomsPorts{*x_log, one.rooms_read, one.history, directory, x_clock,
                                content_filter(), directory, "parley", &x_follower},
            &plain, x_metrics);
        all_cores.push_back(&one.core);
        all.push_back(one.rooms.get());
    }
    for (const auto& one : x_cores) one->rooms->meet(all);
    x_sink.meet(all);
    x_log->meet(all_cores);
    x_follower.meet(*x_log, x_sink, all);
    x_follower.start();
    x_bus.start(x_follower);
}

FrontNode::~FrontNode() = default;

bool FrontNode::turn() {
    if (!runs() && !x_closing) return false;
    bool any = false;
    const std::size_t first = x_parts.weather.world.random.below(x_cores.size());
    for (std::size_t i = 0; i < x_cores.size(); ++i) {
        OfCore& one = *x_cores[(first + i) % x_cores.size()];
        one.core.io().restart();
        const bool little = x_parts.weather.happens(200);
        any |= (little ? one.core.io().poll_one() : one.core.io().poll()) > 0;
        one.rooms->on_turn_end();
    }
    return any;
}

void FrontNode::tick() {
    if (!runs()) return;
    for (const auto& one : x_cores) one->rooms->tick();
    if (x_parts.weather.now_ms() < x_expire_at_ms) return;
    x_expire_at_ms = x_parts.weather.now_ms() + 250;
    x_log->expire();
}

void FrontNode::end(Connection& connection) {
    service::Rooms& rooms = *core_of(connection.link).rooms;
    for (auto& [room, held] : connection.subscriptions) rooms.stop_listening(*held.subscription);
    connection.subscriptions.clear();
    rooms.disconnect(connection, chat::Parting::dropped);
    rooms.remove(connection.responder);
}

void FrontNode::die() {
    Process::die();
    close();
}

void FrontNode::close() {
    if (std::exchange(x_closing, true)) return;
    for (std::size_t i = 0; i < x_cores.size(); ++i) {
        OfCore& one = *x_cores[i];
        for (auto& [link, connection] : one.connections) end(*connection);
        one.connections.clear();
        boost::asio::co_spawn(one.core.io(), close_core(i), [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
    }
}

Task<void> FrontNode::close_core(std::size_t core) {
    if (core == 0) co_await x_log->close();
    co_await x_cores[core]->rooms->close();
    ++x_closed;
}

// --- sessions

FrontNode::Connection* FrontNode::find(LinkId link) {
    auto& connections = core_of(link).connections;
    const auto found = connections.find(link);
    return found == connections.end() ? nullptr : found->second.get();
}

void FrontNode::answer(LinkId link, Packet packet) {
    if (dead()) return;
    for (const WireEvent& event : packet.events)
        x_parts.weather.world.trace(x_name, "to link", link, packet_name(packet.kind), event.id,
                                    "prev", event.prev, "of room", event.room);
    x_parts.weather.note_activity();
    x_network.to_client(link, std::move(packet));
}

void FrontNode::answer_error(LinkId link, const Request& request, const Error& error) {
    answer(link, {.kind = Packet::Kind::error,
                  .ref = request.ref,
                  .room = request.room,
                  .events = {},
                  .more = false,
                  .code = std::string(name_of(error.code))});
}

void FrontNode::on_open(LinkId link, model::UserId user) {
    run([this, link, user] {
        OfCore& one = core_of(link);
        auto connection = std::make_unique<Connection>(*this, link, user);
        connection->responder = one.rooms->add(*connection);
        one.rooms->connect(*connection, connection->responder, 1000);
        one.connections[link] = std::move(connection);
    });
}

void FrontNode::on_closed(LinkId link) {
    run([this, link] {
        Connection* const connection = find(link);
        if (!connection) return;
        end(*connection);
        core_of(link).connections.erase(link);
    });
}

void FrontNode::on_request(LinkId link, const Request& request) {
    run([this, link, request] {
        if (Connection* const connection = find(link)) handle(*connection, request);
    });
}

void FrontNode::handle(Connection& connection, const Request& request) {
    const LinkId link = connection.link;
    service::Rooms& rooms = *core_of(link).rooms;
    if (request.kind == Request::Kind::subscribe) {
        const auto earlier = connection.subscriptions.find(request.room);
        if (earlier != connection.subscriptions.end())
            rooms.stop_listening(*earlier->second.subscription);
        const std::uint64_t attempt = ++x_attempts;
        connection.subscriptions[request.room] = {&rooms.begin_listening(request.room, connection),
                                                  attempt};
        rooms.gate().spawn(subscribe(link, attempt, request));
    } else if (request.kind == Request::Kind::mark) {
        rooms.gate().spawn(mark(link, connection.user_id(), request));
    } else {
        auto draft = compose(connection.user_id(), request);
        if (!draft) return answer_error(link, request, draft.error());
        if (x_parts.weather.world.bug == Bug::ack_before_produce &&
            request.kind == Request::Kind::send)
            acknowledge_at_once(connection, request);
        const auto submitted =
            rooms.submit(std::move(*draft), connection.responder, std::to_string(request.ref));
        if (!submitted) answer_error(link, request, submitted.error());
    }
}

// With an id of this node's own.
void FrontNode::acknowledge_at_once(const Connection& connection, const Request& request) {
    WireEvent event{};
    event.room = request.room;
    event.id = event.message = {chat::Snowflake(900, {}).next(x_clock.now()).value};
    event.user = connection.user_id();
    event.kind = EventKind::posted;
    event.nonce = request.nonce;
    event.content = request.content;
    answer(connection.link, {.kind = Packet::Kind::sent,
                             .ref = request.ref,
                             .room = request.room,
                             .events = {event},
                             .more = false,
                             .code = {}});
}

Task<void> FrontNode::subscribe(LinkId link, std::uint64_t attempt, Request request) {
    const auto held = [this, link, attempt, room = request.room]() -> Connection::Held* {
        Connection* const connection = find(link);
        if (!connection) return nullptr;
        const auto found = connection->subscriptions.find(room);
        return found == connection->subscriptions.end() || found->second.attempt != attempt
                   ? nullptr
                   : &found->second;
    };
    const auto answered = [&](const service::Resume& resume) {
        Packet packet{.kind = Packet::Kind::subscribed,
                      .ref = request.ref,
                      .room = request.room,
                      .events = {},
                      .more = resume.more,
                      .code = {}};
        for (const model::Event& event : resume.events) packet.events.push_back(to_wire(event));
        answer(link, std::move(packet));
    };
    Result<void> done = Error(Errc::unavailable, "a later subscribe has taken over");
    if (const Connection::Held* mine = held())
        done = co_await core_of(link).rooms->listen(
            *mine->subscription, std::optional(request.since), [&] { return held() != nullptr; },
            answered);
    if (!done && find(link)) answer_error(link, request, done.error());
}

Task<void> FrontNode::mark(LinkId link, model::UserId user, Request request) {
    const auto done =
        co_await core_of(link).rooms->mark_read(user, request.room, request.message, find(link));
    if (!find(link)) co_return;
    if (!done) co_return answer_error(link, request, done.error());
    Packet packet{.kind = Packet::Kind::done,
                  .ref = request.ref,
                  .room = request.room,
                  .events = {},
                  .more = false,
                  .code = {}};
    packet.mark =
        x_parts.shards[x_parts.layout.shard_of(request.room)]->disk.read_mark(user, request.room);
    answer(link, std::move(packet));
}

// The event that a frame shows, with the text and the prev_id that it has there.
WireEvent FrontNode::read_frame(std::string_view frame, bool& is_event) const {
    const auto after = [frame](std::string_view key) -> std::string_view {
        const std::size_t at = frame.find(key);
        return at == std::string_view::npos ? std::string_view{} : frame.substr(at + key.size());
    };
    const auto number = [](std::string_view text) {
        std::int64_t value = 0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    };
    const std::string_view op = after("{\"op\":\"");
    is_event = false;
    for (const char* const one :
         {"message\"", "edited\"", "deleted\"", "reaction\"", "member\"", "room\""})
        is_event |= op.starts_with(one);
    if (!is_event) return {};
    const model::EventId id{number(after(",\"id\":\""))};
    const auto known = x_parts.weather.events.find(id);
    if (known == x_parts.weather.events.end()) {
        x_parts.weather.world.violated("I3", "a frame of an event that nobody made");
        return {};
    }
    WireEvent event = known->second;
    event.prev = {number(after(",\"prev_id\":\""))};
    if (event.kind != EventKind::posted && event.kind != EventKind::edited) return event;
    const std::string_view content = after("\"content\":\"");
    event.content =
        content.starts_with('c') ? static_cast<std::uint64_t>(number(content.substr(1))) : 0;
    return event;
}

// --- for the simulation

void FrontNode::submit(model::Draft draft, std::function<void(service::DeliveryRef)> done) {
    x_cores.front()->rooms->gate().spawn(ask(std::move(draft), std::move(done)));
}

Task<void> FrontNode::ask(model::Draft draft, std::function<void(service::DeliveryRef)> done) {
    const auto delivery = co_await x_cores.front()->rooms->submit_and_wait(std::move(draft));
    done(delivery ? *delivery : nullptr);
}

void FrontNode::check_shows(model::RoomId room, model::EventId event) {
    run([this, room, event] { x_cores.front()->rooms->gate().spawn(look_for(room, event)); });
}

Task<void> FrontNode::look_for(model::RoomId room, model::EventId event) {
    const std::uint64_t outages = x_parts.log.outages;
    const bool could_ask = x_parts.log.up();
    const auto page = co_await x_cores.front()->history.events_after(room, {event.value - 1}, 1);
    // Without the log nobody knows what it has; what is sent meanwhile is not acknowledged.
    const bool certain = could_ask && x_parts.log.outages == outages;
    if (!page || dead() || !certain) co_return;
    ++x_parts.weather.stats.reads_checked;
    if (page->events.empty() || page->events.front().id != event)
        x_parts.weather.world.violated("I9", "event " + event.to_string() +
                                                 " was acknowledged and " + x_name +
                                                 " does not show it");
}

void FrontNode::check_room(model::RoomId room, model::UserId user, memory::Store& store) {
    x_cores.front()->rooms->gate().spawn(compare(room, user, store));
}

Task<void> FrontNode::compare(model::RoomId room, model::UserId user, memory::Store& store) {
    const auto view = co_await x_cores.front()->rooms->view(user, room);
    const auto stored = store.read_room(room);
    if (!view || view->standing.role != *store.role(room, user) || view->last_id != stored->last_id)
        x_parts.weather.world.violated("I4", x_name + " knows another room than the store");
}

} // namespace parley::sim
