#include "api/web.hpp"

#include <cstdint>
#include <cstdio>
#include <memory>

namespace parley::api {

namespace {

struct Encoded {
    std::string_view bytes, coding; // coding "": as it is
};

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    return text;
}

Encoded encoded(const WebFile& file, std::string_view accept_encoding) {
    if (!file.brotli.empty() && accepts(accept_encoding, "br")) return {file.brotli, "br"};
    if (!file.gzip.empty() && accepts(accept_encoding, "gzip")) return {file.gzip, "gzip"};
    return {file.bytes, ""};
}

// If-None-Match (RFC 9110, section 13.1.2): a list of tags, or *; weak ones compare alike.
bool matches(std::string_view header, std::string_view etag) {
    while (!header.empty()) {
        const std::size_t comma = std::min(header.find(','), header.size());
        std::string_view tag = trimmed(header.substr(0, comma));
        header.remove_prefix(std::min(comma + 1, header.size()));
        if (tag.starts_with("W/")) tag.remove_prefix(2);
        if (tag == "*" || tag == etag) return true;
    }
    return false;
}

Task<Result<net::HttpResponse>> answer_file(const WebFile* file,
                                            std::shared_ptr<const std::string> policy,
                                            RequestContext context) {
    co_return serve_file(*file, *policy, context.request);
}

} // namespace

bool accepts(std::string_view accept_encoding, std::string_view coding) {
    while (!accept_encoding.empty()) {
        const std::size_t comma = std::min(accept_encoding.find(','), accept_encoding.size());
        const std::string_view entry = accept_encoding.substr(0, comma);
        accept_encoding.remove_prefix(std::min(comma + 1, accept_encoding.size()));
        const std::size_t semicolon = std::min(entry.find(';'), entry.size());
        if (trimmed(entry.substr(0, semicolon)) != coding) continue;
        const std::string_view weight = entry.substr(semicolon);
        return weight.find_first_not_of("; \tq=0.") != weight.npos || weight.empty();
    }
    return false;
}

std::string content_security_policy(const std::string& file_origins) {
    const std::string files = file_origins.empty() ? "" : " " + file_origins;
    return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:" +
           files + "; media-src 'self' blob:" + files + "; connect-src 'self'" + files +
           "; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
           "frame-ancestors 'none'";
}

net::HttpResponse serve_file(const WebFile& file, const std::string& policy,
                             const net::HttpRequest& request) {
    const Encoded chosen = encoded(file, request.joined("accept-encoding"));
    std::string tag(file.etag);
    if (!chosen.coding.empty()) tag.insert(tag.size() - 1, "-" + std::string(chosen.coding));
    net::HttpResponse response;
    response.content_type = file.content_type;
    response.headers = {
        {"ETag", tag},
        {"Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache"},
        {"Content-Security-Policy", policy},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"}};
    if (!file.gzip.empty() || !file.brotli.empty())
        response.headers.emplace_back("Vary", "Accept-Encoding");
    if (!chosen.coding.empty()) response.headers.emplace_back("Content-Encoding", chosen.coding);
    if (matches(request.header("if-none-match"), tag))
        response.status = 304;
    else
        response.static_body = chosen.bytes;
    return response;
}

void add_web_routes(Router& router, std::span<const WebFile> files,
                    const std::string& file_origins) {
    const auto policy = std::make_shared<const std::string>(content_security_policy(file_origins));
    for (const WebFile& file : files) {
        Handler handler = [&file, policy](RequestContext context) {
            return answer_file(&file, policy, std::move(context));
        };
        router.add("GET", file.path, std::move(handler), Access::anyone);
    }
}

} // namespace parley::api
