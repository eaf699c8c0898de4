// The machine's clocks. Threading: any thread.
#pragma once

#include "ports/clock.hpp"

namespace parley::system {

class SystemClock final : public ports::Clock {
public:
    model::Time now() const override;
    std::chrono::steady_clock::time_point steady() const override;
};

} // namespace parley::system
