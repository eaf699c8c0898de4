// What operators and tools ask for: liveness, readiness, metrics. (The API documents are files:
// web.hpp.)
//
//   GET /healthz · GET /readyz · GET /metrics
//
// Threading: its core. Owner: Api.
#pragma once

#include "api/router.hpp"
#include "base/metrics.hpp"

#include <functional>
#include <string>
#include <vector>

namespace parley::api {

// What keeps this process from serving, in words; empty when nothing does.
using Readiness = std::function<std::vector<std::string>()>;

void add_operator_routes(Router& router, const Metrics& metrics, Readiness what_is_missing);

} // namespace parley::api
