// What operators and their tools ask of each process: /healthz, /readyz, /metrics. As answers, for
// the API's router; and as a handler of its own, for a process that serves no API.
//
// Threading: its core. Owner: app.
#pragma once

#include "base/metrics.hpp"
#include "net/http.hpp"

#include <functional>
#include <string>
#include <vector>

namespace parley::api {

net::HttpResponse health_answer();
// 503 and what is missing, or 200.
net::HttpResponse readiness_answer(const std::vector<std::string>& missing);
net::HttpResponse metrics_answer(const Metrics& metrics); // Prometheus text

class OperatorPages final : public net::HttpHandler {
public:
    OperatorPages(const Metrics& metrics, std::function<std::vector<std::string>()> what_is_missing)
        : x_metrics(metrics), x_what_is_missing(std::move(what_is_missing)) {}
    Task<net::HttpResponse> handle(net::HttpRequest request) override;

private:
    const Metrics& x_metrics;
    const std::function<std::vector<std::string>()> x_what_is_missing;
};

} // namespace parley::api
