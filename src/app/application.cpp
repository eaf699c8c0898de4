#include "app/application.hpp"

#include "adapters/crypto/argon2_hasher.hpp"
#include "adapters/crypto/hs256_signer.hpp"
#include "adapters/system/spdlog_logger.hpp"
#include "adapters/system/system_clock.hpp"
#include "adapters/system/system_entropy.hpp"
#include "api/api.hpp"
#include "app/cluster_parts.hpp"
#include "app/log_settings.hpp"
#include "app/media_front.hpp"
#include "app/periodic.hpp"
#include "app/pictures.hpp"
#include "app/run_now.hpp"
#include "app/span_exporter.hpp"
#include "app/storage.hpp"
#include "app/version.hpp"
#include "app/word_files.hpp"
#include "base/run_on.hpp"
#include "gateway/classic_gateway.hpp"
#include "gateway/gateway.hpp"
#include "gateway/paths.hpp"
#include "net/server.hpp"
#include "service/accounts.hpp"
#include "service/eraser.hpp"
#include "service/media.hpp"
#include "service/media_sweeper.hpp"
#include "service/rate_limits.hpp"
#include "service/retention.hpp"
#include "service/revocations.hpp"
#include "service/rooms.hpp"
#include "service/word_lists.hpp"

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <csignal>
#include <thread>

namespace parley::app {

namespace {

net::ServerSettings server_settings(const Settings& settings) {
    net::ServerSettings server;
    server.host = settings.host;
    server.port = settings.port;
    server.tls_certificate_file = settings.tls_certificate_file;
    server.tls_key_file = settings.tls_key_file;
    server.trusted_proxies = settings.trusted_proxies;
    server.connections_max = settings.connections_max;
    if (settings.rates.enabled) // besides its sockets, calls of every kind
        server.connections_per_address_max = settings.rates.sockets_per_address * 5 / 4 + 64;
    server.heartbeat = settings.heartbeat;
    server.idle = settings.heartbeat * 5 / 2;
    server.deflate = settings.websocket_deflate;
    return server;
}

// Until the gate that it runs in closes.
Task<void> tick(Core& core, service::Rooms& rooms) {
    boost::asio::steady_timer timer(core.io());
    while (!rooms.gate().closing()) {
        timer.expires_after(limits::kPresenceTick);
        co_await timer.async_wait(boost::asio::use_awaitable);
        rooms.tick();
    }
}

std::filesystem::path words_folder(const Settings& settings) {
    if (!settings.words_dir.empty()) return settings.words_dir;
    const auto own = settings.data / "words";
    return std::filesystem::is_directory(own) ? own : std::filesystem::path();
}

bool serves_sockets(Role role) { return role == Role::all || role == Role::chat; }

std::unique_ptr<Storage> make_storage(Role role, const StorageParts& parts) {
    return role == Role::all ? make_embedded_storage(parts) : make_cluster_storage(parts);
}

std::unique_ptr<otlp::Exporter> make_exporter(const Settings& settings, Role role, Logger& log,
                                              Metrics& metrics) {
    static constexpr const char* names[] = {"serve", "chat", "user", "media"}; // as in Role
    const std::string name = role == Role::all ? "parley" : cluster_node_name(settings, "front");
    return make_span_exporter(settings, names[static_cast<int>(role)], name, log, metrics);
}

std::uint16_t core_count(const Settings& settings) {
    const unsigned machine = std::max(1u, std::thread::hardware_concurrency());
    const unsigned wanted = settings.threads ? settings.threads : machine;
    return static_cast<std::uint16_t>(std::min<unsigned>(wanted, service::kCoresMax));
}

} // namespace

struct Application::Parts {
    // What one core serves with.
    struct OnCore {
        OnCore(Parts& parts, std::uint16_t index);
        Core core;
        const Storage::OnCore stored;
        service::Rooms rooms;
        const std::unique_ptr<service::Media> media; // null: none are served
        gateway::Gateway gateway;
        gateway::ClassicGateway classic;
        gateway::Paths paths;
        api::Api api;
        MediaFront front;
    };

