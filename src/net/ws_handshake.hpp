// The WebSocket opening handshake, RFC 6455 section 4.2, server side. Pure.
#pragma once

#include "net/http_codec.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace parley::net {

// The answer to a request that is no well-formed opening handshake: 400, or 426 with the version
// that is spoken here, or 405 for another method without an upgrade. nullopt: it is well-formed.
std::optional<HttpResponse> refuse_handshake(const ParsedRequest& parsed);
// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string accept_key(std::string_view key);
// The whole 101 answer; "" for no subprotocol and no extensions.
std::string switching_protocols(std::string_view key, std::string_view subprotocol,
                                std::string_view extensions, std::string_view date);

} // namespace parley::net
