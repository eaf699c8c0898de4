#include "adapters/s3/object_store.hpp"

#include "base/cluster_limits.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace parley::s3 {
namespace {

// What stands between <name> and </name>, from `from` on; nothing where it is not there.
std::optional<std::string_view> element(std::string_view xml, const std::string& name,
                                        std::size_t from = 0) {
    const std::size_t begin = xml.find("<" + name + ">", from);
    if (begin == std::string_view::npos) return std::nullopt;
    const std::size_t first = begin + name.size() + 2;
    const std::size_t end = xml.find("</" + name + ">", first);
    if (end == std::string_view::npos) return std::nullopt;
    return xml.substr(first, end - first);
}

std::vector<std::string_view> elements(std::string_view xml, const std::string& name) {
    std::vector<std::string_view> found;
    std::size_t from = 0;
    while (const auto one = element(xml, name, from)) {
        found.push_back(*one);
        from = static_cast<std::size_t>(one->data() - xml.data()) + one->size();
    }
    return found;
}

std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else
            out += c;
    }
    return out;
}

// What is remembered of an upload in parts: COUNT:ID, and COUNT/MOST:ID where no signature says how
// many bytes may come.
struct Parts {
    std::uint64_t count = 0, bytes_max = UINT64_MAX;
    std::string id;
};

std::optional<Parts> parts_of(const std::string& upload_id) {
    const std::size_t colon = upload_id.find(':');
    if (colon == std::string::npos) return std::nullopt;
    const std::string_view counts = std::string_view(upload_id).substr(0, colon);
    Parts parts;
    parts.count = number(counts);
    parts.id = upload_id.substr(colon + 1);
    if (const auto slash = counts.find('/'); slash != std::string_view::npos)
        parts.bytes_max = number(counts.substr(slash + 1));
    return parts;
}

std::chrono::seconds life_of(model::Time now, model::Time end) {
    return std::max(std::chrono::seconds((end.ms - now.ms + 999) / 1000), std::chrono::seconds(1));
}

Error not_finished() {
    return {Errc::media_not_uploaded, "the upload is not finished: parts are missing"};
}

} // namespace

std::string content_disposition(const ports::DownloadTerms& terms) {
    std::string plain;
    for (const char c : terms.filename) {
        const bool shown = c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '%';
        plain += shown ? c : '_';
    }
    return std::string(terms.shown_inline ? "inline" : "attachment") + "; filename=\"" + plain +
           "\"; filename*=UTF-8''" + encoded(terms.filename);
}

ObjectStore::ObjectStore(const Settings& settings, const ports::Clock& clock, Logger& log,
                         Metrics& metrics)
    : x_storage(settings, clock, log, metrics),
      x_tickets(metrics.counter("parley_media_tickets_total", "Tickets for uploads")),
      x_purged(metrics.counter("parley_media_purged_total", "Files removed from the CDN's cache")) {
    if (settings.cdn.kind == CdnSettings::Kind::cloudfront)
        x_cloudfront.emplace(x_storage.settings().cdn);
}

ports::UploadTicket ObjectStore::whole(const ports::UploadTerms& terms) const {
    ports::UploadTicket ticket;
    ticket.expires_at = terms.expires_at;
    ticket.whole.method = "PUT";
    ticket.whole.headers = {{"content-type", terms.content_type}, {"if-none-match", "*"}};
    if (!terms.sha256.empty())
        ticket.whole.headers.emplace_back("x-amz-checksum-sha256", base64(terms.sha256));
    Fields signed_headers = ticket.whole.headers;
    signed_headers.emplace_back("content-length", std::to_string(terms.size));
    ticket.whole.url = x_storage.presign("PUT", terms.key, {}, std::move(signed_headers), terms.now,
                                         life_of(terms.now, terms.expires_at));
    return ticket;
}

Result<std::string> ObjectStore::begin_parts(std::size_t worker, const ports::UploadTerms& terms) {
    PARLEY_TRY(const HttpAnswer made,
               x_storage.call(worker, {.method = "POST",
                                       .key = terms.key,
                                       .query = {{"uploads", ""}},
                                       .headers = {{"content-type", terms.content_type}}}));
    const auto id = element(made.body, "UploadId");
    if (!id) return Error(Errc::media_unavailable, "the storage gave no upload");
    return std::string(*id);
}

