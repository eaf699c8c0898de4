// Settings: defaults < TOML file < PARLEY_* environment < flags. One table (settings.cpp) names
// each setting once; file key, variable and flag follow from the name: `tls-cert` is `tls_cert` (or
// `cert` in the table [tls]) in the file, PARLEY_TLS_CERT, and --tls-cert.
//
// A bad setting is a SettingsError with its name, its value and what was expected; main() prints it
// and stops the start. Plain values; nothing is read after the start.
#pragma once

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/trace_limits.hpp"
#include "chat/text_folding.hpp"
#include "service/rate_limits.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace parley::app {

// What there is in a cluster besides; the embedded server takes none of it.
struct ClusterSettings {
    std::string node_name;     // unlike that of every other process; "": role, machine and port
    std::string directory_db;  // libpq connection strings
    std::string shard_dbs;     // one for each shard, in their order, with ; between
    std::string kafka_brokers; // host:port, with , between
    std::string kafka_options; // librdkafka's, name=value with , between
    std::string kafka_topic = "room-events";
    std::string redis = "127.0.0.1:6379";
    std::string redis_password; // a secret: never printed
    std::uint32_t partitions = 8;
    std::uint32_t replication = 1;
    std::uint32_t session_timeout_ms = 2000;
};

// Where the files of a cluster lie, and the cache in front of them.
struct FileSettings {
    std::string s3_endpoint;        // "": a cluster serves no files
    std::string s3_public_endpoint; // as clients reach it; "": the same
    std::string s3_bucket = "parley", s3_region = "us-east-1";
    std::string s3_access_key, s3_secret_key; // the second is a secret: never printed
    bool s3_path_style = true;
    std::string cdn = "none";           // none | edge | cloudfront
    std::string cdn_url;                // as clients reach it
    std::string cdn_secret;             // of edge: a secret, never printed
    std::string cdn_key_id;             // of cloudfront
    std::filesystem::path cdn_key_file; // of cloudfront: its private key
    std::string cdn_purge_url;          // of edge: where files of its cache are deleted
    std::uint32_t cdn_window_s = 300;

    // Where browsers load files from and put them, with spaces between.
    std::string origins() const;
};

// Where spans of messages go.
struct SpanSettings {
    std::string endpoint; // of OTLP over HTTP; "": nowhere
    double ratio = 0.01;  // of the messages
    std::string headers;  // NAME=VALUE with , between; secrets: never printed
};

struct Settings {
    ClusterSettings cluster;
    SpanSettings spans;
    FileSettings files;
    std::string host = "127.0.0.1";
    std::uint16_t port = 8080;
    std::filesystem::path data = "data";
    std::uint16_t threads = 0; // 0: one for each core of the machine
    std::uint16_t node_id = 0; // 0..1023, in every id that this process gives out
    std::string tls_certificate_file, tls_key_file;
    std::vector<std::string> trusted_proxies, allowed_origins;
    LogLevel log_level = LogLevel::info;
    std::string log_format = "auto"; // auto | text | json
    std::chrono::milliseconds heartbeat = limits::kHeartbeat;
    bool websocket_deflate = false;
    service::RateSettings rates;
    std::chrono::milliseconds presence_grace = limits::kPresenceGrace;
    std::size_t presence_room_max = limits::kPresenceRoomMax;
    std::uint32_t argon2_memory_kib = 19'456, argon2_iterations = 2;
    std::chrono::seconds access_token_life = limits::kAccessTokenLife;
    std::chrono::seconds classic_token_life = limits::kClassicTokenLife;
    std::uint32_t retention_days = 0; // 0: for ever
    std::size_t connections_max = limits::kConnections;
    std::filesystem::path words_dir; // "": `words` in the data folder, if it is there
    chat::LookAlikes filter_lookalikes;
    bool filter_default_list = true;
    std::uint32_t media_max_mb = 2048, media_user_mb_per_day = 20480, media_server_mb = 0;
    std::chrono::seconds media_ticket_life = limits::kMediaTicketLife;
    std::chrono::seconds media_unused_life = limits::kMediaUnusedLife;
    std::uint32_t trace_messages = limits::kTracedEvents; // of each core; 0: none
    std::vector<std::string> media_types; // allowed ones; empty: all that are known
};

class SettingsError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// What a command line may say about settings: --name VALUE, in the table's order.
struct SettingInfo {
    std::string name, help, variable;
};
std::vector<SettingInfo> list_settings();

// Reads all four layers. No `file`: that of PARLEY_CONFIG, if there is one.
struct GivenSetting {
    std::string name, value;
};
Settings load_settings(std::string file, const std::vector<GivenSetting>& flags);
// What is in force, as a TOML file; secrets are not settings and never appear.
std::string print_settings(const Settings& settings);
// The same as name and value in TOML, which for these kinds of values is also JSON.
std::vector<GivenSetting> setting_values(const Settings& settings);

} // namespace parley::app
