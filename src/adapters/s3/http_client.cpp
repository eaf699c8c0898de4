#include "adapters/s3/http_client.hpp"

#include "base/cluster_limits.hpp"

#include <algorithm>
#include <cstdio>
#include <curl/curl.h>
#include <mutex>
#include <stdexcept>

namespace parley::s3 {
namespace {

struct FileClose {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileClose>;

struct Transfer {
    HttpAnswer answer;
    File from, to;
    CURL* curl = nullptr;
};

struct ListFree {
    void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListFree>;

std::size_t take_header(char* text, std::size_t one, std::size_t count, void* user) {
    auto& answer = static_cast<Transfer*>(user)->answer;
    std::string_view line(text, one * count);
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) answer.headers.clear(); // of an answer 100 before this one
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return one * count;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    });
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    answer.headers.emplace_back(std::move(name), std::string(value));
    return one * count;
}

std::size_t take_body(char* bytes, std::size_t one, std::size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    const std::size_t size = one * count;
    long status = 0;
    ::curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
    if (transfer.to && status >= 200 && status < 300)
        return std::fwrite(bytes, 1, size, transfer.to.get());
    if (transfer.answer.body.size() + size > limits::kStorageAnswerBytes) return 0;
    transfer.answer.body.append(bytes, size);
    return size;
}

std::size_t give_body(char* out, std::size_t one, std::size_t count, void* user) {
    return std::fread(out, one, count, static_cast<Transfer*>(user)->from.get());
}

int look_at_end(void* stopping, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::atomic<bool>*>(stopping)->load() ? 1 : 0;
}

template <class Duration>
long milliseconds(Duration duration) {
    return static_cast<long>(std::chrono::milliseconds(duration).count());
}

Error unavailable(const std::string& why) {
    return {Errc::media_unavailable, "the storage of media does not answer: " + why};
}

} // namespace

struct HttpClient::Handle {
    Handle() : curl(::curl_easy_init()) {
        if (!curl) throw std::runtime_error("libcurl gives no handle");
    }
    ~Handle() { ::curl_easy_cleanup(curl); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    void set_up(const HttpCall& call, Transfer& transfer, curl_slist* headers) const;
    CURL* curl;
};

std::string_view HttpAnswer::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (key == name) return value;
    return {};
}

HttpClient::HttpClient(const std::atomic<bool>& stopping) : x_stopping(stopping) {
    static std::once_flag once;
    std::call_once(once, [] { ::curl_global_init(CURL_GLOBAL_DEFAULT); });
    x_handle = std::make_unique<Handle>();
}

HttpClient::~HttpClient() = default;

void HttpClient::Handle::set_up(const HttpCall& call, Transfer& transfer,
                                curl_slist* headers) const {
    ::curl_easy_reset(curl); // keeps the connections
    const auto set = [this](CURLoption option, auto value) {
        ::curl_easy_setopt(curl, option, value);
    };
    const bool with_file = transfer.from || transfer.to;
    set(CURLOPT_URL, call.url.c_str());
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, ""); // none, whatever the environment says
    set(CURLOPT_HTTPHEADER, headers);
    set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(limits::kStorageConnectTimeout));
    set(CURLOPT_TIMEOUT_MS, with_file ? milliseconds(limits::kStorageFileTimeout)
                                      : milliseconds(limits::kStorageCallTimeout));
    set(CURLOPT_LOW_SPEED_LIMIT, 1024L);
    set(CURLOPT_LOW_SPEED_TIME, milliseconds(limits::kStorageStall) / 1000);
    set(CURLOPT_CUSTOMREQUEST, call.method.c_str());
    if (call.method == "HEAD") set(CURLOPT_NOBODY, 1L);
    if (transfer.from) {
        set(CURLOPT_UPLOAD, 1L);
        set(CURLOPT_READFUNCTION, give_body);
        set(CURLOPT_READDATA, &transfer);
        set(CURLOPT_INFILESIZE_LARGE,
            static_cast<curl_off_t>(std::filesystem::file_size(call.from)));
    } else if (call.method == "POST" || call.method == "PUT") {
        set(CURLOPT_POSTFIELDS, call.body.c_str());
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    }
    set(CURLOPT_HEADERFUNCTION, take_header);
    set(CURLOPT_HEADERDATA, &transfer);
    set(CURLOPT_WRITEFUNCTION, take_body);
    set(CURLOPT_WRITEDATA, &transfer);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, look_at_end);
}

Result<HttpAnswer> HttpClient::perform(const HttpCall& call) {
    if (x_stopping) return Error(Errc::shutting_down, "this process is going away");
    Transfer transfer;
    transfer.curl = x_handle->curl;
    if (!call.from.empty()) {
        transfer.from.reset(std::fopen(call.from.c_str(), "rb"));
        if (!transfer.from) return Error(Errc::internal, "a file for the storage cannot be read");
    }
    if (!call.to.empty()) {
        transfer.to.reset(std::fopen(call.to.c_str(), "wb"));
        if (!transfer.to) return Error(Errc::unavailable, "a file cannot be written");
    }
    curl_slist* lines = nullptr;
    for (const auto& [name, value] : call.headers)
        lines = ::curl_slist_append(lines, (name + ": " + value).c_str());
    // Not asked for: a wait for 100, and types that nobody has signed.
    for (const char* line : {"Expect:", "Accept:"}) lines = ::curl_slist_append(lines, line);
    const bool typed = std::any_of(call.headers.begin(), call.headers.end(),
                                   [](const auto& h) { return h.first == "content-type"; });
    if (!typed) lines = ::curl_slist_append(lines, "Content-Type:");
    const List headers(lines);

    x_handle->set_up(call, transfer, lines);
    ::curl_easy_setopt(x_handle->curl, CURLOPT_XFERINFODATA,
                       const_cast<std::atomic<bool>*>(&x_stopping));
    const CURLcode code = ::curl_easy_perform(x_handle->curl);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return Error(Errc::shutting_down, "this process is going away");
    if (code != CURLE_OK) return unavailable(::curl_easy_strerror(code));
    long status = 0;
    ::curl_easy_getinfo(x_handle->curl, CURLINFO_RESPONSE_CODE, &status);
    transfer.answer.status = static_cast<int>(status);
    if (transfer.to && std::fflush(transfer.to.get()) != 0)
        return Error(Errc::unavailable, "a file cannot be written");
    return std::move(transfer.answer);
}

} // namespace parley::s3
