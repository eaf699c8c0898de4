// Against a real S3 server, which checks signatures.
#include "adapters/s3/object_store.hpp"
#include "adapters/system/system_clock.hpp"
#include "tests/support/await.hpp"
#include "tests/support/s3_server.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace parley::s3 {
namespace {

using test::await;
using namespace std::chrono_literals;

// Wrong by a given time.
class ShiftedClock final : public ports::Clock {
public:
    model::Time now() const override { return {x_clock.now().ms + shift_ms}; }
    std::chrono::steady_clock::time_point steady() const override { return x_clock.steady(); }
    std::int64_t shift_ms = 0;

private:
    system::SystemClock x_clock;
};

class S3StoreTest : public testing::Test {
protected:
    S3StoreTest() { EXPECT_TRUE(await(x_store.prepare()).has_value()); }
    ~S3StoreTest() override { x_store.stop(); }

    ports::UploadTerms terms(std::string key, std::string_view bytes) const {
        const model::Time now = x_clock.now();
        return {std::move(key), "image/png", bytes.size(), "", now, model::Time{now.ms + 60'000}};
    }
    ports::UploadTicket ticket(ports::UploadTerms terms) {
        return await(x_store.ticket(std::move(terms))).value();
    }
    // As a client that does what the ticket says.
    int send(const ports::SignedRequest& request, const std::string& body) {
        return x_http.perform({request.method, request.url, request.headers, body})->status;
    }
    Result<HttpAnswer> get(const std::string& url) { return x_http.perform({"GET", url, {}, {}}); }
    std::string url_of(std::string key, std::string filename = "a.png") {
        const model::Time now = x_clock.now();
        return x_store
            .download_url({std::move(key), "image/png", std::move(filename), true, now,
                           model::Time{now.ms + 60'000}})
            .value();
    }

    ShiftedClock x_clock;
    SilentLogger x_log;
    Metrics x_metrics;
    Settings x_settings = test::S3Server::instance().settings();
    ObjectStore x_store{x_settings, x_clock, x_log, x_metrics};
    std::atomic<bool> x_stopping{false};
    HttpClient x_http{x_stopping};
};

TEST_F(S3StoreTest, what_was_uploaded_by_a_ticket_is_found_and_read) {
    const std::string bytes = "the bytes of a picture";
    ports::UploadTerms asked = terms("r1/abc", bytes);
    asked.sha256 = sha256(bytes);
    const auto given = ticket(asked);
    EXPECT_EQ(given.whole.method, "PUT");
    EXPECT_EQ(await(x_store.head("r1/abc")).error().code, Errc::media_not_uploaded);
    ASSERT_EQ(send(given.whole, bytes), 200);

    const auto head = await(x_store.head("r1/abc")).value();
    EXPECT_EQ(head.size, bytes.size());
    EXPECT_EQ(head.content_type, "image/png");
    EXPECT_EQ(head.sha256, sha256(bytes));
    EXPECT_EQ(await(x_store.read("r1/abc", 4, 5)).value(), "bytes");
    EXPECT_EQ(await(x_store.read("r1/abc", 17, 500)).value(), "cture");
    EXPECT_EQ(await(x_store.read("r1/abc", 500, 5)).value(), "");

    const auto answer = get(url_of("r1/abc", "h\xc3\xa4\"user.png")).value();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, bytes);
    EXPECT_EQ(answer.header("content-disposition"),
              "inline; filename=\"h___user.png\"; filename*=UTF-8''h%C3%A4%22user.png");
    EXPECT_EQ(get(x_settings.endpoint + "/" + x_settings.bucket + "/r1/abc")->status, 403);
}

TEST_F(S3StoreTest, a_ticket_is_for_what_it_says_and_once) {
    const std::string bytes = "right", other = "wrong";
    ports::UploadTerms asked = terms("r1/once", bytes);
    asked.sha256 = sha256(bytes);
    const auto given = ticket(asked);
    auto changed = given.whole;
    changed.headers[0].second = "text/html";
    EXPECT_EQ(send(changed, bytes), 403) << "another type";
    EXPECT_EQ(send(given.whole, "longer than it"), 403) << "another length";
    EXPECT_EQ(send(given.whole, other), 400) << "another checksum";
    changed = given.whole;
    changed.url.replace(changed.url.find("r1/once"), 7, "r1/0nce");
    EXPECT_EQ(send(changed, bytes), 403) << "another key";
    EXPECT_EQ(send(given.whole, bytes), 200);
    EXPECT_EQ(send(given.whole, bytes), 412) << "it is there already";

    x_clock.shift_ms = -120'000;
    const auto late = ticket(terms("r1/late", bytes));
    EXPECT_EQ(send(late.whole, bytes), 403) << "expired";
}

TEST_F(S3StoreTest, large_uploads_come_in_parts) {
    const std::string bytes(17 << 20, 'x');
    const auto given = ticket(terms("r1/large", bytes));
    EXPECT_EQ(given.whole.method, "MULTIPART");
    ASSERT_EQ(given.parts.size(), 3u);
    const auto part = [&](std::size_t i) {
        return bytes.substr(i * given.part_size, given.part_size);
    };
    EXPECT_EQ(send(given.parts[0].request, part(0)), 200);
    EXPECT_EQ(send(given.parts[2].request, part(2) + "y"), 403) << "more than was asked for";
    EXPECT_EQ(send(given.parts[2].request, part(2)), 200);
    EXPECT_EQ(await(x_store.complete_parts("r1/large", given.upload_id)).error().code,
              Errc::media_not_uploaded);
    EXPECT_EQ(send(given.parts[1].request, part(1)), 200);
    EXPECT_TRUE(await(x_store.complete_parts("r1/large", given.upload_id)).has_value());
    EXPECT_TRUE(await(x_store.complete_parts("r1/large", given.upload_id)).has_value()) << "again";
    const auto head = await(x_store.head("r1/large")).value();
    EXPECT_EQ(head.size, bytes.size());
    EXPECT_EQ(head.content_type, "image/png");

    const auto left = ticket(terms("r1/left", bytes));
    EXPECT_TRUE(await(x_store.abort_parts("r1/left", left.upload_id)).has_value());
    EXPECT_EQ(send(left.parts[0].request, part(0)), 404);
    const auto removed = ticket(terms("r1/removed", bytes));
    EXPECT_TRUE(await(x_store.remove("r1/removed")).has_value());
    EXPECT_EQ(send(removed.parts[0].request, part(0)), 404);
}

TEST_F(S3StoreTest, an_upload_that_says_nothing_of_itself_is_bound_when_it_is_completed) {
    const auto opened = [this](std::string key) {
        ports::UploadTerms asked = terms(std::move(key), "0123456789");
        asked.content_type = ports::kOpenContentType;
        return ticket(asked);
    };
    const auto given = opened("r1/open");
    EXPECT_EQ(given.whole.method, "PUT");
    EXPECT_TRUE(given.whole.headers.empty());
    EXPECT_EQ(await(x_store.complete_parts("r1/open", given.upload_id)).error().code,
              Errc::media_not_uploaded);
    EXPECT_EQ(x_http.perform({"PUT", given.whole.url, {{"content-type", "x/y"}}, "abc"})->status,
              200);
    EXPECT_EQ(await(x_store.head("r1/open")).error().code, Errc::media_not_uploaded);
    EXPECT_TRUE(await(x_store.complete_parts("r1/open", given.upload_id)).has_value());
    EXPECT_EQ(send(given.whole, "other"), 404) << "what was looked at stays what it is";
    EXPECT_EQ(await(x_store.read("r1/open", 0, 9)).value(), "abc");

    const auto longer = opened("r1/longer");
    EXPECT_EQ(send(longer.whole, "01234567890"), 200);
    EXPECT_EQ(await(x_store.complete_parts("r1/longer", longer.upload_id)).error().code,
              Errc::media_mismatch);
    EXPECT_EQ(await(x_store.head("r1/longer")).error().code, Errc::media_not_uploaded);
}

TEST_F(S3StoreTest, what_a_download_says_of_itself_is_signed) {
    const std::string svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>";
    ports::UploadTerms asked = terms("r1/active", svg);
    asked.content_type = "image/svg+xml";
    ASSERT_EQ(send(ticket(asked).whole, svg), 200);
    const model::Time now = x_clock.now();
    const std::string url =
        x_store.download_url({"r1/active", "image/svg+xml", "a.svg", false, now, {now.ms + 60'000}})
            .value();
    const auto answer = get(url).value();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("content-type"), "image/svg+xml");
    EXPECT_EQ(answer.header("content-disposition"),
              "attachment; filename=\"a.svg\"; filename*=UTF-8''a.svg");
    std::string shown = url;
    shown.replace(shown.find("attachment"), 10, "inline");
    EXPECT_EQ(get(shown)->status, 403);
    shown = url;
    const std::size_t name = shown.find("&response-content-disposition=");
    const std::size_t query =
        name == std::string::npos ? shown.find("response-content-disposition=") : name + 1;
    shown.erase(query, shown.find('&', query) - query + 1);
    EXPECT_EQ(get(shown)->status, 403) << "nor may it be left out";
    shown = url;
    shown.replace(shown.find("image%2Fsvg%2Bxml"), 17, "text%2Fhtml");
    EXPECT_EQ(get(shown)->status, 403);
}

TEST_F(S3StoreTest, files_go_both_ways_and_removal_is_for_good) {
    const test::TemporaryFolder folder("parley-s3-files");
    const auto from = folder.path() / "from", to = folder.path() / "to";
    std::ofstream(from) << "thumbnail";
    for (int i = 0; i < 2; ++i)
        EXPECT_TRUE(await(x_store.put("r1/t", from, "image/webp")).has_value());
    EXPECT_TRUE(await(x_store.fetch("r1/t", to)).has_value());
    EXPECT_EQ(std::filesystem::file_size(to), 9u);
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(await(x_store.remove("r1/t")).has_value());
    EXPECT_EQ(await(x_store.head("r1/t")).error().code, Errc::media_not_uploaded);
    EXPECT_EQ(await(x_store.fetch("r1/t", folder.path() / "none")).error().code,
              Errc::media_not_uploaded);
    EXPECT_EQ(get(url_of("r1/t"))->status, 404);
}

TEST_F(S3StoreTest, a_clock_that_is_wrong_by_an_hour_costs_nothing) {
    x_clock.shift_ms = 3'600'000;
    EXPECT_EQ(await(x_store.head("r1/none")).error().code, Errc::media_not_uploaded);
    EXPECT_EQ(send(ticket(terms("r1/skew", "abc")).whole, "abc"), 200);
    EXPECT_EQ(get(url_of("r1/skew"))->status, 200);
}

TEST_F(S3StoreTest, a_clock_that_steps_is_noticed_without_a_call) {
    EXPECT_TRUE(await(x_store.look_at_clock()).has_value());
    x_clock.shift_ms = -600'000;
    EXPECT_EQ(send(ticket(terms("r1/stepped", "abc")).whole, "abc"), 403) << "nobody knows yet";
    EXPECT_TRUE(await(x_store.look_at_clock()).has_value());
    EXPECT_EQ(send(ticket(terms("r1/stepped", "abc")).whole, "abc"), 200);
    x_clock.shift_ms = 0;
    EXPECT_TRUE(await(x_store.look_at_clock()).has_value());
    EXPECT_EQ(send(ticket(terms("r1/back", "abc")).whole, "abc"), 200);
}

TEST_F(S3StoreTest, a_storage_that_is_down_or_stands_still_is_told_in_time) {
    test::S3Server& server = test::S3Server::instance();
    const auto took = [this] {
        const auto began = std::chrono::steady_clock::now();
        EXPECT_EQ(await(x_store.head("r1/a")).error().code, Errc::media_unavailable);
        return std::chrono::steady_clock::now() - began;
    };
    server.kill();
    for (int i = 0; i < limits::kStorageFailuresBreak; ++i) EXPECT_LT(took(), 1s);
    EXPECT_LT(took(), 40ms) << "not even tried";
    server.start();
    std::this_thread::sleep_for(limits::kStorageBreak);
    EXPECT_EQ(await(x_store.head("r1/a")).error().code, Errc::media_not_uploaded);
}

} // namespace
} // namespace parley::s3
