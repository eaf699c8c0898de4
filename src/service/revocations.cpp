#include "service/revocations.hpp"

#include <algorithm>
#include <mutex>

namespace parley::service {

namespace {

// Longer than another process may wait for the database between its clock and its commit.
constexpr std::chrono::milliseconds kOverlap{15'000};

} // namespace

Revocations::Revocations(const ports::Clock& clock, Metrics& metrics,
                         std::chrono::milliseconds token_life)
    : x_clock(clock),
      x_kept(token_life + limits::kClockLeeway),
      x_forgotten(metrics.counter("parley_revocations_forgotten_total",
                                  "Revoked sessions forgotten early because too many were kept")) {}

Task<Result<void>> Revocations::load(ports::SessionStore& sessions) {
    const model::Time since{x_clock.now().ms - x_kept.count()};
    x_looked_at_ms = x_clock.now().ms;
    PARLEY_CO_TRY(const auto revoked, co_await sessions.revoked_since(since));
    for (const model::SessionId session : revoked) insert(session);
    co_return Result<void>{};
}

Task<Result<void>> Revocations::look(ports::SessionStore& sessions) {
    const std::int64_t now = x_clock.now().ms;
    // The clock may have gone back since.
    const std::int64_t since = std::min(now, x_looked_at_ms.load());
    PARLEY_CO_TRY(const auto revoked, co_await sessions.revoked_since({since - kOverlap.count()}));
    x_looked_at_ms = now;
    for (const model::SessionId session : revoked) revoke(session);
    co_return Result<void>{};
}

void Revocations::revoke(model::SessionId session) {
    if (!insert(session)) return;
    for (const Listener& listener : x_listeners) listener(session);
}

bool Revocations::insert(model::SessionId session) {
    const auto now = x_clock.steady();
    const std::lock_guard lock(x_mutex);
    while (!x_order.empty() && x_order.front().forget_at <= now) {
        x_revoked.erase(x_order.front().session);
        x_order.pop_front();
    }
    if (!x_revoked.insert(session).second) return false;
    x_order.push_back({now + x_kept, session});
    if (x_order.size() > limits::kRevokedSessions) {
        x_revoked.erase(x_order.front().session);
        x_order.pop_front();
        x_forgotten.add();
    }
    return true;
}

bool Revocations::is_revoked(model::SessionId session) const {
    const std::shared_lock lock(x_mutex);
    return x_revoked.contains(session);
}

std::size_t Revocations::size() const {
    const std::shared_lock lock(x_mutex);
    return x_revoked.size();
}

} // namespace parley::service
