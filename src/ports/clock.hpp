// Time. The only way to it outside adapters/ and app/, so that tests/sim can run on a virtual one.
//
// Threading: any thread.
#pragma once

#include "model/time.hpp"

#include <chrono>

namespace parley::ports {

class Clock {
public:
    // Time of day; may jump either way. For display, expiry and ids (which never go back with it).
    virtual model::Time now() const = 0;
    // Never goes back; for time-outs.
    virtual std::chrono::steady_clock::time_point steady() const = 0;

protected:
    ~Clock() = default;
};

} // namespace parley::ports
