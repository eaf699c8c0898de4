#include "adapters/redis/presence_board.hpp"

#include "base/cluster_limits.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace parley::redis {

namespace {

// now: what all leases are compared with.
constexpr std::string_view kBeat = R"(
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ends = redis.call('ZSCORE', 'parley:nodes', ARGV[1])
local known = ends and tonumber(ends) > now
if not known and redis.call('EXISTS', 'parley:sweep:' .. ARGV[1]) == 1 then return 0 end
redis.call('ZADD', 'parley:nodes', now + ARGV[2], ARGV[1])
return known and 1 or 0)";

constexpr std::string_view kPut = R"(
local t = redis.call('TIME')
redis.call('ZADD', 'parley:nodes', 'NX', t[1] * 1000 + math.floor(t[2] / 1000), ARGV[1])
local fresh = {}
for i = 2, #ARGV do
  local key = 'parley:user:' .. ARGV[i]
  if redis.call('SADD', key, ARGV[1]) == 1 and redis.call('SCARD', key) == 1 then
    fresh[#fresh + 1] = ARGV[i]
  end
  redis.call('SADD', 'parley:node:' .. ARGV[1] .. ':users', ARGV[i])
end
return fresh)";

constexpr std::string_view kTakeOff = R"(
local gone = {}
for i = 2, #ARGV do
  local key = 'parley:user:' .. ARGV[i]
  redis.call('SREM', 'parley:node:' .. ARGV[1] .. ':users', ARGV[i])
  if redis.call('SREM', key, ARGV[1]) == 1 and redis.call('EXISTS', key) == 0 then
    gone[#gone + 1] = ARGV[i]
  end
end
return gone)";

constexpr std::string_view kOnline = R"(
local there = {}
for i = 2, #ARGV do there[i - 1] = tostring(redis.call('EXISTS', 'parley:user:' .. ARGV[i])) end
return there)";

// Sweeps come each second. When they seem further apart, or the wrong way round, the clock has
// stepped, or nobody could say beat() meanwhile: what was left of each lease is left of it now.
constexpr std::string_view kDeadNodes = R"(
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local mine = {}
local step = now - (redis.call('GET', 'parley:clock') or now)
redis.call('SET', 'parley:clock', now)
if step < 0 or step > tonumber(ARGV[1]) then
  for _, node in ipairs(redis.call('ZRANGE', 'parley:nodes', 0, -1)) do
    local ends = redis.call('ZSCORE', 'parley:nodes', node) + step
    redis.call('ZADD', 'parley:nodes', math.min(ends, now + ARGV[1]), node)
  end
end
for _, node in ipairs(redis.call('ZRANGEBYSCORE', 'parley:nodes', '-inf', now)) do
  if redis.call('SET', 'parley:sweep:' .. node, '1', 'NX', 'PX', ARGV[1]) then
    mine[#mine + 1] = node
  end
end
return mine)";

constexpr std::string_view kUsersOf =
    "return redis.call('SRANDMEMBER', 'parley:node:' .. ARGV[1] .. ':users', ARGV[2])";

constexpr std::string_view kRemoved = R"(
if redis.call('EXISTS', 'parley:node:' .. ARGV[1] .. ':users') == 0 then
  redis.call('ZREM', 'parley:nodes', ARGV[1])
else
  redis.call('ZADD', 'parley:nodes', 'XX', 0, ARGV[1])
end
redis.call('DEL', 'parley:sweep:' .. ARGV[1])
return 1)";

std::int64_t now_ticks() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

constexpr std::int64_t ticks(std::chrono::steady_clock::duration time) { return time.count(); }

timeval as_timeval(std::chrono::milliseconds time) {
    return {.tv_sec = time.count() / 1000, .tv_usec = time.count() % 1000 * 1000};
}

// The server closed it while nobody called, which is no failure of the next call.
bool is_stale(const redisContext& context) {
    char byte = 0;
    return ::recv(context.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

Error unavailable(std::string_view why) {
    return {Errc::unavailable, "presence: " + std::string(why)};
}

std::vector<std::string> texts_of(const redisReply& reply) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < reply.elements; ++i) texts.emplace_back(text_of(*reply.element[i]));
    return texts;
}

std::vector<model::UserId> users_in(const std::vector<std::string>& texts) {
    std::vector<model::UserId> users;
    for (const std::string& text : texts)
        if (const auto user = model::UserId::parse(text)) users.push_back(*user);
    return users;
}

} // namespace

PresenceBoard::PresenceBoard(Settings settings, Metrics& metrics, Logger& logger)
    : x_settings(std::move(settings)),
      x_logger(logger),
      x_contexts(limits::kPresenceThreads),
      x_calls(metrics.counter("parley_presence_board_calls_total", "Scripts that Redis ran")),
      x_failures(metrics.counter("parley_presence_board_failures_total",
                                 "Scripts that Redis did not answer")),
      x_refusals(metrics.counter("parley_presence_board_refused_total",
                                 "Calls refused at once after a failure")),
      x_pool("presence", limits::kPresenceThreads, limits::kPresenceQueue, metrics) {}

Task<Result<bool>> PresenceBoard::beat(std::string node, std::chrono::milliseconds lease) {
    return x_pool.run([this, node = std::move(node), lease](std::size_t worker) -> Result<bool> {
        const Words words{node, std::to_string(lease.count())};
        PARLEY_TRY(const Reply reply, call(worker, kBeat, words));
        return reply->integer == 1;
    });
}

Task<Result<std::vector<model::UserId>>> PresenceBoard::put(std::string node,
                                                            std::vector<model::UserId> users) {
    return change(kPut, std::move(node), std::move(users));
}

