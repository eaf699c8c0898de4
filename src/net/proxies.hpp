// Who the client is when a proxy stands in front: X-Forwarded-For and -Proto count only from peers
// that the operator named. Pure. Threading: const after construction, any thread.
#pragma once

#include "net/http.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::net {

class TrustedProxies {
public:
    TrustedProxies() = default;
    // Addresses or CIDR blocks, IPv4 or IPv6. Throws std::runtime_error that names a bad entry.
    explicit TrustedProxies(const std::vector<std::string>& entries);

    bool trusts(std::string_view address) const;
    // Sets peer_address and tls of `request`, which came from `peer` over a connection of ours.
    void resolve(HttpRequest& request, const std::string& peer, bool peer_uses_tls) const;

private:
    using Bytes = std::array<std::uint8_t, 16>; // IPv4 as ::ffff:a.b.c.d
    struct Block {
        Bytes address;
        unsigned prefix_bits;
    };
    static std::optional<Bytes> parse(std::string_view address);
    bool trusts(const Bytes& address) const;
    std::vector<Block> x_blocks;
};

} // namespace parley::net
