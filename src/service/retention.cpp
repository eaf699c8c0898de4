#include "service/retention.hpp"

#include "base/limits.hpp"

namespace parley::service {

Retention::Retention(ports::RetentionStore& store, std::uint32_t server_days,
                     const ports::Clock& clock, Logger& log, Metrics& metrics)
    : x_store(store),
      x_server_days(server_days),
      x_clock(clock),
      x_log(log),
      x_removed(metrics.counter("parley_retention_removed_total",
                                "Messages and other events that were too old to be kept")),
      x_passes(metrics.counter("parley_retention_passes_total",
                               "Times that all rooms were looked through for old events")) {}

Task<std::chrono::milliseconds> Retention::step() {
    const auto step = co_await x_store.remove_old(x_next, x_server_days, x_clock.now());
    if (!step) {
        x_log.warning("old messages could not be removed",
                      {{"why", std::string_view(step.error().detail)}});
        co_return limits::kRetentionPass;
    }
    x_removed.add(step->removed);
    x_next = step->room_id;
    if (x_next) co_return limits::kRetentionPause;
    x_passes.add();
    co_return limits::kRetentionPass;
}

} // namespace parley::service