// A client that sends just the bytes can be bound to no type, size or "only once" by headers. So
// its one PUT is a part: no object until complete(), which looks at the size, and none to write to
// after it.
Result<ports::UploadTicket> ObjectStore::open(std::size_t worker, const ports::UploadTerms& terms) {
    PARLEY_TRY(const std::string id, begin_parts(worker, terms));
    ports::UploadTicket ticket;
    ticket.expires_at = terms.expires_at;
    ticket.whole.method = "PUT";
    ticket.whole.url = x_storage.presign("PUT", terms.key, {{"partNumber", "1"}, {"uploadId", id}},
                                         {}, terms.now, life_of(terms.now, terms.expires_at));
    ticket.upload_id = "1/" + std::to_string(terms.size) + ":" + id;
    return ticket;
}

Result<ports::UploadTicket> ObjectStore::in_parts(std::size_t worker,
                                                  const ports::UploadTerms& terms) {
    PARLEY_TRY(const std::string id, begin_parts(worker, terms));
    const std::uint64_t least = (terms.size + limits::kStorageParts - 1) / limits::kStorageParts;
    ports::UploadTicket ticket;
    ticket.part_size = std::max<std::uint64_t>(limits::kStoragePartBytes, least);
    ticket.whole.method = "MULTIPART";
    ticket.expires_at =
        model::Time{terms.now.ms + std::chrono::milliseconds(limits::kStoragePartsLife).count()};
    const auto life = life_of(terms.now, ticket.expires_at);
    const std::uint64_t count = (terms.size + ticket.part_size - 1) / ticket.part_size;
    for (std::uint64_t i = 1; i <= count; ++i) {
        const std::uint64_t size =
            i < count ? ticket.part_size : terms.size - (count - 1) * ticket.part_size;
        const Fields query{{"partNumber", std::to_string(i)}, {"uploadId", id}};
        const Fields length{{"content-length", std::to_string(size)}};
        ticket.parts.push_back(
            {static_cast<std::uint32_t>(i),
             {"PUT", x_storage.presign("PUT", terms.key, query, length, terms.now, life), {}}});
    }
    ticket.upload_id = std::to_string(count) + ":" + id;
    return ticket;
}

Task<Result<ports::UploadTicket>> ObjectStore::ticket(ports::UploadTerms terms) {
    x_tickets.add();
    const bool is_open = terms.content_type == ports::kOpenContentType;
    if (!is_open && terms.size <= limits::kStorageWholeBytes) co_return whole(terms);
    auto making = x_storage.run([this, terms = std::move(terms), is_open](std::size_t worker) {
        return is_open ? open(worker, terms) : in_parts(worker, terms);
    });
    co_return co_await std::move(making);
}

Result<void> ObjectStore::complete(std::size_t worker, const std::string& key,
                                   const std::string& upload_id) {
    const auto parts = parts_of(upload_id);
    if (!parts) return not_finished();
    PARLEY_TRY(const HttpAnswer list,
               x_storage.call(worker, {.method = "GET",
                                       .key = key,
                                       .query = {{"max-parts", "1000"}, {"uploadId", parts->id}}}));
    std::map<std::uint64_t, std::string> tags;
    std::uint64_t bytes = 0;
    for (const std::string_view part : elements(list.body, "Part")) {
        const auto at = element(part, "PartNumber"), tag = element(part, "ETag");
        if (at && tag) tags[number(*at)] = *tag;
        if (const auto size = element(part, "Size")) bytes += number(*size);
    }
    if (bytes > parts->bytes_max)
        return Error(Errc::media_mismatch, "What was uploaded is longer than is taken.");
    std::string body = "<CompleteMultipartUpload>";
    for (std::uint64_t i = 1; i <= parts->count; ++i) {
        if (!tags.contains(i)) return not_finished();
        body += "<Part><PartNumber>" + std::to_string(i) + "</PartNumber><ETag>" + tags[i] +
                "</ETag></Part>";
    }
    body += "</CompleteMultipartUpload>";
    PARLEY_TRY(const HttpAnswer answer,
               x_storage.call(worker, {.method = "POST",
                                       .key = key,
                                       .query = {{"uploadId", parts->id}},
                                       .headers = {{"content-type", "application/xml"}},
                                       .body = body}));
    // A failure on the way comes with status 200.
    if (answer.body.find("<Error>") != std::string::npos)
        return Error(Errc::media_unavailable, "the storage did not join the parts");
    return {};
}

