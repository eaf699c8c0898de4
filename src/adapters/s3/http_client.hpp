// HttpClient: one request at a time to the storage of media or its cache, by libcurl, with its
// connection kept open.
//
// Threading: one thread at a time; calls block. Owner: a worker of the object store. Bounds:
// time-outs and sizes in limits::kStorage*. Shutdown: the destructor closes the connection; stop()
// of any client, from any thread, makes a running transfer fail within a second.
#pragma once

#include "adapters/s3/signer.hpp"
#include "base/result.hpp"

#include <atomic>
#include <filesystem>
#include <memory>

namespace parley::s3 {

struct HttpCall {
    std::string method, url;
    Fields headers;
    std::string body;                // unless there is a file
    std::filesystem::path from = {}; // a file that is sent
    std::filesystem::path to = {};   // a file, made for it, that a 2xx answer's body goes to
};

struct HttpAnswer {
    int status = 0;
    Fields headers; // names in lower case
    std::string body;

    std::string_view header(std::string_view name) const; // "" without
    bool is_good() const { return status >= 200 && status < 300; }
};

class HttpClient {
public:
    explicit HttpClient(const std::atomic<bool>& stopping);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // Any answer, whatever its status. media_unavailable: there was none in time.
    Result<HttpAnswer> perform(const HttpCall& call);

private:
    struct Handle;
    std::unique_ptr<Handle> x_handle;
    const std::atomic<bool>& x_stopping;
};

} // namespace parley::s3
