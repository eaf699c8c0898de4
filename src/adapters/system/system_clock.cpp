#include "adapters/system/system_clock.hpp"

namespace parley::system {

model::Time SystemClock::now() const {
    using namespace std::chrono;
    return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

std::chrono::steady_clock::time_point SystemClock::steady() const {
    return std::chrono::steady_clock::now();
}

} // namespace parley::system