Task<Result<void>> ObjectStore::complete_parts(std::string key, std::string upload_id) {
    auto completing = x_storage.run([this, key = std::move(key), id = std::move(upload_id)](
                                        std::size_t worker) -> Result<void> {
        Result<void> done = complete(worker, key, id);
        if (done || done.error().code != Errc::media_not_uploaded) return done;
        // Completed before, and the answer was lost?
        const auto head = x_storage.call(worker, {.method = "HEAD", .key = key});
        return head ? Result<void>() : done;
    });
    co_return co_await std::move(completing);
}

Task<Result<void>> ObjectStore::abort_parts(std::string key, std::string upload_id) {
    auto aborting = x_storage.run([this, key = std::move(key),
                                   id = std::move(upload_id)](std::size_t worker) -> Result<void> {
        const auto parts = parts_of(id);
        if (!parts) return {};
        const auto answer = x_storage.call(
            worker, {.method = "DELETE", .key = key, .query = {{"uploadId", parts->id}}});
        if (!answer && answer.error().code != Errc::media_not_uploaded) return answer.error();
        return {};
    });
    co_return co_await std::move(aborting);
}

Task<Result<ports::ObjectHead>> ObjectStore::head(std::string key) {
    auto asking = x_storage.run(
        [this, key = std::move(key)](std::size_t worker) -> Result<ports::ObjectHead> {
            PARLEY_TRY(const HttpAnswer answer,
                       x_storage.call(worker, {.method = "HEAD",
                                               .key = key,
                                               .headers = {{"x-amz-checksum-mode", "ENABLED"}}}));
            ports::ObjectHead head;
            head.size = number(answer.header("content-length"));
            head.content_type = answer.header("content-type");
            head.sha256 = from_base64(answer.header("x-amz-checksum-sha256"));
            if (head.sha256.size() != 32) head.sha256.clear(); // of parts: no hash of the whole
            return head;
        });
    co_return co_await std::move(asking);
}

Task<Result<std::string>> ObjectStore::read(std::string key, std::uint64_t offset,
                                            std::size_t size) {
    if (size == 0) co_return std::string();
    size = std::min(size, limits::kStorageAnswerBytes);
    auto reading = x_storage.run([this, key = std::move(key), offset,
                                  size](std::size_t worker) -> Result<std::string> {
        const std::string range =
            "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + size - 1);
        auto answer =
            x_storage.call(worker, {.method = "GET", .key = key, .headers = {{"range", range}}});
        if (!answer) return answer.error();
        const bool whole = answer->status == 200 && offset == 0;
        return answer->status == 206 || whole ? answer->body.substr(0, size) : std::string();
    });
    co_return co_await std::move(reading);
}

Task<Result<void>> ObjectStore::fetch(std::string key, std::filesystem::path to) {
    auto fetching = x_storage.run(
        [this, key = std::move(key), to = std::move(to)](std::size_t worker) -> Result<void> {
            PARLEY_CHECK(x_storage.call(worker, {.method = "GET", .key = key, .to = to}));
            return {};
        });
    co_return co_await std::move(fetching);
}

Task<Result<void>> ObjectStore::put(std::string key, std::filesystem::path from,
                                    std::string content_type) {
    auto putting =
        x_storage.run([this, key = std::move(key), from = std::move(from),
                       type = std::move(content_type)](std::size_t worker) -> Result<void> {
            PARLEY_CHECK(x_storage.call(
                worker,
                {.method = "PUT", .key = key, .headers = {{"content-type", type}}, .from = from}));
            return {};
        });
    co_return co_await std::move(putting);
}

Result<void> ObjectStore::remove_with_parts(std::size_t worker, const std::string& key) {
    const auto removed = x_storage.call(worker, {.method = "DELETE", .key = key});
    if (!removed && removed.error().code != Errc::media_not_uploaded) return removed.error();
    PARLEY_TRY(
        const HttpAnswer list,
        x_storage.call(worker,
                       {.method = "GET", .key = "", .query = {{"prefix", key}, {"uploads", ""}}}));
    for (const std::string_view upload : elements(list.body, "Upload")) {
        const auto id = element(upload, "UploadId"), its_key = element(upload, "Key");
        if (!id || its_key != key) continue;
        const auto aborted = x_storage.call(
            worker, {.method = "DELETE", .key = key, .query = {{"uploadId", std::string(*id)}}});
        if (!aborted && aborted.error().code != Errc::media_not_uploaded) return aborted.error();
    }
    return {};
}

Task<Result<void>> ObjectStore::remove(std::string key) {
    auto removing = x_storage.run([this, key = std::move(key)](std::size_t worker) {
        return remove_with_parts(worker, key);
    });
    co_return co_await std::move(removing);
}

