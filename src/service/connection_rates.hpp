// ConnectionRates: what one socket may still do, on any surface: by its own budget, its user's and
// its address's, whose records are found once. A connection that is refused again and again, or
// that sends more bytes than it may for long, is a flood: close it with 4002. Its user's budget is
// as empty after that as before, so coming back gains nothing.
//
// Threading: its connection's core; the records are shared with the user's other connections by
// atomics. Owner: the session. Bound: three records.
#pragma once

#include "service/rate_limits.hpp"

#include <chrono>
#include <cstddef>
#include <optional>

namespace parley::service {

class ConnectionRates {
public:
    using Time = RateLimits::Time;

    ConnectionRates(RateLimits& limits, AddressBlock address, Time now);

    // From now on the user's budget counts too. rate_limited: too many sockets in a short time.
    Result<void> sign_in(model::UserId user, Time now);

    // Each answers rate_limited with retry_after. request(): once for each op, whatever it is;
    // the others besides, for what it asks for.
    Result<void> request(Time now);
    Result<void> send(Time now);
    Result<void> subscribe(Time now);
    // Bytes that were read, before anybody looks at them: how long to read no more; 0 for none.
    // With 0 bytes: whether that time is over.
    std::chrono::milliseconds received(std::size_t bytes, Time now);

    bool is_flooding() const { return x_flooding; }

private:
    Result<void> count_refusal(Result<void> refused, Time now);

    RateLimits& x_limits;
    RateRecord x_own;
    RateRecordRef x_user; // once signed in
    RateRecordRef x_address;
    RateBucket x_refusals;
    std::optional<Time> x_over_since; // its bytes, or its user's
    bool x_flooding = false;
};

} // namespace parley::service
