#include "net/proxies.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <stdexcept>

namespace parley::net {

namespace {

constexpr unsigned kMappedBits = 96; // of ::ffff:0:0/96

std::string_view trim_blanks(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    return text;
}

// "[v6]:port", "[v6]", "v4:port" or the bare address.
std::string_view without_port(std::string_view text) {
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        return end == std::string_view::npos ? std::string_view{} : text.substr(1, end - 1);
    }
    if (std::count(text.begin(), text.end(), ':') == 1) return text.substr(0, text.find(':'));
    return text;
}

} // namespace

std::optional<TrustedProxies::Bytes> TrustedProxies::parse(std::string_view address) {
    const std::string text(address);
    Bytes bytes{};
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
    bytes[10] = bytes[11] = 0xFF;
    if (::inet_pton(AF_INET, text.c_str(), bytes.data() + 12) == 1) return bytes;
    return std::nullopt;
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& entries) {
    for (const std::string& entry : entries) {
        const std::size_t slash = std::min(entry.find('/'), entry.size());
        const auto address = parse(std::string_view(entry).substr(0, slash));
        const bool is_v4 = entry.find(':') == std::string::npos;
        unsigned bits = is_v4 ? 32 : 128;
        bool good = address.has_value();
        if (slash != entry.size()) {
            const unsigned most = bits;
            const char* const end = entry.data() + entry.size();
            const auto [rest, error] = std::from_chars(entry.data() + slash + 1, end, bits);
            good = good && error == std::errc{} && rest == end && bits <= most;
        }
        if (!good)
            throw std::runtime_error("trusted proxy '" + entry +
                                     "' is not an IP address or a CIDR block");
        x_blocks.push_back({*address, is_v4 ? kMappedBits + bits : bits});
    }
}

bool TrustedProxies::trusts(const Bytes& address) const {
    return std::any_of(x_blocks.begin(), x_blocks.end(), [&](const Block& block) {
        const unsigned whole = block.prefix_bits / 8, rest = block.prefix_bits % 8;
        if (!std::equal(address.begin(), address.begin() + whole, block.address.begin()))
            return false;
        return rest == 0 || (address[whole] ^ block.address[whole]) >> (8 - rest) == 0;
    });
}

bool TrustedProxies::trusts(std::string_view address) const {
    const auto bytes = parse(address);
    return bytes && trusts(*bytes);
}

void TrustedProxies::resolve(HttpRequest& request, const std::string& peer,
                             bool peer_uses_tls) const {
    request.peer_address = peer;
    request.tls = peer_uses_tls;
    if (x_blocks.empty() || !trusts(peer)) return;
    std::string chain;
    for (const auto& [name, value] : request.headers) {
        if (name == "x-forwarded-for") chain += (chain.empty() ? "" : ",") + value;
        if (name == "x-forwarded-proto") request.tls = value == "https";
    }
    // Each proxy appends the address that it saw: from the right, the first one that is not a proxy
    // of ours is the client; everything to its left may be invented.
    std::string_view rest = chain;
    while (!rest.empty()) {
        const std::size_t comma = rest.rfind(',');
        const std::string_view item = without_port(
            trim_blanks(comma == std::string_view::npos ? rest : rest.substr(comma + 1)));
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(0, comma);
        const auto address = parse(item);
        if (!address) return;
        request.peer_address = item;
        if (!trusts(*address)) return;
    }
}

} // namespace parley::net
