#include "api/docs.hpp"

#include "api/operator_pages.hpp"

namespace parley::api {

namespace {

Task<Result<net::HttpResponse>> immediately(net::HttpResponse response) { co_return response; }

} // namespace

void add_operator_routes(Router& router, const Metrics& metrics, Readiness what_is_missing) {
    Handler health = [](RequestContext) { return immediately(health_answer()); };
    Handler ready = [what_is_missing = std::move(what_is_missing)](RequestContext) {
        return immediately(readiness_answer(what_is_missing()));
    };
    Handler render = [&metrics](RequestContext) { return immediately(metrics_answer(metrics)); };
    router.add("GET", "/healthz", std::move(health), Access::anyone);
    router.add("GET", "/readyz", std::move(ready), Access::anyone);
    router.add("GET", "/metrics", std::move(render), Access::anyone);
}

} // namespace parley::api
