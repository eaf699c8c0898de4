#include "api/web.hpp"

#include <cstdint>
#include <cstdio>

namespace parley::api {

namespace {

constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// If-None-Match (RFC 9110, section 13.1.2): a list of tags, or *; weak ones compare alike.
bool matches(std::string_view header, std::string_view etag) {
    while (!header.empty()) {
        const std::size_t comma = std::min(header.find(','), header.size());
        std::string_view tag = header.substr(0, comma);
        header.remove_prefix(std::min(comma + 1, header.size()));
        while (tag.starts_with(' ')) tag.remove_prefix(1);
        while (tag.ends_with(' ')) tag.remove_suffix(1);
        if (tag.starts_with("W/")) tag.remove_prefix(2);
        if (tag == "*" || tag == etag) return true;
    }
    return false;
}

Task<Result<net::HttpResponse>> answer_file(const WebFile* file, std::string etag,
                                            RequestContext context) {
    co_return serve_file(*file, etag, context.request);
}

} // namespace

// FNV-1a, 64 bits: it tells versions apart, and guards nothing.
std::string etag_of(std::string_view bytes) {
    std::uint64_t hash = 0xCBF29CE484222325ull;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
    char text[24];
    std::snprintf(text, sizeof text, "\"%016llx\"", static_cast<unsigned long long>(hash));
    return text;
}

net::HttpResponse serve_file(const WebFile& file, std::string_view etag,
                             const net::HttpRequest& request) {
    net::HttpResponse response;
    response.content_type = file.content_type;
    response.headers = {{"ETag", std::string(etag)},
                        {"Cache-Control", "no-cache"},
                        {"Content-Security-Policy", kContentSecurityPolicy},
                        {"Referrer-Policy", "no-referrer"},
                        {"Cross-Origin-Opener-Policy", "same-origin"}};
    if (matches(request.header("if-none-match"), etag))
        response.status = 304;
    else
        response.static_body = file.bytes;
    return response;
}

void add_web_routes(Router& router, std::span<const WebFile> files) {
    for (const WebFile& file : files) {
        Handler handler = [&file, etag = etag_of(file.bytes)](RequestContext context) {
            return answer_file(&file, etag, std::move(context));
        };
        router.add("GET", file.path, std::move(handler), Access::anyone);
    }
}

} // namespace parley::api
