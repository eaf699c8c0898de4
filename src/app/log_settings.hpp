// The logger's settings, from the program's. Pure.
#pragma once

#include "adapters/system/spdlog_logger.hpp"
#include "app/settings.hpp"

namespace parley::app {

inline system::LogSettings log_settings(const Settings& settings) {
    system::LogSettings log;
    log.level = settings.log_level;
    if (settings.log_format == "text") log.format = system::LogFormat::text;
    if (settings.log_format == "json") log.format = system::LogFormat::json;
    return log;
}

} // namespace parley::app
