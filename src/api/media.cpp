#include "api/media.hpp"

#include "api/json.hpp"
#include "protocol/v1/server_frame.hpp"

namespace parley::api {

namespace {

using protocol::v1::append_id;
using protocol::v1::append_string;

// {"method", "url", "headers"}, without the closing brace.
void append_request(std::string& out, const net::HttpRequest& asked,
                    const ports::SignedRequest& request) {
    out += R"({"method":)";
    append_string(out, request.method);
    out += R"(,"url":)";
    append_string(out, absolute_url(asked, request.url));
    out += R"(,"headers":{)";
    for (const auto& [name, value] : request.headers) {
        if (out.back() != '{') out += ',';
        append_string(out, name);
        out += ':';
        append_string(out, value);
    }
    out += '}';
}

void append_parts(std::string& out, const net::HttpRequest& asked, const model::Media& media,
                  const ports::UploadTicket& upload) {
    out += R"(,"part_size":)" + std::to_string(upload.part_size) + R"(,"parts":[)";
    for (const auto& part : upload.parts) {
        if (out.back() == '}') out += ',';
        append_request(out, asked, part.request);
        out += R"(,"number":)" + std::to_string(part.number) + "}";
    }
    out += R"(],"complete":)";
    ports::SignedRequest complete;
    complete.method = "POST";
    complete.url = "/v1/media/" + media.id.to_string() + "/complete";
    append_request(out, asked, upload.complete.value_or(complete));
    out += '}';
}

Result<service::MediaOffer> offer_of(const net::HttpRequest& request) {
    PARLEY_TRY(const JsonBody body, JsonBody::parse(request.body));
    service::MediaOffer offer;
    PARLEY_TRY(offer.filename, body.text("filename"));
    PARLEY_TRY(offer.content_type, body.text("content_type"));
    PARLEY_TRY(offer.size, body.size("size"));
    PARLEY_TRY(auto sha256, body.optional_text("sha256"));
    offer.sha256 = std::move(sha256).value_or(std::string());
    return offer;
}

net::HttpResponse ticket_answer(const net::HttpRequest& asked,
                                const service::MediaTicket& ticket) {
    const ports::UploadTicket& upload = ticket.upload;
    net::HttpResponse response;
    response.status = 201;
    std::string& out = response.body;
    out = R"({"media_id":)";
    append_id(out, ticket.media.id.value);
    out += R"(,"upload":)";
    append_request(out, asked, upload.whole);
    if (!upload.parts.empty()) append_parts(out, asked, ticket.media, upload);
    if (upload.resumable) out += R"(,"resumable":"tus")";
    out += R"(,"expires_at":")" + model::to_rfc3339(upload.expires_at) + R"("},"url":)";
    append_string(out, absolute_url(asked, "/v1/media/" + ticket.media.id.to_string()));
    out += '}';
    return response;
}

} // namespace

std::string absolute_url(const net::HttpRequest& request, std::string_view url) {
    const std::string_view host = request.header("host");
    if (!url.starts_with('/') || host.empty()) return std::string(url);
    return (request.tls ? "https://" : "http://") + std::string(host) + std::string(url);
}

MediaRoutes::MediaRoutes(service::Media* media, Router& router) : x_media(media) {
    const auto to = [this](Answer (MediaRoutes::*method)(RequestContext)) -> Handler {
        return
            [this, method](RequestContext context) { return (this->*method)(std::move(context)); };
    };
    router.add("POST", "/v1/rooms/{room_id}/media", to(&MediaRoutes::ticket));
    router.add("POST", "/v1/me/avatar", to(&MediaRoutes::avatar_ticket));
    router.add("POST", "/v1/media/{media_id}/complete", to(&MediaRoutes::complete));
    router.add("GET", "/v1/media/{media_id}", to(&MediaRoutes::download));
}

MediaRoutes::Answer MediaRoutes::ticket(RequestContext context) {
    PARLEY_CO_CHECK(context.rates->ticket());
    PARLEY_CO_TRY(service::MediaOffer offer, offer_of(context.request));
    if (!x_media) co_return Errc::media_not_available;
    PARLEY_CO_TRY(
        const service::MediaTicket ticket,
        co_await x_media->ticket(context.caller.user_id, context.room_id, std::move(offer)));
    co_return ticket_answer(context.request, ticket);
}

MediaRoutes::Answer MediaRoutes::avatar_ticket(RequestContext context) {
    PARLEY_CO_CHECK(context.rates->ticket());
    PARLEY_CO_TRY(service::MediaOffer offer, offer_of(context.request));
    if (!x_media) co_return Errc::media_not_available;
    PARLEY_CO_TRY(const service::MediaTicket ticket,
                  co_await x_media->avatar_ticket(context.caller.user_id, std::move(offer)));
    co_return ticket_answer(context.request, ticket);
}

MediaRoutes::Answer MediaRoutes::complete(RequestContext context) {
    PARLEY_CO_CHECK(context.rates->send());
    if (!x_media) co_return Errc::media_not_available;
    PARLEY_CO_CHECK(co_await x_media->complete(context.caller.user_id, context.media_id));
    net::HttpResponse response;
    response.status = 204;
    co_return response;
}

MediaRoutes::Answer MediaRoutes::download(RequestContext context) {
    const auto size = context.request.query_value("size");
    model::MediaVariant variant = model::MediaVariant::original;
    if (size == "small")
        variant = model::MediaVariant::small;
    else if (size == "large")
        variant = model::MediaVariant::large;
    else if (size && *size != "original")
        co_return invalid_field("size", "small, large or original");
    if (!x_media) co_return Errc::unknown_media;
    PARLEY_CO_TRY(const std::string url,
                  co_await x_media->download(context.caller.user_id, context.media_id, variant));
    net::HttpResponse response;
    response.status = 302;
    response.headers.emplace_back("Location", absolute_url(context.request, url));
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    co_return response;
}

} // namespace parley::api
