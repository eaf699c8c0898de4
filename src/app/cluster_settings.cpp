// The settings of a cluster and of its store of files.
#include "app/setting.hpp"

namespace parley::app {
namespace {

void check_url(const std::string& text) {
    const std::size_t at = text.find("://");
    const bool known = text.starts_with("http://") || text.starts_with("https://");
    if (!known || at + 3 == text.size() || text.find('/', at + 3) != std::string::npos)
        expected("http://HOST:PORT or https://HOST:PORT, without a path");
}

Setting file_url(std::string name, std::string help, std::string FileSettings::* member) {
    Setting setting = part_text(std::move(name), std::move(help), &Settings::files, member);
    setting.set = [=](Settings& s, const std::string& v) {
        if (!v.empty()) check_url(v);
        s.files.*member = v;
    };
    return setting;
}

// Kafka's options, those that are passwords and keys without their values.
std::string without_passwords(const std::string& options) {
    std::string out;
    std::size_t from = 0;
    while (from <= options.size()) {
        const std::size_t to = std::min(options.find(',', from), options.size());
        const std::string option = options.substr(from, to - from);
        const std::string name = option.substr(0, option.find('='));
        const bool secret = name.find("password") != std::string::npos ||
                            name.find("secret") != std::string::npos ||
                            name.find(".pem") != std::string::npos ||
                            name.find("jaas") != std::string::npos;
        out += (from > 0 ? "," : "") + (secret ? name + "=***" : option);
        from = to + 1;
    }
    return out;
}

} // namespace

std::string FileSettings::origins() const {
    std::string store = s3_public_endpoint.empty() ? s3_endpoint : s3_public_endpoint;
    if (!store.empty() && !s3_path_style) store.insert(store.find("://") + 3, s3_bucket + ".");
    return cdn_url.empty() ? store : store + " " + cdn_url;
}

std::vector<Setting> file_settings() {
    using F = FileSettings;
    constexpr auto files = &Settings::files;
    return {
        file_url("s3-endpoint", "S3 server of a cluster's files; none: it serves no files",
                 &F::s3_endpoint),
        file_url("s3-public-endpoint", "The same as clients reach it; none: s3-endpoint",
                 &F::s3_public_endpoint),
        part_text("s3-bucket", "Bucket, made when it is not there", files, &F::s3_bucket),
        part_text("s3-region", "Region of the signatures", files, &F::s3_region),
        part_text("s3-access-key", "Access key", files, &F::s3_access_key),
        part_text("s3-secret-key", "Secret key; better as a variable", files, &F::s3_secret_key,
                  true),
        {"s3-path-style", "Bucket in the path; false: in the host's name",
         [](Settings& s, const std::string& v) { s.files.s3_path_style = parse_bool(v); },
         [](const Settings& s) { return std::string(s.files.s3_path_style ? "true" : "false"); }},
        {"cdn", "Cache that files are read through: none, edge (deploy/nginx) or cloudfront",
         [](Settings& s, const std::string& v) {
             if (v != "none" && v != "edge" && v != "cloudfront")
                 expected("none, edge or cloudfront");
             s.files.cdn = v;
         },
         [](const Settings& s) { return quoted(s.files.cdn); }},
        file_url("cdn-url", "The cache as clients reach it", &F::cdn_url),
        part_text("cdn-secret", "What the edge's tokens are made with; better as a variable", files,
                  &F::cdn_secret, true),
        part_text("cdn-key-id", "Id of CloudFront's key pair", files, &F::cdn_key_id),
        part_text("cdn-key-file", "CloudFront's private key (PEM)", files, &F::cdn_key_file),
        part_text("cdn-purge-url", "Where the edge's cache deletes single files", files,
                  &F::cdn_purge_url),
        part_number("cdn-window-seconds", "All who ask within it get one URL, which lives longer",
                    files, &F::cdn_window_s, 10, 86'400),
    };
}

// Of the roles of a cluster.
std::vector<Setting> cluster_settings() {
    using C = ClusterSettings;
    constexpr auto cluster = &Settings::cluster;
    Setting kafka_options =
        part_text("kafka-options", "Further settings of librdkafka, NAME=VALUE with , between",
                  cluster, &C::kafka_options);
    kafka_options.get = [](const Settings& s) {
        return quoted(without_passwords(s.cluster.kafka_options));
    };
    return {
        part_text("node-name",
                  "Name of this process in a cluster; by default role, machine and port", cluster,
                  &C::node_name),
        part_text("directory-db",
                  "PostgreSQL of accounts and names, as libpq's connection string; passwords in "
                  "a passfile",
                  cluster, &C::directory_db),
        part_text("shard-dbs", "PostgreSQL of each shard, in order, with ; between", cluster,
                  &C::shard_dbs),
        part_text("kafka-brokers", "Kafka, HOST:PORT with , between", cluster, &C::kafka_brokers),
        std::move(kafka_options),
        part_text("kafka-topic", "Topic of the log of drafts", cluster, &C::kafka_topic),
        part_text("redis", "Redis, HOST:PORT", cluster, &C::redis),
        part_text("redis-password", "Password of Redis; better as a variable", cluster,
                  &C::redis_password, true),
        part_number("partitions", "Partitions of the log, at the first start", cluster,
                    &C::partitions, 1, 512),
        part_number("replication", "Copies that Kafka keeps, at the first start", cluster,
                    &C::replication, 1, 9),
        part_number("session-timeout-ms",
                    "Silence after which a worker's partitions go to another one", cluster,
                    &C::session_timeout_ms, 500, 60'000),
    };
}

} // namespace parley::app
