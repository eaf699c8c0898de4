// RequestRates: what one REST call may do, by its user's and its address's budgets: ConnectionRates
// for a caller that does not stay. Each answers rate_limited with retry_after.
//
// Threading: one call's. Bound: two records.
#pragma once

#include "service/rate_limits.hpp"

#include <cstddef>

namespace parley::service {

class RequestRates {
public:
    using Time = RateLimits::Time;

    RequestRates(RateLimits& limits, AddressBlock address, Time now)
        : x_limits(&limits), x_now(now), x_address(limits.of_address(address, now)) {}

    void sign_in(model::UserId user) { x_user = x_limits->of_user(user, x_now); }

    // Once for each call, with the size of its body.
    Result<void> request(std::size_t bytes) {
        PARLEY_CHECK(of_user(Limit::user_requests));
        if (bytes == 0) return {};
        const auto cost = static_cast<double>(bytes);
        PARLEY_CHECK(of_user(Limit::user_bytes, cost));
        return x_limits->take(Limit::address_bytes, *x_address, x_now, cost);
    }
    // Besides, for what it asks for.
    Result<void> send() {
        PARLEY_CHECK(of_user(Limit::user_sends));
        return x_limits->take(Limit::address_sends, *x_address, x_now);
    }
    Result<void> join() { return of_user(Limit::user_joins); }
    Result<void> ticket() { return of_user(Limit::user_tickets); }

private:
    Result<void> of_user(Limit limit, double cost = 1) {
        if (!x_user) return {};
        return x_limits->take(limit, *x_user, x_now, cost);
    }

    RateLimits* x_limits;
    Time x_now;
    RateRecordRef x_user; // of a call that is signed in
    RateRecordRef x_address;
};

} // namespace parley::service
