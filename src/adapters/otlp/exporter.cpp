#include "adapters/otlp/exporter.hpp"

#include <algorithm>
#include <curl/curl.h>
#include <pthread.h>
#include <stdexcept>

namespace parley::otlp {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// The body of an answer says nothing that we need.
std::size_t discard(char*, std::size_t one, std::size_t count, void*) { return one * count; }

bool may_pass(long status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

} // namespace

// One connection, kept open.
struct Exporter::Client {
    explicit Client(Exporter& exporter);
    ~Client() {
        ::curl_slist_free_all(lines);
        ::curl_easy_cleanup(curl);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    template <class Value>
    void set(CURLoption option, Value value) {
        ::curl_easy_setopt(curl, option, value);
    }
    // Each second or so of a call.
    static int look_at_end(void* exporter, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        return static_cast<Exporter*>(exporter)->time_left() <= 0ms ? 1 : 0;
    }
    Answer post(const std::string& body, std::chrono::milliseconds time, std::string& why);

    CURL* curl;
    curl_slist* lines = nullptr;
    const std::string url;
};

Exporter::Client::Client(Exporter& exporter)
    : curl(::curl_easy_init()), url(exporter.x_settings.endpoint + "/v1/traces") {
    if (!curl) throw std::runtime_error("libcurl gives no handle");
    lines = ::curl_slist_append(lines, "Content-Type: application/json");
    lines = ::curl_slist_append(lines, "Expect:");
    for (const auto& [name, value] : exporter.x_settings.headers)
        lines = ::curl_slist_append(lines, (name + ": " + value).c_str());
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, ""); // none, whatever the environment says
    set(CURLOPT_POST, 1L);
    set(CURLOPT_HTTPHEADER, lines);
    set(CURLOPT_WRITEFUNCTION, discard);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFODATA, &exporter);
    set(CURLOPT_XFERINFOFUNCTION, look_at_end);
}

Exporter::Answer Exporter::Client::post(const std::string& body, std::chrono::milliseconds time,
                                        std::string& why) {
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(time.count()));
    set(CURLOPT_POSTFIELDS, body.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    if (const CURLcode code = ::curl_easy_perform(curl); code != CURLE_OK) {
        why = ::curl_easy_strerror(code);
        return Answer::none;
    }
    long status = 0;
    ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) return Answer::taken;
    why = "status " + std::to_string(status);
    return may_pass(status) ? Answer::none : Answer::refused;
}

Exporter::Exporter(Settings settings, Logger& log, Metrics& metrics)
    : x_settings(std::move(settings)),
      x_rejected_below(rejected_below(x_settings.ratio)),
      x_log(log),
      x_sent(metrics.counter("parley_spans_total", "Spans for the collector of traces, by outcome",
                             "outcome=\"sent\"")),
      x_full(metrics.counter("parley_spans_total", "Spans for the collector of traces, by outcome",
                             "outcome=\"full\"")),
      x_failed(metrics.counter("parley_spans_total",
                               "Spans for the collector of traces, by outcome",
                               "outcome=\"failed\"")),
      x_waiting(metrics.gauge("parley_spans_waiting", "Spans that wait to be sent")) {
    static std::once_flag once;
    std::call_once(once, [] { ::curl_global_init(CURL_GLOBAL_DEFAULT); });
    x_thread = std::thread([this] { run(); });
    ::pthread_setname_np(x_thread.native_handle(), "spans");
}

Exporter::~Exporter() { stop(); }

void Exporter::stop() {
    {
        const std::lock_guard lock(x_mutex);
        if (!x_stopping) x_end = Clock::now() + limits::kSpanFarewell;
        x_stopping = true;
    }
    x_work.notify_all();
    if (x_thread.joinable()) x_thread.join();
}

std::int64_t Exporter::now_us() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

void Exporter::add(const ports::MessageSpan& span) {
    std::size_t size = 0;
    {
        const std::lock_guard lock(x_mutex);
        if (x_stopping || x_queue.size() >= limits::kSpanQueue) {
            x_full.add();
            return;
        }
        x_queue.push_back(span);
        size = x_queue.size();
    }
    x_waiting.set(static_cast<std::int64_t>(size));
    if (size == limits::kSpanBatch) x_work.notify_one();
}

std::vector<ports::MessageSpan> Exporter::wait_for_batch() {
    std::unique_lock lock(x_mutex);
    x_work.wait_for(lock, limits::kSpanEvery,
                    [this] { return x_stopping || x_queue.size() >= limits::kSpanBatch; });
    const std::size_t size = std::min(x_queue.size(), limits::kSpanBatch);
    const auto end = x_queue.begin() + static_cast<std::ptrdiff_t>(size);
    std::vector<ports::MessageSpan> batch(x_queue.begin(), end);
    x_queue.erase(x_queue.begin(), end);
    x_waiting.set(static_cast<std::int64_t>(x_queue.size()));
    return batch;
}

void Exporter::run() {
    Client client(*this);
    for (;;) {
        const std::vector<ports::MessageSpan> batch = wait_for_batch();
        if (!batch.empty()) {
            send(batch, client);
            continue;
        }
        const std::lock_guard lock(x_mutex);
        if (x_stopping && x_queue.empty()) return;
    }
}

void Exporter::send(const std::vector<ports::MessageSpan>& batch, Client& client) {
    const std::string body = to_json(x_settings.resource, batch);
    std::chrono::milliseconds wait = limits::kSpanPause;
    std::string why = "the process is going away";
    for (int attempt = 1; attempt <= limits::kSpanAttempts; ++attempt) {
        const std::chrono::milliseconds time = time_left();
        if (time <= 0ms) break;
        const Answer answer = client.post(body, time, why);
        if (answer == Answer::taken) {
            x_sent.add(batch.size());
            return note(true, {});
        }
        note(false, why);
        if (answer == Answer::refused || attempt == limits::kSpanAttempts || !pause(wait)) break;
        wait *= 2;
    }
    x_failed.add(batch.size());
}

std::chrono::milliseconds Exporter::time_left() {
    const std::lock_guard lock(x_mutex);
    const std::chrono::milliseconds most = limits::kSpanTimeout;
    if (!x_stopping) return most;
    return std::min(most, std::chrono::floor<std::chrono::milliseconds>(x_end - Clock::now()));
}

bool Exporter::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(x_mutex);
    return !x_work.wait_for(lock, time, [this] { return x_stopping; });
}

void Exporter::note(bool works, std::string_view why) {
    if (works == x_works) return;
    x_works = works;
    if (works)
        x_log.info("the collector of traces takes spans again");
    else
        x_log.warning("the collector of traces takes no spans", {{"why", why}});
}

} // namespace parley::otlp
