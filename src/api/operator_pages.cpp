#include "api/operator_pages.hpp"

#include "protocol/v1/server_frame.hpp"

namespace parley::api {

net::HttpResponse health_answer() {
    net::HttpResponse response;
    response.body = R"({"status":"ok"})";
    return response;
}

net::HttpResponse readiness_answer(const std::vector<std::string>& missing) {
    net::HttpResponse response;
    response.status = missing.empty() ? 200 : 503;
    std::string& out = response.body;
    out = missing.empty() ? R"({"status":"ready","missing":[)"
                          : R"({"status":"not_ready","missing":[)";
    for (std::size_t i = 0; i < missing.size(); ++i) {
        if (i > 0) out += ',';
        protocol::v1::append_string(out, missing[i]);
    }
    out += "]}";
    if (!missing.empty()) response.headers.emplace_back("Retry-After", "1");
    return response;
}

net::HttpResponse metrics_answer(const Metrics& metrics) {
    net::HttpResponse response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = metrics.render();
    return response;
}

Task<net::HttpResponse> OperatorPages::handle(net::HttpRequest request) {
    net::HttpResponse response;
    if (request.path != "/healthz" && request.path != "/readyz" && request.path != "/metrics") {
        response.status = 404;
        response.content_type = "application/problem+json";
        response.body = R"({"type":"about:blank","title":"Not Found","status":404,)"
                        R"("detail":"this process serves no API","code":"not_found"})";
    } else if (request.method != "GET" && request.method != "HEAD") {
        response.status = 405;
        response.headers.emplace_back("Allow", "GET, HEAD");
    } else if (request.path == "/healthz") {
        response = health_answer();
    } else if (request.path == "/readyz") {
        response = readiness_answer(x_what_is_missing());
    } else {
        response = metrics_answer(x_metrics);
    }
    co_return response;
}

} // namespace parley::api
