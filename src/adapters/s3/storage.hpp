// Storage: signed calls to an S3 server, on threads of their own.
//
// A call that failed for a reason that may pass (no answer, 5xx, too fast) is made again, up to
// limits::kStorageAttempts times while the budget of retries lasts: a storage that is ill gets
// little more than it had. After limits::kStorageFailuresBreak failures in a row calls are refused
// at once for limits::kStorageBreak, so that nobody waits for a storage that is down. How far its
// clock is from ours is read from each answer, and signatures are made by its clock.
//
// Threading: run() from any core. Owner: the object store. Bounds: limits::kStorageThreads,
// limits::kStorageQueue; then overloaded. Shutdown: stop() breaks transfers off and joins.
#pragma once

#include "adapters/s3/http_client.hpp"
#include "adapters/s3/settings.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/worker_pool.hpp"
#include "ports/clock.hpp"

#include <mutex>

namespace parley::s3 {

struct StorageCall {
    std::string method, key; // "": the bucket
    Fields query = {}, headers = {};
    std::string body = {};
    std::filesystem::path from = {}, to = {};
};

class Storage {
public:
    Storage(const Settings& settings, const ports::Clock& clock, Logger& log, Metrics& metrics);

    // `function(worker)` gives a Result and may use call() with that worker. As with
    // postgres::Pool::run(), the task is made first where the closure captures more than plain
    // values.
    template <class Function>
    auto run(Function function) {
        return x_pool.run(std::move(function));
    }
    // A good answer, or 416 (no such range). On a worker only. media_not_uploaded: 404;
    // media_storage_full; media_mismatch: 412, an object is there already; media_unavailable: all
    // the rest.
    Result<HttpAnswer> call(std::size_t worker, const StorageCall& call);
    // To a URL as it stands, unsigned and once.
    Result<HttpAnswer> call_plain(std::size_t worker, const HttpCall& call);

    // A URL for clients; `now` and `life` as they shall stand in it, by our clock.
    std::string presign(std::string method, const std::string& key, Fields query, Fields headers,
                        model::Time now, std::chrono::seconds life) const;
    // By the clock of the storage; and back.
    model::Time their_time(model::Time ours) const { return {ours.ms + x_skew_ms.load()}; }
    model::Time our_time(model::Time theirs) const { return {theirs.ms - x_skew_ms.load()}; }
    // Our clock has stepped since the storage told its time: the next answer tells it again.
    bool clock_is_in_doubt() const;
    std::string path_of(const std::string& key) const;
    const Settings& settings() const { return x_settings; }
    void stop();

private:
    struct Host {
        std::string base, host; // scheme://host, host with its port as it is sent
    };
    static Host host_of(const Settings& settings, const std::string& endpoint);
    Result<HttpAnswer> attempt(std::size_t worker, const StorageCall& call);
    Error error_of(const StorageCall& call, const HttpAnswer& answer);
    void note_clock(const HttpAnswer& answer);
    std::int64_t ahead_of_steady_ms() const;
    bool may_retry();
    bool refuses() const;
    void note_outcome(bool good);

    const Settings x_settings;
    const Host x_host, x_public_host;
    const Signer x_signer;
    const ports::Clock& x_clock;
    Logger& x_log;
    std::atomic<bool> x_stopping{false};
    std::atomic<std::int64_t> x_skew_ms{0};                        // to be added to our time
    std::atomic<std::int64_t> x_ahead_ms{0};                       // of the steady clock, then
    std::atomic<int> x_retries{limits::kStorageRetriesSaved * 10}; // in tenths
    std::atomic<int> x_failures_in_a_row{0};
    std::atomic<std::int64_t> x_refused_until{0}; // of the steady clock
    Counter &x_calls, &x_failures, &x_retried, &x_refused;
    Histogram& x_seconds;
    Gauge& x_skew;
    std::vector<std::unique_ptr<HttpClient>> x_clients;
    WorkerPool x_pool; // after the clients: its threads end first
};

} // namespace parley::s3
