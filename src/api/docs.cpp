#include "api/docs.hpp"

#include "protocol/v1/server_frame.hpp"

namespace parley::api {

namespace {

Task<Result<net::HttpResponse>> immediately(net::HttpResponse response) { co_return response; }

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

} // namespace

void add_operator_routes(Router& router, const Metrics& metrics, Readiness what_is_missing) {
    Handler health = [](RequestContext) {
        net::HttpResponse response;
        response.body = R"({"status":"ok"})";
        return immediately(std::move(response));
    };
    Handler ready = [what_is_missing = std::move(what_is_missing)](RequestContext) {
        return immediately(readiness_answer(what_is_missing()));
    };
    Handler render = [&metrics](RequestContext) {
        net::HttpResponse response;
        response.content_type = "text/plain; version=0.0.4; charset=utf-8";
        response.body = metrics.render();
        return immediately(std::move(response));
    };
    router.add("GET", "/healthz", std::move(health), Access::anyone);
    router.add("GET", "/readyz", std::move(ready), Access::anyone);
    router.add("GET", "/metrics", std::move(render), Access::anyone);
}

} // namespace parley::api
