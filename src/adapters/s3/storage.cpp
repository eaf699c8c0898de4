#include "adapters/s3/storage.hpp"

#include "base/cluster_limits.hpp"

#include <cstdlib>
#include <curl/curl.h>
#include <thread>

namespace parley::s3 {
namespace {

// Worth another attempt: it may be different in a moment.
bool may_pass(const Result<HttpAnswer>& answer) {
    if (!answer) return answer.error().code == Errc::media_unavailable;
    return (answer->status >= 500 && answer->status != 501 && answer->status != 507) ||
           answer->status == 429 || answer->status == 408;
}

std::vector<std::unique_ptr<HttpClient>> clients(const std::atomic<bool>& stopping) {
    std::vector<std::unique_ptr<HttpClient>> made;
    for (std::size_t i = 0; i < limits::kStorageThreads; ++i)
        made.push_back(std::make_unique<HttpClient>(stopping));
    return made;
}

} // namespace

Storage::Host Storage::host_of(const Settings& settings, const std::string& endpoint) {
    const std::size_t at = endpoint.find("://");
    const std::string scheme = endpoint.substr(0, at + 3);
    std::string host = endpoint.substr(at + 3);
    if (!settings.path_style) host = settings.bucket + "." + host;
    return {scheme + host, host};
}

Storage::Storage(const Settings& settings, const ports::Clock& clock, Logger& log, Metrics& metrics)
    : x_settings(settings),
      x_host(host_of(settings, settings.endpoint)),
      x_public_host(host_of(settings, settings.public_endpoint.empty() ? settings.endpoint
                                                                       : settings.public_endpoint)),
      x_signer(settings.credentials),
      x_clock(clock),
      x_log(log),
      x_calls(metrics.counter("parley_media_storage_calls_total", "Calls of the media storage")),
      x_failures(metrics.counter("parley_media_storage_failures_total",
                                 "Calls that the media storage failed")),
      x_retried(metrics.counter("parley_media_storage_retries_total",
                                "Calls of the media storage made again")),
      x_refused(metrics.counter("parley_media_storage_refused_total",
                                "Calls not made, because the media storage did not answer")),
      x_seconds(metrics.histogram("parley_media_storage_call_seconds",
                                  "Duration of calls of the media storage", latency_bounds())),
      x_skew(metrics.gauge("parley_media_storage_skew_ms",
                           "How far the clock of the media storage is ahead of ours")),
      x_clients(clients(x_stopping)),
      x_pool("storage", limits::kStorageThreads, limits::kStorageQueue, metrics) {
    x_ahead_ms = ahead_of_steady_ms();
}

std::string Storage::path_of(const std::string& key) const {
    std::string path = x_settings.path_style ? "/" + x_settings.bucket : "";
    if (!key.empty() || path.empty()) path += "/" + key;
    return path;
}

std::string Storage::presign(std::string method, const std::string& key, Fields query,
                             Fields headers, model::Time now, std::chrono::seconds life) const {
    const Signable request{.method = std::move(method),
                           .host = x_public_host.host,
                           .path = path_of(key),
                           .query = std::move(query),
                           .headers = std::move(headers)};
    return x_public_host.base + x_signer.presign(request, their_time(now), life);
}

Result<HttpAnswer> Storage::call(std::size_t worker, const StorageCall& call) {
    if (refuses()) {
        x_refused.add();
        return Error(Errc::media_unavailable, "the storage of media does not answer");
    }
    x_calls.add();
    if (x_retries < limits::kStorageRetriesSaved * 10)
        x_retries += limits::kStorageRetriesPerTenCalls;
    const auto began = x_clock.steady();
    const std::int64_t skew_ms = x_skew_ms;
    Result<HttpAnswer> answer = attempt(worker, call);
    for (int i = 1; i < limits::kStorageAttempts && may_pass(answer) && may_retry(); ++i) {
        x_retried.add();
        std::this_thread::sleep_for(std::chrono::milliseconds(50 << i));
        answer = attempt(worker, call);
    }
    // Signed anew, by the clock that was in the answer.
    if (answer && answer->status == 403 && x_skew_ms != skew_ms) answer = attempt(worker, call);
    const std::chrono::duration<double> took = x_clock.steady() - began;
    x_seconds.observe(took.count());
    note_outcome(!may_pass(answer));
    if (!answer || answer->is_good() || answer->status == 416) return answer;
    return error_of(call, *answer);
}

Result<HttpAnswer> Storage::call_plain(std::size_t worker, const HttpCall& call) {
    return x_clients[worker]->perform(call);
}

Result<HttpAnswer> Storage::attempt(std::size_t worker, const StorageCall& call) {
    Signable request{.method = call.method,
                     .host = x_host.host,
                     .path = path_of(call.key),
                     .query = call.query,
                     .headers = call.headers,
                     .body_hash = call.from.empty() ? hex(sha256(call.body))
                                                    : std::string(kUnsignedPayload)};
    HttpCall http{.method = call.method,
                  .url = x_host.base + encoded(request.path, true),
                  .headers = call.headers,
                  .body = call.body,
                  .from = call.from,
                  .to = call.to};
    if (!call.query.empty()) http.url += "?" + encoded_query(call.query);
    const model::Time now = their_time(x_clock.now());
    for (auto& field : x_signer.sign(std::move(request), now))
        http.headers.push_back(std::move(field));
    Result<HttpAnswer> answer = x_clients[worker]->perform(http);
    if (answer) note_clock(*answer);
    return answer;
}

std::int64_t Storage::ahead_of_steady_ms() const {
    using std::chrono::milliseconds;
    const auto steady = x_clock.steady().time_since_epoch();
    return x_clock.now().ms - std::chrono::duration_cast<milliseconds>(steady).count();
}

bool Storage::clock_is_in_doubt() const {
    const std::chrono::milliseconds most = limits::kStorageSkew;
    return std::abs(ahead_of_steady_ms() - x_ahead_ms.load()) >= most.count();
}

void Storage::note_clock(const HttpAnswer& answer) {
    const std::string date(answer.header("date"));
    const std::time_t theirs = date.empty() ? -1 : ::curl_getdate(date.c_str(), nullptr);
    if (theirs < 0) return;
    x_ahead_ms = ahead_of_steady_ms();
    std::int64_t skew = std::int64_t(theirs) * 1000 - x_clock.now().ms;
    if (std::abs(skew) < std::chrono::milliseconds(limits::kStorageSkew).count()) skew = 0;
    if ((x_skew_ms.exchange(skew) == 0) != (skew == 0))
        x_log.warning("the clock of the media storage differs from ours", {{"ms", skew}});
    x_skew.set(skew);
}

Error Storage::error_of(const StorageCall& call, const HttpAnswer& answer) {
    if (answer.status == 404) return {Errc::media_not_uploaded, "the storage has no such object"};
    if (answer.status == 412)
        return {Errc::media_mismatch, "the storage has an object of this name"};
    const auto says = [&](std::string_view code) {
        return answer.body.find(code) != std::string::npos;
    };
    x_failures.add();
    if (answer.status == 507 || says("QuotaExceeded") || says("InsufficientStorage") ||
        says("StorageFull"))
        return {Errc::media_storage_full, "the storage of media is full"};
    std::string code;
    if (const auto at = answer.body.find("<Code>"); at != std::string::npos)
        code = answer.body.substr(
            at + 6, std::min(answer.body.find('<', at + 6) - at - 6, std::size_t{64}));
    x_log.warning("the media storage refused a call",
                  {{"method", call.method}, {"status", answer.status}, {"code", code}});
    return {Errc::media_unavailable, "the storage of media does not answer"};
}

bool Storage::may_retry() {
    if (x_stopping) return false;
    if (x_retries.fetch_sub(10) >= 10) return true;
    x_retries += 10;
    return false;
}

bool Storage::refuses() const {
    return x_clock.steady().time_since_epoch().count() < x_refused_until.load();
}

void Storage::note_outcome(bool good) {
    if (good) {
        x_failures_in_a_row = 0;
        return;
    }
    x_failures.add();
    if (++x_failures_in_a_row < limits::kStorageFailuresBreak) return;
    const auto until = x_clock.steady() + limits::kStorageBreak;
    x_refused_until = until.time_since_epoch().count();
}

void Storage::stop() {
    x_stopping = true;
    x_pool.stop();
}

} // namespace parley::s3
