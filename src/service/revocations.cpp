#include "service/revocations.hpp"

#include "base/limits.hpp"

#include <mutex>

namespace parley::service {

namespace {

constexpr auto kKept = limits::kAccessTokenLife + limits::kClockLeeway;

} // namespace

Revocations::Revocations(const ports::Clock& clock, Metrics& metrics)
    : x_clock(clock),
      x_forgotten(metrics.counter("parley_revocations_forgotten_total",
                                  "Revoked sessions forgotten early because too many were kept")) {}

Task<Result<void>> Revocations::load(ports::SessionStore& sessions) {
    const model::Time since{x_clock.now().ms - std::chrono::milliseconds(kKept).count()};
    PARLEY_CO_TRY(const auto revoked, co_await sessions.revoked_since(since));
    for (const model::SessionId session : revoked) insert(session);
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
    x_order.push_back({now + kKept, session});
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
