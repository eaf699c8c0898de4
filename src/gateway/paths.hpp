// Paths: the one acceptor that net asks, which gives each handshake to the surface that its path
// belongs to.
//
// Threading: its core. Owner: app/wiring, after the surfaces.
#pragma once

#include "net/websocket.hpp"

#include <vector>

namespace parley::gateway {

class Paths final : public net::WebSocketAcceptor {
public:
    explicit Paths(std::vector<net::WebSocketAcceptor*> surfaces)
        : x_surfaces(std::move(surfaces)) {}

    bool serves(std::string_view path) const override { return find(path) != nullptr; }
    Verdict on_handshake(const net::HttpRequest& request) override {
        return find(request.path)->on_handshake(request);
    }
    Task<Verdict> decide(net::HttpRequest request) override {
        net::WebSocketAcceptor* const surface = find(request.path);
        return surface->decide(std::move(request));
    }

private:
    net::WebSocketAcceptor* find(std::string_view path) const {
        for (net::WebSocketAcceptor* surface : x_surfaces)
            if (surface->serves(path)) return surface;
        return nullptr;
    }
    const std::vector<net::WebSocketAcceptor*> x_surfaces;
};

} // namespace parley::gateway
