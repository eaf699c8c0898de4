#include "adapters/redis/bus.hpp"

#include "base/assert.hpp"
#include "base/cluster_limits.hpp"

#include <algorithm>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace parley::redis {

namespace {

using namespace std::string_view_literals;

// The loop looks at its timers so often.
constexpr int kTurnMs = 100;

// The same in every process, whatever library it is built with (FNV-1a).
std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 0xCBF29CE484222325ull;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
    return hash;
}

std::size_t bytes_of(const ports::BusMessage& message) {
    return message.channel.size() + message.payload.size();
}

void append_channels(std::string& out, std::string_view command,
                     const std::vector<std::string_view>& channels) {
    for (std::size_t from = 0; from < channels.size(); from += limits::kBusChannelsStep) {
        const std::size_t to = std::min(channels.size(), from + limits::kBusChannelsStep);
        append_header(out, to - from + 1);
        append_word(out, command);
        for (std::size_t i = from; i < to; ++i) append_word(out, channels[i]);
    }
}

} // namespace

Bus::Bus(Settings settings, Metrics& metrics, Logger& logger)
    : x_settings(std::move(settings)),
      x_logger(logger),
      x_queue_max(limits::kBusQueueBytes / std::max<std::size_t>(1, x_settings.addresses.size())),
      x_wake_fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      x_published(metrics.counter("parley_bus_published_total", "Messages given to Redis")),
      x_dropped(metrics.counter("parley_bus_dropped_total",
                                "Messages that a full queue pushed out unsent")),
      x_received(metrics.counter("parley_bus_received_total", "Messages heard from Redis")),
      x_errors(metrics.counter("parley_bus_errors_total", "Commands that Redis refused")),
      x_losses(metrics.counter("parley_bus_losses_total", "Connections to Redis that were lost")),
      x_waiting_bytes(metrics.gauge("parley_bus_queue_bytes", "Bytes that wait to be published")),
      x_channels(metrics.gauge("parley_bus_channels", "Channels that are subscribed")),
      x_up(metrics.gauge("parley_bus_connected", "1 when all of Redis is there")) {
    PARLEY_ASSERT(x_wake_fd >= 0 && !x_settings.addresses.empty());
    for (const Address& address : x_settings.addresses)
        x_links.push_back(std::make_unique<Link>(x_settings, address));
}

Bus::~Bus() {
    stop();
    ::close(x_wake_fd);
}

void Bus::start(ports::BusListener& listener) {
    PARLEY_ASSERT(!x_listener);
    x_listener = &listener;
    x_thread = std::thread([this] { run(); });
    ::pthread_setname_np(x_thread.native_handle(), "bus");
}

void Bus::stop() {
    x_stopping = true;
    wake();
    if (x_thread.joinable()) x_thread.join();
}

void Bus::publish(std::vector<ports::BusMessage> messages) {
    std::uint64_t dropped = 0;
    std::int64_t grown = 0;
    {
        std::lock_guard lock(x_mutex);
        for (ports::BusMessage& message : messages) {
            Link& link = link_of(message.channel);
            link.queue_bytes += bytes_of(message);
            grown += static_cast<std::int64_t>(bytes_of(message));
            link.queue.push_back(std::move(message));
            for (; link.queue_bytes > x_queue_max; ++dropped) {
                const std::size_t bytes = bytes_of(link.queue.front());
                link.queue_bytes -= bytes;
                grown -= static_cast<std::int64_t>(bytes);
                link.queue.pop_front();
            }
        }
    }
    if (dropped > 0) x_dropped.add(dropped);
    x_waiting_bytes.add(grown);
    wake();
}

void Bus::subscribe(std::string channel) {
    {
        std::lock_guard lock(x_mutex);
        Link& link = link_of(channel);
        if (!link.channels.insert(channel).second) return;
        link.changed.insert(std::move(channel));
    }
    x_channels.add(1);
    wake();
}

void Bus::unsubscribe(std::string channel) {
    {
        std::lock_guard lock(x_mutex);
        Link& link = link_of(channel);
        if (link.channels.erase(channel) == 0) return;
        link.changed.insert(std::move(channel));
    }
    x_channels.add(-1);
    wake();
}

Bus::Link& Bus::link_of(const std::string& channel) {
    return *x_links[hash_of(channel) % x_links.size()];
}

void Bus::wake() {
    if (x_woken.exchange(true)) return;
    const std::uint64_t one = 1;
    // It can only fail when the counter is full, and then the thread is awake.
    static_cast<void>(!::write(x_wake_fd, &one, sizeof one));
}

void Bus::run() {
    std::vector<pollfd> polled;
    for (;;) {
        const Time now = std::chrono::steady_clock::now();
        for (auto& link : x_links) prepare(*link, now);
        if (x_stopping && finished(now)) break;
        wait(polled);
        Heard heard;
        const Time woken = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < x_links.size(); ++i)
            step(*x_links[i], &polled[1 + 2 * i], woken, heard);
        tell(std::move(heard));
    }
    x_connected = false;
    x_up.set(0);
    for (auto& link : x_links) part(*link);
}

void Bus::part(Link& link) {
    link.subscriber.close();
    link.publisher.end_writing();
    while (link.publisher.greeted()) {
        const Time now = std::chrono::steady_clock::now();
        if (now >= *x_stop_by) break;
        pollfd polled = link.publisher.wanted();
        ::poll(&polled, 1, kTurnMs);
        std::vector<Reply> replies;
        link.publisher.step(polled.revents, now, replies);
    }
    link.publisher.close();
}

