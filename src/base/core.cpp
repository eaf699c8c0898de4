#include "base/core.hpp"

#include <boost/asio/executor_work_guard.hpp>

namespace parley {

void Core::run() {
    x_thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
    const auto work = boost::asio::make_work_guard(x_io);
    while (!x_stopping.load(std::memory_order_acquire)) {
        x_io.run_one();
        for (int round = 0; round < limits::kPollsPerTurn; ++round) {
            std::size_t handled = x_io.poll();
            for (PollSource* source : x_sources) handled += source->poll();
            if (handled == 0) break;
        }
        for (std::size_t i = 0; i < x_turn_ends.size(); ++i) x_turn_ends[i]->on_turn_end();
    }
}

void Core::stop() {
    x_stopping.store(true, std::memory_order_release);
    boost::asio::post(x_io, [] {});
}

} // namespace parley
