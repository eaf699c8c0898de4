// The exporter of spans, as the settings want it.
//
// Threading: the owner's thread. Owner: what it makes is the caller's. Null without an endpoint.
#pragma once

#include "adapters/otlp/exporter.hpp"
#include "app/settings.hpp"

#include <memory>
#include <string>

namespace parley::app {

std::unique_ptr<otlp::Exporter> make_span_exporter(const Settings& settings,
                                                   const std::string& role,
                                                   const std::string& node, Logger& log,
                                                   Metrics& metrics);

} // namespace parley::app
