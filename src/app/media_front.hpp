// MediaFront: what a core serves by HTTP where this process stores files itself: signed URLs go to
// the store's endpoint, everything else to the API.
//
// Threading: its core. Owner: app/application. Shutdown: net waits for handlers.
#pragma once

#include "adapters/disk/endpoint.hpp"
#include "api/api.hpp"

#include <memory>

namespace parley::app {

class MediaFront final : public net::HttpHandler {
public:
    // `files`: null where other servers have the files.
    MediaFront(api::Api& api, std::unique_ptr<disk::Endpoint> files)
        : x_api(api), x_files(std::move(files)) {}

    Task<net::HttpResponse> handle(net::HttpRequest request) override {
        if (x_files && disk::Endpoint::serves(request.path))
            return x_files->handle(std::move(request));
        return x_api.handle(std::move(request));
    }
    bool streams(std::string_view method, std::string_view path) const override {
        return x_files && x_files->streams(method, path);
    }
    net::HttpResponse refusal(std::string_view path, net::HttpResponse refused) override {
        return x_api.refusal(path, std::move(refused));
    }

private:
    api::Api& x_api;
    const std::unique_ptr<disk::Endpoint> x_files;
};

} // namespace parley::app