    Parts(Settings settings, Role role);
    gateway::GatewayParts gateway_parts(OnCore& on_core);
    std::vector<std::string> what_is_missing() const;
    Task<void> shut_down();
    Task<void> answer_what_is_in_flight(std::chrono::steady_clock::time_point deadline);
    void on_signal();
    void wait_for_hang_up();
    static Task<void> reload(service::WordLists& words);
    Task<std::chrono::milliseconds> look_for_revocations();
    void begin_chores();
    enum class Chore : std::uint8_t { erase, retain, sweep_media, look_at_media };
    std::unique_ptr<service::Media> make_media(service::Rooms& rooms,
                                               ports::RoomDirectory& directory);
    std::unique_ptr<disk::Endpoint> make_endpoint();
    Task<std::chrono::milliseconds> lead(Chore chore);
    net::CoreHandlers handlers_of(OnCore& on_core);

    const Settings settings;
    const Role role;
    system::SpdlogLogger log;
    Metrics metrics;
    service::RateLimits rates;
    system::SystemClock clock;
    system::SystemEntropy entropy;
    const std::unique_ptr<otlp::Exporter> spans; // null: none are sent
    // Runs what waits before there are cores. It outlives the store, whose threads answer into it
    // and may still be on their way out of that when the answer has been taken.
    boost::asio::io_context before_cores;
    const std::unique_ptr<Storage> storage;
    const std::string node_name; // in classic frames
    crypto::Argon2Hasher hasher;
    crypto::Hs256Signer signer;
    service::Revocations revocations;
    chat::ContentFilter filter;
    service::WordLists words;
    service::Accounts accounts;
    SpanRing commits; // of this process's own log
    service::Node node;
    std::vector<std::unique_ptr<OnCore>> cores;
    std::unique_ptr<net::Server> server;
    std::unique_ptr<service::Eraser> eraser;        // on core 0
    std::unique_ptr<service::Retention> retention;  // on core 0
    std::unique_ptr<service::MediaSweeper> sweeper; // on core 0; null: no media are served
    std::unique_ptr<Pictures> pictures;             // on core 0; null: not looked at here
    std::vector<std::unique_ptr<Periodic>> chores;  // on core 0
    std::unique_ptr<Gate> gate;                     // of the shutdown itself, on core 0
    std::unique_ptr<boost::asio::signal_set> signals, hang_up;
    std::atomic<bool> stopping{false};
};

Application::Parts::OnCore::OnCore(Parts& parts, std::uint16_t index)
    : core(index),
      stored(parts.storage->on_core(core)),
      rooms(core,
            {parts.storage->log(), stored.rooms, stored.history, parts.storage->users(),
             parts.clock, parts.filter, parts.storage->held(), parts.node_name,
             parts.storage->feed(), parts.storage->presence(),
             parts.role == Role::all ? &parts.commits : nullptr, parts.spans.get()},
            &net::make_text_frame, parts.metrics,
            {parts.settings.presence_grace, parts.settings.presence_room_max,
             parts.settings.trace_messages}),
      media(parts.make_media(rooms, stored.rooms)),
      gateway(parts.gateway_parts(*this)),
      classic(parts.gateway_parts(*this), parts.entropy),
      paths({&gateway, &classic}),
      api({.accounts = parts.accounts,
           .rooms = rooms,
           .directory = stored.rooms,
           .history = stored.history,
           .held = parts.storage->held(),
           .erasures = parts.storage->erasures(),
           .clock = parts.clock,
           .signer = parts.signer,
           .metrics = parts.metrics,
           .log = parts.log,
           .what_is_missing = [&parts] { return parts.what_is_missing(); },
           .words = parts.words,
           .media = media.get(),
           .facts = {.version = kVersion, .retention_days = parts.settings.retention_days},
           .file_origins = parts.settings.files.origins()}),
      front(api, parts.make_endpoint()) {}

std::unique_ptr<service::Media>
Application::Parts::make_media(service::Rooms& rooms, ports::RoomDirectory& directory) {
    ports::MediaCatalog* const catalog = storage->media();
    ports::ObjectStore* const objects = storage->objects();
    if (!catalog || !objects) return nullptr;
    constexpr std::uint64_t kMega = 1'000'000;
    service::MediaSettings media;
    media.bytes_max = settings.media_max_mb * kMega;
    media.quota.user_bytes_per_day = settings.media_user_mb_per_day * kMega;
    media.quota.server_bytes = settings.media_server_mb * kMega;
    media.types = settings.media_types;
    media.ticket_life = settings.media_ticket_life;
    media.strips = true; // here, or by the media role of the cluster
    return std::make_unique<service::Media>(
        rooms,
        service::Media::Ports{*catalog, *objects, entropy, clock, storage->users(), directory},
        std::move(media), metrics);
}

std::unique_ptr<disk::Endpoint> Application::Parts::make_endpoint() {
    disk::Store* const files = storage->files();
    return files ? std::make_unique<disk::Endpoint>(*files, clock, metrics) : nullptr;
}

gateway::GatewayParts Application::Parts::gateway_parts(OnCore& on_core) {
    return {{settings.allowed_origins, settings.heartbeat},
            on_core.core,
            on_core.rooms,
            accounts,
            clock,
            [this, index = on_core.core.index()]() -> TimerWheel& { return server->wheel(index); },
            metrics,
            on_core.media.get()};
}

Application::Parts::Parts(Settings s, Role r)
    : settings(std::move(s)),
      role(r),
      log(log_settings(settings)),
      rates(settings.rates, metrics),
      spans(make_exporter(settings, role, log, metrics)),
      storage(make_storage(
          role, {settings, clock, entropy, rates, log, metrics, spans.get()})),
      node_name(storage->node_name()),
      hasher({.passes = settings.argon2_iterations, .memory_kib = settings.argon2_memory_kib},
             entropy, metrics),
      signer(storage->secret()),
      revocations(clock, metrics,
                  std::max(settings.access_token_life, settings.classic_token_life)),
      filter(settings.filter_lookalikes, &metrics),
      words(
          filter,
          [this] { return read_word_files(words_folder(settings), settings.filter_default_list); },
          storage->words(), clock, log, metrics),
      accounts(
          {storage->users(), storage->sessions(), hasher, signer, entropy, clock, rates, &filter},
          revocations, settings.access_token_life, log, metrics, settings.classic_token_life),
      commits(settings.trace_messages) {
    if (role == Role::all && commits.enabled()) node.note_commits(commits, clock);
    if (role == Role::all && spans) node.send_spans(*spans);
    metrics
        .gauge("parley_build_info", "Always 1; the label tells the version",
               "version=\"" + std::string(kVersion) + "\"")
        .set(1);
    storage->start(node);
    if (auto loaded = run_now(before_cores, revocations.load(storage->sessions())); !loaded)
        throw std::runtime_error("the sessions cannot be read: " + loaded.error().detail);
    if (auto settled = run_now(before_cores, storage->users().settle_presence()); !settled)
        throw std::runtime_error("who was online cannot be read: " + settled.error().detail);
    else if (*settled > 0)
        log.info("the last process ended without a word", {{"users_online_then", *settled}});
    if (auto loaded = run_now(before_cores, words.reload()); !loaded)
        throw std::runtime_error("the word lists cannot be read: " + loaded.error().detail);
    const std::uint16_t count = core_count(settings);
    std::vector<service::Rooms*> rooms;
    std::vector<Core*> loops;
    std::vector<net::CoreHandlers> handlers;
    for (std::uint16_t i = 0; i < count; ++i) {
        OnCore& each = *cores.emplace_back(std::make_unique<OnCore>(*this, i));
        rooms.push_back(&each.rooms);
        loops.push_back(&each.core);
        handlers.push_back(handlers_of(each));
        revocations.listen([&each](model::SessionId session) {
            each.gateway.revoke(session);
            each.classic.revoke(session);
        });
    }
    revocations.listen([this](model::SessionId session) { storage->tell_ended(session); });
    storage->on_ended([this](model::SessionId session) { revocations.revoke(session); });
    for (const auto& each : cores) each->rooms.meet(rooms);
    node.meet(rooms);
    storage->meet(rooms);
    server =
        std::make_unique<net::Server>(server_settings(settings), loops, handlers, log, metrics);
    // After all that may fail: what was begun here would have to be ended.
    for (const auto& each : cores) each->rooms.gate().spawn(tick(each->core, each->rooms));
    gate = std::make_unique<Gate>(cores[0]->core.io().get_executor());
    chores.push_back(
        std::make_unique<Periodic>(cores[0]->core, [this] { return look_for_revocations(); }));
    begin_chores();
    for (const auto& chore : chores) chore->start();
}

// What this process does again and again.
void Application::Parts::begin_chores() {
    Core& core = cores[0]->core;
    eraser = std::make_unique<service::Eraser>(cores[0]->rooms, storage->erasures(), clock, log,
                                               metrics);
    retention = std::make_unique<service::Retention>(storage->retention(), settings.retention_days,
                                                     clock, log, metrics);
    if (role != Role::media)
        for (const Chore chore : {Chore::erase, Chore::retain})
            chores.push_back(
                std::make_unique<Periodic>(core, [this, chore] { return lead(chore); }));
    const bool sweeps = role == Role::all || role == Role::media;
    if (sweeps && storage->media() && storage->released_media() && storage->objects()) {
        sweeper =
            std::make_unique<service::MediaSweeper>(*storage->media(), *storage->released_media(),
                                                    *storage->objects(), clock,
                                                    settings.media_unused_life, log, metrics);
        pictures = std::make_unique<Pictures>(
            Pictures::Parts{*storage, cores[0]->rooms, clock, settings.data, log, metrics});
        for (const Chore chore : {Chore::sweep_media, Chore::look_at_media})
            chores.push_back(
                std::make_unique<Periodic>(core, [this, chore] { return lead(chore); }));
    }
    for (Storage::Work& work : storage->chores())
        chores.push_back(std::make_unique<Periodic>(core, std::move(work)));
}

// What one process does for all.
Task<std::chrono::milliseconds> Application::Parts::lead(Chore chore) {
    using Duty = Storage::Duty;
    const bool of_files = chore == Chore::sweep_media || chore == Chore::look_at_media;
    const bool leads = co_await storage->leads(of_files ? Duty::files : Duty::rooms);
    if (!leads) co_return limits::kStoreLookInterval;
    if (chore == Chore::erase) co_return co_await eraser->step();
    if (chore == Chore::sweep_media) co_return co_await sweeper->step();
    if (chore == Chore::look_at_media) co_return co_await pictures->step();
    co_return co_await retention->step();
}

net::CoreHandlers Application::Parts::handlers_of(OnCore& on_core) {
    return {&on_core.front, serves_sockets(role) ? &on_core.paths : nullptr};
}

// Sessions that the command line has ended beside this process.
Task<std::chrono::milliseconds> Application::Parts::look_for_revocations() {
    co_await revocations.look(storage->sessions()); // a failure is the next look's to make good
    co_return limits::kStoreLookInterval;
}

std::vector<std::string> Application::Parts::what_is_missing() const {
    std::vector<std::string> missing;
    if (stopping) missing.push_back("the server is stopping");
    for (std::string& one : storage->what_is_missing()) missing.push_back(std::move(one));
    return missing;
}

// After goaway: nothing new comes in, and what was handed to the log is answered before sockets
// close.
Task<void>
Application::Parts::answer_what_is_in_flight(std::chrono::steady_clock::time_point deadline) {
    struct Count {
        static Task<std::size_t> of(service::Rooms& rooms) { co_return rooms.changes_in_flight(); }
    };
    boost::asio::steady_timer timer(cores[0]->core.io());
    for (int round = 0;; ++round) {
        timer.expires_after(std::chrono::milliseconds(50));
        co_await timer.async_wait(boost::asio::use_awaitable);
        std::size_t waiting = 0;
        for (const auto& each : cores)
            waiting += co_await run_on(each->core, Count::of(each->rooms));
        if ((waiting == 0 && round >= 2) || clock.steady() > deadline) co_return;
    }
}

Task<void> Application::Parts::shut_down() {
    const auto deadline = clock.steady() + limits::kDrainTimeout;
    log.info("stopping", {{"reason", "signal"}});
    server->stop_accepting();
    for (const auto& each : cores)
        each->core.post([&on_core = *each] {
            on_core.gateway.send_goaway();
            on_core.classic.drain();
        });
    co_await answer_what_is_in_flight(clock.steady() + limits::kDrainTimeout / 2);
    co_await server->drain(deadline);
    if (pictures) pictures->stop();
    for (const auto& chore : chores) co_await chore->stop();
    for (const auto& each : cores) co_await run_on(each->core, each->rooms.close());
    co_await storage->close();
    hasher.stop();
    words.stop();
    storage->stop();
    if (spans) spans->stop();
    for (auto each = cores.rbegin(); each != cores.rend(); ++each) (*each)->core.stop();
}

void Application::Parts::on_signal() {
    if (stopping.exchange(true)) return;
    gate->spawn(shut_down());
}

// SIGHUP: read the word lists again. What came of it is logged there.
void Application::Parts::wait_for_hang_up() {
    hang_up->async_wait([this](boost::system::error_code error, int) {
        if (error || stopping) return;
        cores[0]->rooms.gate().spawn(reload(words));
        wait_for_hang_up();
    });
}

Task<void> Application::Parts::reload(service::WordLists& words) {
    static_cast<void>(co_await words.reload());
}

Application::Application(Settings settings, Role role)
    : x_parts(std::make_unique<Parts>(std::move(settings), role)) {
    Parts& parts = *x_parts;
    boost::asio::io_context& io = parts.cores[0]->core.io();
    parts.signals = std::make_unique<boost::asio::signal_set>(io, SIGINT, SIGTERM);
    parts.signals->async_wait([&parts](boost::system::error_code error, int) {
        if (error) return;
        parts.on_signal();
        // A second signal ends the process at once; what was acknowledged is on the disk.
        parts.signals->async_wait([](boost::system::error_code again, int) {
            if (!again) std::_Exit(1);
        });
    });
    parts.hang_up = std::make_unique<boost::asio::signal_set>(io, SIGHUP);
    parts.wait_for_hang_up();
    parts.server->start();
}

Application::~Application() = default;

std::string Application::link() const {
    const Settings& s = x_parts->settings;
    std::string host = s.host;
    if (host == "0.0.0.0" || host == "::") host = "localhost";
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    return (s.tls_certificate_file.empty() ? "http://" : "https://") + host + ":" +
           std::to_string(x_parts->server->port());
}

int Application::run() {
    Parts& parts = *x_parts;
    parts.log.info("ready", {{"version", kVersion},
                             {"link", link()},
                             {"cores", parts.cores.size()},
                             {"data", parts.settings.data.string()}});
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < parts.cores.size(); ++i)
        threads.emplace_back([&core = parts.cores[i]->core] { core.run(); });
    parts.cores[0]->core.run();
    for (std::thread& thread : threads) thread.join();
    parts.log.info("stopped");
    parts.gate->abandon();
    for (const auto& chore : parts.chores) chore->abandon();
    return 0;
}

void Application::request_stop() {
    x_parts->cores[0]->core.post([parts = x_parts.get()] { parts->on_signal(); });
}

} // namespace parley::app