bool Bus::finished(Time now) {
    if (!x_stop_by) x_stop_by = now + limits::kBusCallTimeout;
    if (now >= *x_stop_by) return true;
    std::lock_guard lock(x_mutex);
    return std::all_of(x_links.begin(), x_links.end(), [](const auto& link) {
        return link->queue.empty() && link->publisher.waiting_bytes() == 0;
    });
}

void Bus::wait(std::vector<pollfd>& polled) {
    polled.clear();
    polled.push_back({.fd = x_wake_fd, .events = POLLIN, .revents = 0});
    for (auto& link : x_links) {
        polled.push_back(link->publisher.wanted());
        polled.push_back(link->subscriber.wanted());
    }
    ::poll(polled.data(), polled.size(), kTurnMs);
    std::uint64_t woken = 0;
    // Before the queues are looked at: whoever adds after this look wakes again.
    if (polled[0].revents & POLLIN) static_cast<void>(!::read(x_wake_fd, &woken, sizeof woken));
    x_woken = false;
}

void Bus::prepare(Link& link, Time now) {
    if (!link.publisher.is_open()) {
        if (now < link.retry_at || x_stopping) return;
        link.retry_at = now + limits::kBusReconnect;
        link.publisher.open(now);
        link.subscriber.open(now);
        return;
    }
    if (!link.publisher.greeted() || !link.subscriber.greeted()) return;
    if (!link.asked)
        subscribe_all(link);
    else
        subscribe_changed(link);
    if (link.up) fill(link);
}

// Writes too what prepare() has left in the buffers, poll() or not.
void Bus::step(Link& link, const pollfd* polled, Time now, Heard& heard) {
    if (!link.publisher.is_open()) return;
    std::vector<Reply> replies;
    if (auto why = link.publisher.step(polled[0].revents, now, replies))
        return lose(link, *why, now);
    for (const Reply& reply : replies)
        if (reply->type == REDIS_REPLY_ERROR) x_errors.add();
    replies.clear();
    const auto lost = link.subscriber.step(polled[1].revents, now, replies);
    hear(link, std::move(replies), heard);
    if (lost) return lose(link, *lost, now);
    if (!link.publisher.is_open() || !link.asked || link.awaited > 0 || link.up) return;
    link.up = true;
    link.complained = false;
    fill(link);
}

void Bus::hear(Link& link, std::vector<Reply> replies, Heard& heard) {
    for (const Reply& reply : replies) {
        if (reply->type == REDIS_REPLY_ERROR) {
            // A subscription that is refused would be missed in silence.
            x_errors.add();
            return lose(link, std::string(text_of(*reply)), std::chrono::steady_clock::now());
        }
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) continue;
        const std::string_view kind = text_of(*reply->element[0]);
        const std::string_view channel = text_of(*reply->element[1]);
        if (kind == "smessage") {
            heard.messages.push_back(
                {std::string(channel), std::string(text_of(*reply->element[2]))});
        } else if (kind == "ssubscribe") {
            heard.subscribed.emplace_back(channel);
            if (link.awaited > 0) --link.awaited;
        }
    }
}

void Bus::lose(Link& link, const std::string& why, Time now) {
    link.publisher.close();
    link.subscriber.close();
    link.retry_at = now + limits::kBusReconnect;
    link.asked = link.up = false;
    link.awaited = 0;
    x_losses.add();
    if (link.complained) return; // once for each outage, not for each attempt
    link.complained = true;
    x_logger.warning(
        "redis is not there",
        {{"host", link.address.host}, {"port", link.address.port}, {"why", std::string_view(why)}});
}

void Bus::subscribe_all(Link& link) {
    std::lock_guard lock(x_mutex);
    const std::vector<std::string_view> all(link.channels.begin(), link.channels.end());
    append_channels(link.subscriber.out(), "SSUBSCRIBE"sv, all);
    link.changed.clear();
    link.awaited = all.size();
    link.asked = true;
}

void Bus::subscribe_changed(Link& link) {
    std::lock_guard lock(x_mutex);
    if (link.changed.empty()) return;
    std::vector<std::string_view> wanted, unwanted;
    for (const std::string& channel : link.changed)
        (link.channels.contains(channel) ? wanted : unwanted).push_back(channel);
    append_channels(link.subscriber.out(), "SSUBSCRIBE"sv, wanted);
    append_channels(link.subscriber.out(), "SUNSUBSCRIBE"sv, unwanted);
    link.changed.clear();
}

void Bus::fill(Link& link) {
    std::uint64_t taken = 0;
    std::int64_t bytes = 0;
    {
        std::lock_guard lock(x_mutex);
        while (!link.queue.empty() && link.publisher.waiting_bytes() < limits::kBusWriteBytes) {
            const ports::BusMessage& message = link.queue.front();
            append_command(link.publisher.out(), "SPUBLISH"sv, message.channel, message.payload);
            bytes += static_cast<std::int64_t>(bytes_of(message));
            link.queue_bytes -= bytes_of(message);
            link.queue.pop_front();
            ++taken;
        }
    }
    if (taken == 0) return;
    x_published.add(taken);
    x_waiting_bytes.add(-bytes);
}

void Bus::tell(Heard heard) {
    const bool up =
        std::all_of(x_links.begin(), x_links.end(), [](const auto& link) { return link->up; });
    const bool was = x_connected;
    for (const std::string& channel : heard.subscribed) x_listener->on_subscribed(channel);
    if (up && !was) {
        x_connected = true;
        x_up.set(1);
        x_logger.info("redis is there");
        x_listener->on_bus_state(true);
    }
    if (!heard.messages.empty()) {
        x_received.add(heard.messages.size());
        x_listener->on_bus_messages(std::move(heard.messages));
    }
    if (!up && was) {
        x_connected = false;
        x_up.set(0);
        x_listener->on_bus_state(false);
    }
}

} // namespace parley::redis
