// Endpoint: what the signed URLs of the disk store lead to. Uploads are streamed to a file and
// downloads out of it; neither is ever whole in memory.
//
//   PUT   /media/put/TOKEN   the whole file, once, begun before the URL expires
//   HEAD, PATCH, OPTIONS     the same URL by tus 1.0 (core): what was begun in time may go on for
//                            limits::kMediaResumeLife
//   GET, HEAD /media/get/TOKEN   one range, conditions, always with nosniff and a sandbox
//
// Threading: its core. Owner: app/wiring, one for each core. Shutdown: net waits for handlers.
#pragma once

#include "adapters/disk/store.hpp"
#include "base/metrics.hpp"
#include "net/http.hpp"
#include "ports/clock.hpp"

namespace parley::disk {

class Endpoint final : public net::HttpHandler {
public:
    Endpoint(Store& store, const ports::Clock& clock, Metrics& metrics);

    static bool serves(std::string_view path);
    bool streams(std::string_view method, std::string_view path) const override;
    Task<net::HttpResponse> handle(net::HttpRequest request) override;

private:
    using Answer = Task<Result<net::HttpResponse>>;
    Answer answer(net::HttpRequest& request);
    Answer put(const net::HttpRequest& request, const ports::UploadTerms& terms);
    Answer patch(const net::HttpRequest& request, const ports::UploadTerms& terms);
    Answer offset(const ports::UploadTerms& terms);
    Answer get(const net::HttpRequest& request, const ports::DownloadTerms& terms);
    Task<Result<std::shared_ptr<Incoming>>> begin(std::string key, Files::Begin how);
    // The request's body to the end of the file.
    Task<Result<void>> receive(std::shared_ptr<net::BodyStream> stream,
                               std::shared_ptr<Incoming> incoming);
    Task<Result<void>> finish(std::shared_ptr<Incoming> incoming, const ports::UploadTerms& terms);

    Store& x_store;
    const ports::Clock& x_clock;
    Counter &x_received, &x_uploads, &x_refused, &x_downloads;
};

} // namespace parley::disk
