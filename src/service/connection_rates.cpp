#include "service/connection_rates.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace parley::service {

namespace {

// Refusals are a bucket too: a client that is a little too fast is told so for ever, one that does
// not listen fills it.
constexpr RateLimit kRefusals{.per_second = limits::kRefusalsForgivenPerSecond,
                              .burst = limits::kRefusalsBeforeClose};

} // namespace

ConnectionRates::ConnectionRates(RateLimits& limits, AddressBlock address, Time now)
    : x_limits(limits), x_address(limits.of_address(address, now)) {}

Result<void> ConnectionRates::sign_in(model::UserId user, Time now) {
    x_user = x_limits.of_user(user, now);
    return x_limits.take(Limit::user_connects, *x_user, now);
}

Result<void> ConnectionRates::count_refusal(Result<void> refused, Time now) {
    if (x_refusals.take(kRefusals, now)) x_flooding = true;
    return refused;
}

Result<void> ConnectionRates::request(Time now) {
    if (!x_limits.enabled()) return {};
    auto taken = x_limits.take(Limit::connection_requests, x_own, now);
    if (taken && x_user) taken = x_limits.take(Limit::user_requests, *x_user, now);
    return taken ? taken : count_refusal(std::move(taken), now);
}

Result<void> ConnectionRates::send(Time now) {
    if (!x_limits.enabled()) return {};
    auto taken = x_limits.take(Limit::connection_sends, x_own, now);
    if (taken && x_user) taken = x_limits.take(Limit::user_sends, *x_user, now);
    if (taken) taken = x_limits.take(Limit::address_sends, *x_address, now);
    return taken ? taken : count_refusal(std::move(taken), now);
}

Result<void> ConnectionRates::subscribe(Time now) {
    if (!x_limits.enabled()) return {};
    auto taken = x_limits.take(Limit::connection_subscribes, x_own, now);
    if (taken && x_user) taken = x_limits.take(Limit::user_subscribes, *x_user, now);
    return taken ? taken : count_refusal(std::move(taken), now);
}

std::chrono::milliseconds ConnectionRates::received(std::size_t bytes, Time now) {
    if (!x_limits.enabled()) return {};
    const auto cost = static_cast<double>(bytes);
    auto wait = x_limits.charge(Limit::connection_bytes, x_own, now, cost);
    if (x_user) wait = std::max(wait, x_limits.charge(Limit::user_bytes, *x_user, now, cost));
    if (wait.count() == 0)
        x_over_since.reset();
    else if (!x_over_since)
        x_over_since = now;
    else if (now - *x_over_since > limits::kBytesFloodTime)
        x_flooding = true;
    // Others at the address may be the cause, so that is no flood of this one.
    return std::max(wait, x_limits.charge(Limit::address_bytes, *x_address, now, cost));
}

} // namespace parley::service
