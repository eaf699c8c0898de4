#include "adapters/disk/endpoint.hpp"

#include "adapters/disk/http_range.hpp"
#include "base/hex.hpp"
#include "base/limits.hpp"
#include "base/media_limits.hpp"
#include "net/http_codec.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <charconv>
#include <fcntl.h>
#include <unistd.h>

namespace parley::disk {
namespace {

constexpr const char* kTusVersion = "1.0.0";

int status_of(Errc code) {
    switch (code) {
    case Errc::forbidden:
        return 403;
    case Errc::media_not_uploaded:
    case Errc::unknown_media:
        return 404;
    case Errc::media_mismatch:
        return 409;
    case Errc::media_too_large:
        return 413;
    case Errc::media_type_not_allowed:
        return 415;
    case Errc::invalid_field:
        return 422;
    case Errc::media_storage_full:
        return 507;
    default:
        return 503;
    }
}

net::HttpResponse problem_of(const Error& error) {
    return net::make_problem(status_of(error.code), name_of(error.code), error.detail);
}

net::HttpResponse empty(int status) {
    net::HttpResponse response;
    response.status = status;
    response.content_type.clear();
    return response;
}

net::HttpResponse tus_answer(int status, std::uint64_t offset, std::uint64_t length) {
    net::HttpResponse response = empty(status);
    response.headers.emplace_back("Tus-Resumable", kTusVersion);
    response.headers.emplace_back("Upload-Offset", std::to_string(offset));
    response.headers.emplace_back("Upload-Length", std::to_string(length));
    return response;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

// RFC 6266 with RFC 8187: an ASCII name for old clients, the whole one besides.
std::string disposition(const ports::DownloadTerms& terms) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string plain, encoded;
    for (const char c : terms.filename) {
        const auto byte = static_cast<unsigned char>(c);
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
        plain += byte < 0x20 || byte >= 0x7F || c == '"' || c == '\\' ? '_' : c;
        if (letter) {
            encoded += c;
        } else {
            encoded += '%';
            encoded += kHex[byte >> 4];
            encoded += kHex[byte & 15];
        }
    }
    return std::string(terms.shown_inline ? "inline" : "attachment") + "; filename=\"" + plain +
           "\"; filename*=UTF-8''" + encoded;
}

} // namespace

Endpoint::Endpoint(Store& store, const ports::Clock& clock, Metrics& metrics)
    : x_store(store),
      x_clock(clock),
      x_received(metrics.counter("parley_media_received_bytes_total", "Bytes of uploads")),
      x_uploads(metrics.counter("parley_media_uploads_total", "Uploads that were finished")),
      x_refused(metrics.counter("parley_media_refused_total",
                                "Requests to signed URLs that were refused, or broke off")),
      x_downloads(metrics.counter("parley_media_downloads_total", "Downloads that began")) {}

bool Endpoint::serves(std::string_view path) {
    return path.starts_with(kPutPrefix) || path.starts_with(kGetPrefix);
}

bool Endpoint::streams(std::string_view method, std::string_view path) const {
    return (method == "PUT" || method == "PATCH") && path.starts_with(kPutPrefix);
}

Task<net::HttpResponse> Endpoint::handle(net::HttpRequest request) {
    auto answered = co_await answer(request);
    if (answered) co_return std::move(*answered);
    x_refused.add();
    co_return problem_of(answered.error());
}

Endpoint::Answer Endpoint::answer(net::HttpRequest& request) {
    const std::string_view path = request.path, method = request.method;
    if (path.starts_with(kGetPrefix)) {
        PARLEY_CO_TRY(const auto terms,
                      x_store.urls().read_download(path.substr(kGetPrefix.size())));
        if (method != "GET" && method != "HEAD") {
            net::HttpResponse response =
                net::make_problem(405, "method_not_allowed", "A download is a GET.");
            response.headers.emplace_back("Allow", "GET, HEAD");
            co_return response;
        }
        if (x_clock.now() > terms.expires_at)
            co_return Error(Errc::forbidden, "This URL has expired. Ask for a new one.");
        co_return co_await get(request, terms);
    }
    PARLEY_CO_TRY(const auto terms, x_store.urls().read_upload(path.substr(kPutPrefix.size())));
    if (method == "PUT") co_return co_await put(request, terms);
    if (method == "PATCH") co_return co_await patch(request, terms);
    if (method == "HEAD") co_return co_await offset(terms);
    if (method == "OPTIONS") {
        net::HttpResponse response = empty(204);
        response.headers.emplace_back("Tus-Resumable", kTusVersion);
        response.headers.emplace_back("Tus-Version", kTusVersion);
        response.headers.emplace_back("Tus-Max-Size", std::to_string(terms.size));
        co_return response;
    }
    net::HttpResponse response =
        net::make_problem(405, "method_not_allowed", "An upload is a PUT, or HEAD and PATCH.");
    response.headers.emplace_back("Allow", "PUT, HEAD, PATCH, OPTIONS");
    co_return response;
}

// --- uploads

Task<Result<std::shared_ptr<Incoming>>> Endpoint::begin(std::string key, Files::Begin how) {
    return x_store.pool().run(
        [&files = x_store.files(), key = std::move(key),
         how](std::size_t) -> Result<std::shared_ptr<Incoming>> { return files.begin(key, how); });
}

Task<Result<void>> Endpoint::receive(std::shared_ptr<net::BodyStream> stream,
                                     std::shared_ptr<Incoming> incoming) {
    const auto bytes = std::make_shared<std::string>(); // one piece is written while one comes
    for (;;) {
        PARLEY_CO_CHECK(co_await stream->read(*bytes));
        if (bytes->empty()) break;
        x_received.add(bytes->size());
        const bool large = bytes->size() >= limits::kDiskDirectLeast;
        auto writing = x_store.pool().run([incoming, bytes, large](std::size_t) -> Result<void> {
            if (!large) incoming->digest(*bytes);
            return incoming->append(*bytes);
        });
        if (!large) {
            PARLEY_CO_CHECK(co_await std::move(writing));
            continue;
        }
        auto hashing = x_store.pool().run([incoming, bytes](std::size_t) -> Result<void> {
            incoming->digest(*bytes);
            return {};
        });
        using namespace boost::asio::experimental::awaitable_operators;
        auto both = std::move(writing) && std::move(hashing);
        const auto [written, hashed] = co_await std::move(both);
        PARLEY_CO_CHECK(written);
        PARLEY_CO_CHECK(hashed);
    }
    auto flushing =
        x_store.pool().run([incoming](std::size_t) -> Result<void> { return incoming->flush(); });
    if (incoming->has_tail()) co_return co_await std::move(flushing);
    co_return Result<void>{};
}

Task<Result<void>> Endpoint::finish(std::shared_ptr<Incoming> incoming,
                                    const ports::UploadTerms& terms) {
    auto finishing = x_store.pool().run([&files = x_store.files(), incoming, key = terms.key,
                                         sha256 = terms.sha256,
                                         type = terms.content_type](std::size_t) -> Result<void> {
        return files.finish(key, *incoming, sha256, type);
    });
    PARLEY_CO_CHECK(co_await std::move(finishing));
    x_uploads.add();
    co_return Result<void>{};
}

Endpoint::Answer Endpoint::put(const net::HttpRequest& request, const ports::UploadTerms& terms) {
    if (x_clock.now() > terms.expires_at)
        co_return Error(Errc::forbidden, "This URL has expired. Ask for a new one.");
    const bool open = terms.content_type == ports::kOpenContentType;
    if (!open && request.header("content-type") != terms.content_type)
        co_return Error(Errc::forbidden, "Send the Content-Type that was announced.");
    if (request.stream->size() > terms.size)
        co_return Error(Errc::media_too_large, "The body is longer than was announced.");
    if (!open && request.stream->size() < terms.size)
        co_return Error(Errc::invalid_field, "The body is shorter than was announced.");
    PARLEY_CO_TRY(const auto incoming, co_await begin(terms.key, Files::Begin::fresh));
    auto received = co_await receive(request.stream, incoming);
    if (!received && received.error().code == Errc::media_storage_full) {
        auto discarding = x_store.pool().run(
            [&files = x_store.files(), key = terms.key](std::size_t) -> Result<void> {
                files.discard(key);
                return {};
            });
        static_cast<void>(co_await std::move(discarding));
    }
    if (!received) co_return received.error();
    PARLEY_CO_CHECK(co_await finish(incoming, terms));
    co_return empty(200);
}

Endpoint::Answer Endpoint::offset(const ports::UploadTerms& terms) {
    auto asking = x_store.pool().run(
        [&files = x_store.files(), key = terms.key](std::size_t) -> Result<std::uint64_t> {
            if (const auto info = files.info(key)) return info->size;
            return files.incoming_size(key);
        });
    const auto size = co_await std::move(asking);
    if (!size && size.error().code != Errc::media_not_uploaded) co_return size.error();
    co_return tus_answer(200, size ? *size : 0, terms.size);
}

Endpoint::Answer Endpoint::patch(const net::HttpRequest& request, const ports::UploadTerms& terms) {
    if (request.header("content-type") != "application/offset+octet-stream")
        co_return Error(Errc::media_type_not_allowed,
                        "A PATCH carries application/offset+octet-stream.");
    const auto wanted = number(request.header("upload-offset"));
    if (!wanted) co_return Error(Errc::invalid_field, "Upload-Offset is not a number.");
    const model::Time now = x_clock.now();
    const auto life = std::chrono::milliseconds(limits::kMediaResumeLife).count();
    if (now.ms > terms.expires_at.ms + (*wanted > 0 ? life : 0))
        co_return Error(Errc::forbidden, "This URL has expired. Ask for a new one.");
    if (*wanted > terms.size || request.stream->size() > terms.size - *wanted)
        co_return Error(Errc::media_too_large, "The body is longer than was announced.");
    PARLEY_CO_TRY(const auto incoming, co_await begin(terms.key, Files::Begin::resume));
    if (incoming->size() != *wanted)
        co_return Error(Errc::media_mismatch, "Upload-Offset is not what is there; ask by HEAD.");
    PARLEY_CO_CHECK(co_await receive(request.stream, incoming));
    if (incoming->size() == terms.size) {
        PARLEY_CO_CHECK(co_await finish(incoming, terms));
    }
    co_return tus_answer(204, incoming->size(), terms.size);
}

// --- downloads

Endpoint::Answer Endpoint::get(const net::HttpRequest& request, const ports::DownloadTerms& terms) {
    struct Opened {
        StoredInfo info;
        int descriptor = -1;
    };
    auto opening = x_store.pool().run(
        [&files = x_store.files(), key = terms.key](std::size_t) -> Result<Opened> {
            PARLEY_TRY(StoredInfo info, files.info(key));
            PARLEY_TRY(const int descriptor, files.open(key));
            ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
            return Opened{std::move(info), descriptor};
        });
    auto opened = co_await std::move(opening);
    if (!opened && opened.error().code == Errc::media_not_uploaded)
        co_return Error(Errc::unknown_media, "There is no such file any more.");
    if (!opened) co_return opened.error();
    const StoredInfo& info = opened->info;
    const std::string tag = "\"" + to_hex(info.sha256) + "\"";
    net::HttpResponse response;
    response.content_type = terms.content_type;
    response.headers = {{"ETag", tag},
                        {"Last-Modified", to_http_date(info.modified)},
                        {"Accept-Ranges", "bytes"},
                        {"Cache-Control", "private, max-age=3600, immutable"},
                        {"Content-Disposition", disposition(terms)},
                        {"Content-Security-Policy", "default-src 'none'; sandbox"},
                        {"Cross-Origin-Resource-Policy", "same-site"},
                        {"Referrer-Policy", "no-referrer"}};
    const std::string_view known = request.header("if-none-match");
    const auto since = from_http_date(request.header("if-modified-since"));
    if (known.empty() ? since && info.modified <= *since : names_tag(known, tag)) {
        ::close(opened->descriptor);
        response.status = 304;
        co_return response;
    }
    const std::string_view same = request.header("if-range");
    RangeAnswer range;
    if (same.empty() || same == tag || same == to_http_date(info.modified))
        range = choose_range(request.header("range"), info.size);
    if (range.kind == RangeAnswer::Kind::unsatisfiable) {
        ::close(opened->descriptor);
        net::HttpResponse refused =
            net::make_problem(416, "range_not_satisfiable", "The file is not that long.");
        refused.headers.emplace_back("Content-Range", "bytes */" + std::to_string(info.size));
        co_return refused;
    }
    if (range.kind == RangeAnswer::Kind::whole) {
        range.range = {0, info.size};
    } else {
        response.status = 206;
        response.headers.emplace_back(
            "Content-Range", "bytes " + std::to_string(range.range.offset) + "-" +
                                 std::to_string(range.range.offset + range.range.size - 1) + "/" +
                                 std::to_string(info.size));
    }
    response.file =
        std::make_shared<net::FileBody>(opened->descriptor, range.range.offset, range.range.size);
    x_downloads.add();
    co_return response;
}

} // namespace parley::disk