Task<Result<std::vector<model::UserId>>> PresenceBoard::take_off(std::string node,
                                                                 std::vector<model::UserId> users) {
    return change(kTakeOff, std::move(node), std::move(users));
}

Task<Result<std::vector<model::UserId>>>
PresenceBoard::change(std::string_view script, std::string node, std::vector<model::UserId> users) {
    return x_pool.run([this, script, node = std::move(node), users = std::move(users)](
                          std::size_t worker) -> Result<std::vector<model::UserId>> {
        PARLEY_TRY(const auto changed, call_steps(worker, script, node, users));
        return users_in(changed);
    });
}

Task<Result<std::vector<bool>>> PresenceBoard::online(std::vector<model::UserId> users) {
    return x_pool.run(
        [this, users = std::move(users)](std::size_t worker) -> Result<std::vector<bool>> {
            PARLEY_TRY(const auto there, call_steps(worker, kOnline, {}, users));
            std::vector<bool> answer;
            for (const std::string& exists : there) answer.push_back(exists == "1");
            return answer;
        });
}

Task<Result<std::vector<std::string>>> PresenceBoard::dead_nodes(std::chrono::milliseconds lease) {
    return x_pool.run([this, lease](std::size_t worker) -> Result<std::vector<std::string>> {
        PARLEY_TRY(const Reply reply,
                   call(worker, kDeadNodes, Words{std::to_string(lease.count())}));
        return texts_of(*reply);
    });
}

Task<Result<std::vector<model::UserId>>> PresenceBoard::users_of(std::string node,
                                                                 std::size_t limit) {
    return x_pool.run([this, node = std::move(node),
                       limit](std::size_t worker) -> Result<std::vector<model::UserId>> {
        PARLEY_TRY(const Reply reply, call(worker, kUsersOf, Words{node, std::to_string(limit)}));
        return users_in(texts_of(*reply));
    });
}

Task<Result<void>> PresenceBoard::removed(std::string node) {
    return x_pool.run([this, node = std::move(node)](std::size_t worker) -> Result<void> {
        PARLEY_TRY(const Reply reply, call(worker, kRemoved, Words{node}));
        return {};
    });
}

Result<std::vector<std::string>>
PresenceBoard::call_steps(std::size_t worker, std::string_view script, const std::string& node,
                          const std::vector<model::UserId>& users) {
    std::vector<std::string> answers;
    for (std::size_t from = 0; from < users.size(); from += limits::kPresenceStep) {
        const std::size_t to = std::min(users.size(), from + limits::kPresenceStep);
        Words words{node};
        for (std::size_t i = from; i < to; ++i) words.push_back(users[i].to_string());
        PARLEY_TRY(const Reply reply, call(worker, script, words));
        for (std::string& text : texts_of(*reply)) answers.push_back(std::move(text));
    }
    return answers;
}

Result<Reply> PresenceBoard::call(std::size_t worker, std::string_view script, const Words& words) {
    if (now_ticks() < x_broken_until.load(std::memory_order_relaxed)) {
        x_refusals.add();
        return unavailable("redis did not answer a moment ago");
    }
    std::string command;
    append_header(command, words.size() + 3);
    append_word(command, "EVAL");
    append_word(command, script);
    append_word(command, "0");
    for (const std::string& word : words) append_word(command, word);
    Context& context = x_contexts[worker];
    if (context && is_stale(*context)) context.reset();
    if (!context) {
        auto made = connect();
        if (!made) return fail(made.error());
        context = std::move(*made);
    }
    auto reply = exchange(*context, command);
    if (!reply) {
        context.reset(); // an answer that comes later belongs to nobody
        return fail(reply.error());
    }
    x_calls.add();
    return reply;
}

Result<Context> PresenceBoard::connect() const {
    const Address& address = x_settings.addresses.front();
    const timeval limit = as_timeval(limits::kBusCallTimeout);
    Context context(redisConnectWithTimeout(address.host.c_str(), address.port, limit));
    if (!context) return unavailable("out of memory");
    if (context->err) return unavailable(context->errstr);
    if (redisSetTimeout(context.get(), limit) != REDIS_OK) return unavailable(context->errstr);
    if (!x_settings.password.empty()) {
        const std::string user = x_settings.username.empty() ? "default" : x_settings.username;
        std::string command;
        append_command(command, std::string_view("AUTH"), user, x_settings.password);
        PARLEY_TRY(const Reply reply, exchange(*context, command));
    }
    return context;
}

// Not redisCommand(): hiredis writes without MSG_NOSIGNAL, and an end of the peer would be SIGPIPE.
Result<Reply> PresenceBoard::exchange(redisContext& context, const std::string& command) const {
    for (std::size_t sent = 0; sent < command.size();) {
        const ssize_t n =
            ::send(context.fd, command.data() + sent, command.size() - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return unavailable(std::strerror(errno));
        sent += static_cast<std::size_t>(n);
    }
    void* raw = nullptr;
    if (redisGetReply(&context, &raw) != REDIS_OK) return unavailable(context.errstr);
    Reply reply(static_cast<redisReply*>(raw));
    if (reply->type == REDIS_REPLY_ERROR) return unavailable(text_of(*reply));
    return reply;
}

Error PresenceBoard::fail(const Error& error) {
    x_failures.add();
    const auto until = now_ticks() + ticks(limits::kPresenceBreak);
    // One line for each break, whoever else has failed meanwhile.
    if (x_broken_until.exchange(until) < now_ticks())
        x_logger.warning("the presence board is not there",
                         {{"why", std::string_view(error.detail)}});
    return error;
}

} // namespace parley::redis
