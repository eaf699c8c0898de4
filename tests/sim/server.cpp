#include "tests/sim/server.hpp"

#include "tests/sim/compose.hpp"

#include "chat/authoriser.hpp"

#include <utility>

namespace parley::sim {

struct Server::Connection final : chat::Subscriber {
    Connection(Server& server, LinkId link_id, model::UserId user, std::size_t on_core)
        : owner(server), link(link_id), core(on_core) {
        x_user_id = user;
    }
    void push(const FrameRef& frame) override {
        const WireEvent event = from_frame(frame);
        owner.answer(link, {.kind = Packet::Kind::event,
                            .ref = 0,
                            .room = event.room,
                            .events = {event},
                            .more = false,
                            .code = {}});
    }
    void on_ended(chat::Subscription& subscription) override {
        const model::RoomId room = subscription.room_id();
        subscriptions.erase(room);
        owner.answer(link, {.kind = Packet::Kind::ended,
                            .ref = 0,
                            .room = room,
                            .events = {},
                            .more = false,
                            .code = {}});
    }

    struct Held {
        chat::Subscription* subscription = nullptr;
        std::uint64_t attempt = 0;
    };
    Server& owner;
    LinkId link;
    std::size_t core;
    std::map<model::RoomId, Held> subscriptions;
};

struct Server::Process {
    struct Core {
        std::map<LinkId, std::unique_ptr<Connection>> connections;
        std::map<model::RoomId, chat::Room> home; // rooms whose home core this is
        chat::Hub hub;                            // goes before the connections
        Channel to_log;
        std::array<Channel, kCores> to_core;
    };
    ~Process() {
        for (Core& core : cores)
            for (auto& [link, connection] : core.connections) {
                for (auto& [room, held] : connection->subscriptions)
                    core.hub.end(*held.subscription);
                core.hub.remove(*connection);
            }
    }
    std::array<Core, kCores> cores;
    std::unique_ptr<ingest::Ingester> ingester;
    std::vector<ports::Submission> queue;
    bool log_busy = false;
    std::array<Channel, kCores> log_to_core;
    std::uint64_t attempts = 0;
    std::map<std::pair<model::UserId, model::RoomId>, model::MessageId> marks; // of a planted bug
};

namespace {

std::size_t home_core(model::RoomId room) {
    return static_cast<std::size_t>(room.value >> 3) % Server::kCores;
}

std::string code_of(const Error& error) { return std::string(name_of(error.code)); }

} // namespace

Server::Server(World& world, Network& network, memory::Store& disk)
    : x_world(world), x_network(network), x_disk(disk), x_store(disk) {}

Server::~Server() = default;

void Server::start() {
    if (x_process) return;
    ++x_generation;
    x_store.set(FaultyStore::Fault::none);
    x_process = std::make_unique<Process>();
    const auto node = static_cast<std::uint16_t>(x_world.random.below(3));
    x_process->ingester = *ingest::Ingester::open(x_store, x_world.clock, node);
    if (x_world.bug == Bug::ack_before_commit || x_world.bug == Bug::edit_before_commit)
        x_process->ingester->plant(ingest::Ingester::PlantedBug::ack_before_commit);
    if (x_world.bug == Bug::no_nonce_check)
        x_process->ingester->plant(ingest::Ingester::PlantedBug::no_nonce_check);
    x_store.lie({.no_reaction_is_there = x_world.bug == Bug::reaction_doubled,
                 .roles_never_sink = x_world.bug == Bug::demotion_ignored,
                 .more_owners = x_world.bug == Bug::last_owner_goes,
                 .nobody_has_posted = x_world.bug == Bug::slow_mode_forgotten});
    x_world.trace("server starts as node", node, "clock offset", x_world.clock.offset_ms);
}

void Server::crash() {
    x_world.trace("server dies");
    ++x_world.stats.crashes;
    std::vector<LinkId> links;
    for (const auto& core : x_process->cores)
        for (const auto& [link, connection] : core.connections) links.push_back(link);
    ++x_generation;
    x_process.reset();
    for (const LinkId link : links) x_network.close_by_server(link);
    x_world.scheduler.after(x_world.random.between(20, 800), [this] {
        if (x_world.random.chance(500))
            x_world.clock.offset_ms += x_world.random.between(-4'000'000, 1'000'000);
        start();
    });
}

template <class Function>
void Server::post(Channel& channel, std::int64_t most_ms, Function function) {
    channel.free_ms =
        std::max(channel.free_ms, x_world.scheduler.now_ms() + x_world.random.between(0, most_ms));
    x_world.scheduler.at(channel.free_ms, [this, generation = x_generation,
                                           function = std::move(function)]() mutable {
        if (generation == x_generation) function();
    });
}

void Server::answer(LinkId link, Packet packet) { x_network.to_client(link, std::move(packet)); }

void Server::answer_error(LinkId link, const Request& request, const Error& error) {
    answer(link, {.kind = Packet::Kind::error,
                  .ref = request.ref,
                  .room = request.room,
                  .events = {},
                  .more = false,
                  .code = code_of(error)});
}

ports::Outcome Server::run_now(Result<model::Draft> draft) {
    std::vector<ports::Submission> batch;
    batch.push_back({std::get<model::Filtered>(content_filter().apply(std::move(*draft))), {}});
    return std::move(x_process->ingester->run(std::move(batch)).front());
}

// --- connections ---------------------------------------------------------------------------------

void Server::on_open(LinkId link, model::UserId user) {
    if (!x_process) return x_network.close_by_server(link);
    const std::size_t core = x_world.random.below(kCores);
    auto connection = std::make_unique<Connection>(*this, link, user, core);
    x_process->cores[core].hub.add(*connection);
    x_process->cores[core].connections[link] = std::move(connection);
    x_world.trace("server: link", link, "of user", user, "on core", core);
}

Server::Connection* Server::find(LinkId link) {
    if (!x_process) return nullptr;
    for (auto& core : x_process->cores)
        if (const auto found = core.connections.find(link); found != core.connections.end())
            return found->second.get();
    return nullptr;
}

void Server::on_closed(LinkId link) {
    Connection* const connection = find(link);
    if (!connection) return;
    Process::Core& core = x_process->cores[connection->core];
    for (auto& [room, held] : connection->subscriptions) core.hub.end(*held.subscription);
    core.hub.remove(*connection);
    core.connections.erase(link);
}

void Server::on_request(LinkId link, const Request& request) {
    Connection* const connection = find(link);
    if (!connection) return;
    if (request.kind == Request::Kind::subscribe) return begin_resume(*connection, request);
    if (request.kind == Request::Kind::mark) return mark_read(*connection, request);
    auto draft = compose(connection->user_id(), request);
    if (!draft) return answer_error(link, request, draft.error());
    ports::Submission submission{
        std::get<model::Filtered>(content_filter().apply(std::move(*draft))),
        {static_cast<std::uint16_t>(connection->core), link, std::to_string(request.ref)}};
    auto held = std::make_shared<ports::Submission>(std::move(submission));
    post(x_process->cores[connection->core].to_log, 2, [this, held] {
        x_process->queue.push_back(std::move(*held));
        wake_log();
    });
}

// --- resume --------------------------------------------------------------------------------------

void Server::begin_resume(Connection& connection, const Request& request) {
    chat::Hub& hub = x_process->cores[connection.core].hub;
    const auto earlier = connection.subscriptions.find(request.room);
    if (earlier != connection.subscriptions.end()) hub.end(*earlier->second.subscription);
    Resume resume{.link = connection.link,
                  .core = connection.core,
                  .attempt = ++x_process->attempts,
                  .request = request,
                  .events = {}};
    connection.subscriptions[request.room] = {
        &hub.begin(request.room, connection, model::Role::member), resume.attempt};
    const std::size_t home = home_core(request.room);
    post(x_process->cores[resume.core].to_core[home], 3,
         [this, resume = std::move(resume)] { ask_home(resume); });
}

chat::Room* Server::home_room(model::RoomId id) {
    auto& rooms = x_process->cores[home_core(id)].home;
    if (const auto found = rooms.find(id); found != rooms.end()) return &found->second;
    auto snapshot = x_disk.read_room(id);
    if (!snapshot) return nullptr;
    return &rooms.emplace(id, chat::Room(std::move(*snapshot))).first->second;
}

void Server::ask_home(Resume resume) {
    const chat::Room* const room = home_room(resume.request.room);
    const Connection* const connection = find(resume.link);
    if (!connection) return;
    const auto standing = room ? room->standing_of(connection->user_id()) : chat::Standing{};
    const auto allowed = chat::authorise(standing, chat::Action::view);
    if (allowed) return read(std::move(resume));
    const std::size_t home = home_core(resume.request.room), core = resume.core;
    post(
        x_process->cores[home].to_core[core], 3,
        [this, resume = std::move(resume), error = allowed.error()] { end_resume(resume, error); });
}

void Server::read(Resume resume) {
    x_world.scheduler.after(x_world.random.between(0, 25), [this, generation = x_generation,
                                                            resume = std::move(resume)] {
        if (generation != x_generation) return;
        auto page = x_disk.read_events(resume.request.room, resume.request.since, kResumePage);
        x_world.scheduler.after(x_world.random.between(0, 25),
                                [this, generation, resume, page = std::move(page)] {
                                    if (generation == x_generation) finish_resume(resume, page);
                                });
    });
}

chat::Subscription* Server::subscription_of(const Resume& resume) {
    Connection* const connection = find(resume.link);
    if (!connection) return nullptr;
    const auto found = connection->subscriptions.find(resume.request.room);
    if (found == connection->subscriptions.end() || found->second.attempt != resume.attempt)
        return nullptr;
    return found->second.subscription;
}

void Server::end_resume(const Resume& resume, const Error& error) {
    chat::Subscription* const subscription = subscription_of(resume);
    if (!subscription) return;
    find(resume.link)->subscriptions.erase(resume.request.room);
    x_process->cores[resume.core].hub.end(*subscription);
    answer_error(resume.link, resume.request, error);
}

void Server::finish_resume(Resume resume, const ports::EventPage& page) {
    chat::Subscription* const subscription = subscription_of(resume);
    if (!subscription) return;
    chat::Hub& hub = x_process->cores[resume.core].hub;
    for (const model::Event& event : page.events) {
        WireEvent& wire = resume.events.emplace_back(to_wire(event));
        if (x_world.bug == Bug::deleted_text_stays && wire.kind == EventKind::posted)
            wire.content = x_texts.emplace(wire.id, wire.content).first->second;
    }
    if (x_world.bug == Bug::resume_skips_one && resume.request.since && !resume.events.empty())
        resume.events.erase(resume.events.begin());
    const model::EventId through = std::max(resume.request.since, page.last_id);
    if (!page.more && subscription->overflowed()) {
        hub.go_live(*subscription, through);
        resume.request.since = through;
        return read(std::move(resume));
    }
    answer(resume.link, {.kind = Packet::Kind::subscribed,
                         .ref = resume.request.ref,
                         .room = resume.request.room,
                         .events = resume.events,
                         .more = page.more,
                         .code = {}});
    if (!page.more) {
        hub.go_live(*subscription, through);
    } else {
        find(resume.link)->subscriptions.erase(resume.request.room);
        hub.end(*subscription);
    }
}

// --- read marks: straight to the store, no part of the log
// ----------------------------------------

void Server::mark_read(Connection& connection, const Request& request) {
    const std::size_t core = connection.core, home = home_core(request.room);
    post(x_process->cores[core].to_core[home], 3,
         [this, link = connection.link, user = connection.user_id(), request] {
             const chat::Room* const room = home_room(request.room);
             const auto standing = room ? room->standing_of(user) : chat::Standing{};
             const auto allowed = chat::authorise(standing, chat::Action::view);
             if (!allowed) return answer_error(link, request, allowed.error());
             x_world.scheduler.after(x_world.random.between(0, 25),
                                     [this, generation = x_generation, link, user, request] {
                                         if (generation == x_generation)
                                             write_mark(link, user, request);
                                     });
         });
}

void Server::write_mark(LinkId link, model::UserId user, const Request& request) {
    Packet done;
    done.kind = Packet::Kind::done;
    done.ref = request.ref;
    done.room = request.room;
    if (x_world.bug == Bug::mark_before_store) {
        model::MessageId& mark = x_process->marks[{user, request.room}];
        mark = std::max({mark, request.message, x_disk.read_mark(user, request.room)});
        done.mark = mark;
        x_world.scheduler.after(500, [this, generation = x_generation, user, request] {
            if (generation == x_generation)
                (void)x_disk.move_read_mark(user, request.room, request.message);
        });
        return answer(link, std::move(done));
    }
    if (const auto moved = x_disk.move_read_mark(user, request.room, request.message); !moved)
        return answer_error(link, request, moved.error());
    done.mark = x_disk.read_mark(user, request.room);
    answer(link, std::move(done));
}

// --- the log -------------------------------------------------------------------------------------

void Server::wake_log() {
    if (x_process->log_busy || x_process->queue.empty()) return;
    x_process->log_busy = true;
    x_world.scheduler.after(x_world.random.between(0, 12), [this, generation = x_generation] {
        if (generation == x_generation) commit();
    });
}

FaultyStore::Fault Server::draw_fault(int& calls) {
    const Faults& faults = x_world.faults;
    Random& random = x_world.random;
    calls = 0;
    if (random.chance(faults.put_error)) {
        calls = static_cast<int>(random.below(3));
        return random.chance(500) ? FaultyStore::Fault::put_fails
                                  : FaultyStore::Fault::look_up_fails;
    }
    if (random.chance(faults.commit_error)) return FaultyStore::Fault::commit_fails;
    if (random.chance(faults.crash_before)) return FaultyStore::Fault::dies_before_commit;
    if (random.chance(faults.crash_during))
        return random.chance(500) ? FaultyStore::Fault::dies_in_commit_done
                                  : FaultyStore::Fault::dies_in_commit_undone;
    if (random.chance(faults.crash_after)) return FaultyStore::Fault::dies_after_commit;
    return FaultyStore::Fault::none;
}

void Server::commit() {
    if (x_world.random.chance(x_world.faults.clock_step)) {
        x_world.clock.offset_ms += x_world.random.between(-4'000'000, 1'000'000);
        x_world.trace("clock offset is now", x_world.clock.offset_ms);
    }
    int calls = 0;
    const FaultyStore::Fault fault = draw_fault(calls);
    x_store.set(fault, calls);
    x_world.trace("log: batch of", x_process->queue.size(), "fault", static_cast<int>(fault));
    auto outcomes = x_process->ingester->run(std::exchange(x_process->queue, {}));
    const bool dies_later =
        fault == FaultyStore::Fault::dies_after_commit && x_world.random.chance(500);
    if (x_store.crashed() && !dies_later) return crash();
    if (x_world.bug == Bug::edit_before_commit && x_store.commit_failed())
        for (ports::Outcome& outcome : outcomes)
            if (outcome.durable &&
                !std::holds_alternative<model::MessageEdited>(outcome.durable->event().body)) {
                outcome.durable.reset();
                outcome.error = Error(Errc::unavailable, "nothing was stored");
            }
    if (dies_later) // with some of what follows the commit done, and some not
        x_world.scheduler.after(x_world.random.between(0, 20), [this, generation = x_generation] {
            if (generation == x_generation) crash();
        });
    if (fault != FaultyStore::Fault::none && !dies_later) ++x_world.stats.failed_batches;
    x_process->log_busy = false;
    for (ports::Outcome& outcome : outcomes) deliver(std::move(outcome));
    wake_log();
}

void Server::deliver(ports::Outcome outcome) {
    const std::size_t home = home_core(outcome.room_id);
    auto held = std::make_shared<ports::Outcome>(std::move(outcome));
    post(x_process->log_to_core[home], 3, [this, home, held] {
        auto& rooms = x_process->cores[home].home;
        const auto room = rooms.find(held->room_id);
        if (room != rooms.end() && held->durable && !held->duplicate)
            room->second.apply(held->durable->event());
        for (std::size_t core = 0; core < kCores; ++core)
            post(x_process->cores[home].to_core[core], 3,
                 [this, core, held] { deliver_on_core(core, *held); });
    });
}

void Server::publish(std::size_t core, const model::Event& event, LinkId origin) {
    if (x_world.random.chance(x_world.faults.bus_drop)) {
        x_world.trace("bus: event", event.id, "is lost to core", core);
        return;
    }
    chat::Hub& hub = x_process->cores[core].hub;
    const FrameRef frame = to_frame(to_wire(event));
    const Connection* const sender = find(origin);
    hub.publish(event.room_id, event.id, frame, sender);
    if (x_world.random.chance(x_world.faults.bus_double) && hub.has_subscribers(event.room_id) &&
        hub.publish(event.room_id, event.id, frame, sender))
        x_world.violated("I5", "the hub published an event twice");
}

void Server::deliver_on_core(std::size_t core, const ports::Outcome& outcome) {
    const bool mine = outcome.origin.core == core;
    if (outcome.durable && !outcome.duplicate) {
        const model::Event& event = outcome.durable->event();
        // `sent` stands in for the event where it came from; `done` does not.
        const bool answered_by_sent =
            mine && std::holds_alternative<model::MessagePosted>(event.body);
        publish(core, event, answered_by_sent ? outcome.origin.responder : 0);
        chat::Hub& hub = x_process->cores[core].hub;
        if (const auto* member = std::get_if<model::MemberChanged>(&event.body))
            if ((member->action == model::MemberAction::left ||
                 member->action == model::MemberAction::removed) &&
                x_world.bug != Bug::removed_still_hears)
                hub.end_all_of(event.room_id, member->user_id);
    }
    if (mine) answer_outcome(outcome);
}

void Server::answer_outcome(const ports::Outcome& outcome) {
    Packet packet{.kind = Packet::Kind::done,
                  .ref = std::stoull(outcome.origin.ref),
                  .room = outcome.room_id,
                  .events = {},
                  .more = false,
                  .code = {}};
    if (outcome.error) {
        packet.kind = Packet::Kind::error;
        packet.code = code_of(*outcome.error);
    } else if (outcome.durable) {
        const WireEvent event = to_wire(outcome.durable->event());
        x_world.stats.repeated += outcome.duplicate;
        if (event.kind == EventKind::posted) {
            packet.kind = Packet::Kind::sent;
            packet.events.push_back(event);
        }
    }
    answer(static_cast<LinkId>(outcome.origin.responder), std::move(packet));
}

void Server::check_rooms() {
    for (const auto& core : x_process->cores)
        for (const auto& [id, room] : core.home) {
            const auto stored = x_disk.read_room(id);
            bool same = stored && stored->members.size() == room.member_count() &&
                        stored->last_id == room.last_id();
            for (std::size_t i = 0; same && i < stored->members.size(); ++i)
                same = room.role_of(stored->members[i].user_id) == stored->members[i].role;
            if (!same) x_world.violated("I4", "a home core knows another room than the store");
        }
}

} // namespace parley::sim