Result<std::string> ObjectStore::download_url(const ports::DownloadTerms& terms) {
    using Kind = CdnSettings::Kind;
    const Settings& settings = x_storage.settings();
    const Fields query{{"response-content-disposition", content_disposition(terms)},
                       {"response-content-type", terms.content_type}};
    const std::chrono::seconds life = life_of(terms.now, terms.expires_at);
    if (settings.cdn.kind == Kind::none)
        return x_storage.presign("GET", terms.key, query, {}, terms.now, life);
    // The edge goes by the same clock as the storage does.
    const CdnMoment moment = cdn_moment(x_storage.their_time(terms.now), life, settings.cdn.window);
    const std::string path = x_storage.path_of(terms.key);
    if (x_cloudfront) return x_cloudfront->url("/" + terms.key, encoded_query(query), moment.end_s);
    const std::string signed_url = x_storage.presign(
        "GET", terms.key, query, {}, x_storage.our_time(model::Time{moment.begin_s * 1000}),
        std::chrono::seconds(moment.end_s - moment.begin_s));
    return edge_url(settings.cdn, path, signed_url.substr(signed_url.find('?') + 1), moment.end_s);
}

Result<void> ObjectStore::purge_file(std::size_t worker, const std::string& file) {
    const CdnSettings& cdn = x_storage.settings().cdn;
    PARLEY_TRY(const HttpAnswer answer,
               x_storage.call_plain(worker, {.method = "DELETE",
                                             .url = cdn.purge_url + "/" + file,
                                             .headers = {{"x-purge-secret", cdn.secret}},
                                             .body = {}}));
    if (!answer.is_good() && answer.status != 404)
        return Error(Errc::media_unavailable, "the CDN did not purge a file");
    if (answer.is_good()) x_purged.add();
    return {};
}

Task<Result<void>> ObjectStore::purge(std::string key, std::uint64_t size) {
    const CdnSettings& cdn = x_storage.settings().cdn;
    if (cdn.kind != CdnSettings::Kind::edge || cdn.purge_url.empty()) co_return Result<void>();
    auto purging = x_storage.run([this, key = std::move(key),
                                  size](std::size_t worker) -> Result<void> {
        const std::uint64_t slices =
            std::min(size / limits::kCdnSliceBytes + 1, limits::kCdnSlicesPurged);
        const std::string path = x_storage.path_of(key);
        for (std::uint64_t i = 0; i < slices; ++i)
            PARLEY_CHECK(purge_file(worker, edge_cache_file(path, i)));
        for (const auto variant : {model::MediaVariant::small, model::MediaVariant::large})
            PARLEY_CHECK(purge_file(
                worker, edge_cache_file(x_storage.path_of(model::variant_key(key, variant)), 0)));
        return {};
    });
    co_return co_await std::move(purging);
}

Task<Result<void>> ObjectStore::prepare() {
    auto preparing = x_storage.run([this](std::size_t worker) -> Result<void> {
        const auto there = x_storage.call(worker, {.method = "HEAD", .key = ""});
        if (!there && there.error().code != Errc::media_not_uploaded) return there.error();
        if (!there) PARLEY_CHECK(x_storage.call(worker, {.method = "PUT", .key = ""}));
        std::string origins;
        for (const std::string& origin : x_storage.settings().allowed_origins)
            origins += "<AllowedOrigin>" + escaped(origin) + "</AllowedOrigin>";
        if (origins.empty()) return {};
        const std::string rules =
            "<CORSConfiguration><CORSRule>" + origins +
            "<AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod>"
            "<AllowedHeader>*</AllowedHeader><MaxAgeSeconds>3600</MaxAgeSeconds>"
            "</CORSRule></CORSConfiguration>";
        PARLEY_CHECK(
            x_storage.call(worker, {.method = "PUT",
                                    .key = "",
                                    .query = {{"cors", ""}},
                                    .headers = {{"content-type", "application/xml"},
                                                {"x-amz-checksum-sha256", base64(sha256(rules))}},
                                    .body = rules}));
        return {};
    });
    co_return co_await std::move(preparing);
}

Task<Result<void>> ObjectStore::look_at_clock() {
    if (!x_storage.clock_is_in_doubt()) co_return Result<void>();
    auto asking = x_storage.run([this](std::size_t worker) -> Result<void> {
        PARLEY_CHECK(x_storage.call(worker, {.method = "HEAD", .key = ""}));
        return {};
    });
    co_return co_await std::move(asking);
}

} // namespace parley::s3
