#include "net/ws_handshake.hpp"

#include "base/assert.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

namespace parley::net {

namespace {

constexpr std::string_view kVersion = "13";
constexpr std::size_t kKeyText = 24; // base64 of 16 bytes

HttpResponse refusal(int status, std::string_view code, std::string_view detail) {
    HttpResponse answer = make_problem(status, code, detail);
    answer.close = true;
    return answer;
}

bool is_base64_of_16_bytes(std::string_view key) {
    if (key.size() != kKeyText || !key.ends_with("==")) return false;
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return key.find_first_not_of(digits) == kKeyText - 2;
}

} // namespace

std::optional<HttpResponse> refuse_handshake(const ParsedRequest& parsed) {
    const HttpRequest& request = parsed.request;
    const std::string_view upgrade = request.header("upgrade");
    if (upgrade.empty()) {
        if (request.method != "GET") {
            HttpResponse answer = refusal(405, "method_not_allowed", "This path takes GET only.");
            answer.headers.emplace_back("Allow", "GET");
            return answer;
        }
        HttpResponse answer =
            refusal(426, "upgrade_required", "This path speaks WebSocket: send an Upgrade header.");
        answer.headers.emplace_back("Upgrade", "websocket");
        answer.headers.emplace_back("Sec-WebSocket-Version", kVersion);
        return answer;
    }
    constexpr std::string_view code = "bad_handshake";
    if (request.method != "GET") return refusal(400, code, "A handshake is a GET.");
    if (!parsed.http_1_1) return refusal(400, code, "A handshake needs HTTP/1.1.");
    if (parsed.has_body) return refusal(400, code, "A handshake has no body.");
    if (!has_token(upgrade, "websocket"))
        return refusal(400, code, "The Upgrade header does not name websocket.");
    if (!has_token(request.header("connection"), "upgrade"))
        return refusal(400, code, "The Connection header does not name Upgrade.");
    if (request.header("sec-websocket-version") != kVersion) {
        HttpResponse answer = refusal(426, "unsupported_version", "This server speaks version 13.");
        answer.headers.emplace_back("Upgrade", "websocket");
        answer.headers.emplace_back("Sec-WebSocket-Version", kVersion);
        return answer;
    }
    if (!is_base64_of_16_bytes(request.header("sec-websocket-key")))
        return refusal(400, code, "Sec-WebSocket-Key is not the base64 of 16 bytes.");
    return std::nullopt;
}

std::string accept_key(std::string_view key) {
    std::string text(key);
    text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455 section 1.3
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
    unsigned size = 0;
    const int done =
        EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
    PARLEY_ASSERT(done == 1 && size == digest.size());
    std::array<unsigned char, 4 * ((SHA_DIGEST_LENGTH + 2) / 3) + 1> base64;
    const int length = EVP_EncodeBlock(base64.data(), digest.data(), SHA_DIGEST_LENGTH);
    return {reinterpret_cast<const char*>(base64.data()), static_cast<std::size_t>(length)};
}

std::string switching_protocols(std::string_view key, std::string_view subprotocol,
                                std::string_view extensions, std::string_view date) {
    std::string out = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nDate: ";
    out += date;
    out += "\r\nSec-WebSocket-Accept: ";
    out += accept_key(key);
    if (!subprotocol.empty()) {
        out += "\r\nSec-WebSocket-Protocol: ";
        out += subprotocol;
    }
    if (!extensions.empty()) {
        out += "\r\nSec-WebSocket-Extensions: ";
        out += extensions;
    }
    out += "\r\n\r\n";
    return out;
}

} // namespace parley::net
