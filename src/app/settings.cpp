#include "app/settings.hpp"

#include "app/rate_text.hpp"
#include "app/setting.hpp"
#include "app/settings_file.hpp"

#include <cstdlib>
#include <functional>
#include <map>
#include <utility>

namespace parley::app {

namespace {

std::vector<std::string> parse_list(const std::string& text) {
    std::vector<std::string> items;
    std::string item;
    for (const char c : text + ",") {
        if (c != ',') {
            if (c != ' ') item += c;
        } else if (!item.empty()) {
            items.push_back(std::exchange(item, {}));
        }
    }
    return items;
}

std::string print_list(const std::vector<std::string>& items) {
    std::string out = "[";
    for (const std::string& item : items) out += (out.size() > 1 ? ", " : "") + quoted(item);
    return out + "]";
}

void set_listen(Settings& s, const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0)
        expected("HOST:PORT, e.g. 127.0.0.1:8080 or [::1]:8080");
    std::string host = text.substr(0, colon);
    if (host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    else if (host.find(':') != std::string::npos)
        expected("an IPv6 address in brackets, e.g. [::1]:8080");
    s.port = parse_number<std::uint16_t>(text.substr(colon + 1), 0, 65535);
    s.host = host;
}

std::string print_listen(const Settings& s) {
    const bool v6 = s.host.find(':') != std::string::npos;
    return quoted((v6 ? "[" + s.host + "]" : s.host) + ":" + std::to_string(s.port));
}

void set_log_level(Settings& s, const std::string& text) {
    static const std::map<std::string, LogLevel> levels{{"debug", LogLevel::debug},
                                                        {"info", LogLevel::info},
                                                        {"warning", LogLevel::warning},
                                                        {"error", LogLevel::error}};
    const auto found = levels.find(text);
    if (found == levels.end()) expected("debug, info, warning or error");
    s.log_level = found->second;
}

std::string print_log_level(const Settings& s) {
    static constexpr const char* names[] = {"debug", "info", "warning", "error"};
    return quoted(names[static_cast<int>(s.log_level)]);
}

void set_lookalikes(Settings& s, const std::string& text) {
    chat::LookAlikes chosen{false, false, false};
    for (const std::string& item : parse_list(text)) {
        if (item == "cyrillic")
            chosen.cyrillic = true;
        else if (item == "greek")
            chosen.greek = true;
        else if (item == "leet")
            chosen.leet = true;
        else if (item != "none")
            expected("a list of cyrillic, greek, leet, or none");
    }
    s.filter_lookalikes = chosen;
}

std::string print_lookalikes(const Settings& s) {
    std::vector<std::string> items;
    if (s.filter_lookalikes.cyrillic) items.push_back("cyrillic");
    if (s.filter_lookalikes.greek) items.push_back("greek");
    if (s.filter_lookalikes.leet) items.push_back("leet");
    return print_list(items);
}

template <class Member>
Setting text_setting(std::string name, std::string help, Member member) {
    return {std::move(name), std::move(help),
            [=](Settings& s, const std::string& v) { s.*member = v; },
            [=](const Settings& s) { return quoted(std::string(s.*member)); }};
}

template <class Number>
Setting number_setting(std::string name, std::string help, Number Settings::* member, Number low,
                       Number high) {
    return {
        std::move(name), std::move(help),
        [=](Settings& s, const std::string& v) { s.*member = parse_number<Number>(v, low, high); },
        [=](const Settings& s) { return std::to_string(s.*member); }};
}

Setting list_setting(std::string name, std::string help,
                     std::vector<std::string> Settings::* member) {
    return {std::move(name), std::move(help),
            [=](Settings& s, const std::string& v) { s.*member = parse_list(v); },
            [=](const Settings& s) { return print_list(s.*member); }};
}

std::vector<Setting> plain_settings() {
    return {
        {"listen",
         "Address and port of everything: REST, WebSocket, web client. Port 0: any free one",
         set_listen, print_listen},
        {"data", "Folder of the database and the server's secret",
         [](Settings& s, const std::string& v) {
             if (v.empty()) expected("a folder");
             s.data = v;
         },
         [](const Settings& s) { return quoted(s.data.string()); }},
        number_setting<std::uint16_t>("threads", "Event loops; 0: one for each core",
                                      &Settings::threads, 0, 64),
        number_setting<std::uint16_t>("node-id",
                                      "Number of this process in its ids; differs between servers",
                                      &Settings::node_id, 0, 1023),
        text_setting("tls-cert", "Certificate chain (PEM); with tls-key, serves https and wss",
                     &Settings::tls_certificate_file),
        text_setting("tls-key", "Private key (PEM)", &Settings::tls_key_file),
        list_setting("trusted-proxies",
                     "Addresses or blocks whose X-Forwarded-For and -Proto count",
                     &Settings::trusted_proxies),
        list_setting("allowed-origins", "Origins besides the host itself that may open sockets",
                     &Settings::allowed_origins),
        {"log-level", "debug, info, warning or error", set_log_level, print_log_level},
        {"log-format", "auto (text on a terminal, else JSON), text or json",
         [](Settings& s, const std::string& v) {
             if (v != "auto" && v != "text" && v != "json") expected("auto, text or json");
             s.log_format = v;
         },
         [](const Settings& s) { return quoted(s.log_format); }},
        {"heartbeat-ms", "Time between two pings to a quiet connection",
         [](Settings& s, const std::string& v) {
             s.heartbeat = std::chrono::milliseconds(parse_number<int>(v, 200, 600'000));
         },
         [](const Settings& s) { return std::to_string(s.heartbeat.count()); }},
        {"websocket-deflate",
         "Compress WebSocket messages for clients that ask (permessage-deflate)",
         [](Settings& s, const std::string& v) { s.websocket_deflate = parse_bool(v); },
         [](const Settings& s) { return std::string(s.websocket_deflate ? "true" : "false"); }},
        {"limits-enabled", "Rate limits and caps; false switches all of them off",
         [](Settings& s, const std::string& v) { s.rates.enabled = parse_bool(v); },
         [](const Settings& s) { return std::string(s.rates.enabled ? "true" : "false"); }},
        {"presence-grace-ms", "Time after a lost connection until its user is shown offline",
         [](Settings& s, const std::string& v) {
             s.presence_grace = std::chrono::milliseconds(parse_number<int>(v, 0, 600'000));
         },
         [](const Settings& s) { return std::to_string(s.presence_grace.count()); }},
        number_setting<std::size_t>("presence-room-max",
                                    "Members beyond which a room gets counts in place of presence",
                                    &Settings::presence_room_max, 0, 100'000),
        number_setting<std::size_t>("connections-max", "Connections of this process",
                                    &Settings::connections_max, 1, 1'000'000),
        number_setting<std::uint32_t>("trace-messages",
                                      "Newest events of which each core remembers the way; 0: none",
                                      &Settings::trace_messages, 0, limits::kTracedEventsMax),
        {"connections-per-user-max", "Sockets of one user at a time (4502)",
         [](Settings& s, const std::string& v) {
             s.rates.sockets_per_user = parse_number<std::size_t>(v, 1, 1'000'000);
         },
         [](const Settings& s) { return std::to_string(s.rates.sockets_per_user); }},
        {"connections-per-address-max",
         "Sockets from one address (IPv6: /64) at a time (4502); connections: a quarter more (429)",
         [](Settings& s, const std::string& v) {
             s.rates.sockets_per_address = parse_number<std::size_t>(v, 1, 1'000'000);
         },
         [](const Settings& s) { return std::to_string(s.rates.sockets_per_address); }},
    };
}

std::vector<Setting> account_settings() {
    return {
        number_setting<std::uint32_t>("argon2-memory-kib", "Memory of one password hash",
                                      &Settings::argon2_memory_kib, 1'024, 1'048'576),
        number_setting<std::uint32_t>("argon2-iterations", "Passes of one password hash",
                                      &Settings::argon2_iterations, 1, 20),
        {"access-token-seconds", "Life of an access token",
         [](Settings& s, const std::string& v) {
             s.access_token_life = std::chrono::seconds(parse_number<int>(v, 1, 86'400));
         },
         [](const Settings& s) { return std::to_string(s.access_token_life.count()); }},
        {"classic-token-seconds", "Life of a token for classic clients, which know no refresh",
         [](Settings& s, const std::string& v) {
             s.classic_token_life = std::chrono::seconds(parse_number<int>(v, 1, 2'592'000));
         },
         [](const Settings& s) { return std::to_string(s.classic_token_life.count()); }},
    };
}

std::vector<Setting> content_settings() {
    return {
        number_setting<std::uint32_t>(
            "retention-days", "Days that messages are kept; 0: for ever. A room may have less",
            &Settings::retention_days, 0, limits::kRetentionDaysMax),
        {"words-dir",
         "Folder of word lists, LANGUAGE.txt; without it, `words` in the data folder if it is "
         "there",
         [](Settings& s, const std::string& v) { s.words_dir = v; },
         [](const Settings& s) { return quoted(s.words_dir.string()); }},
        {"filter-lookalikes",
         "Whose look-alikes of Latin letters count as these: any of cyrillic, greek, leet, or none",
         set_lookalikes, print_lookalikes},
        {"filter-default-list", "Use the small built-in word list too",
         [](Settings& s, const std::string& v) { s.filter_default_list = parse_bool(v); },
         [](const Settings& s) { return std::string(s.filter_default_list ? "true" : "false"); }},
    };
}

std::vector<Setting> media_settings() {
    return {
        number_setting<std::uint32_t>("media-max-mb", "Megabytes of a file, at most",
                                      &Settings::media_max_mb, 1, 5'242'880),
        number_setting<std::uint32_t>("media-user-mb-per-day",
                                      "Megabytes that a user may upload in a day; 0: any number",
                                      &Settings::media_user_mb_per_day, 0, 1'000'000'000),
        number_setting<std::uint32_t>("media-server-mb",
                                      "Megabytes of files that the server keeps; 0: any number",
                                      &Settings::media_server_mb, 0, 2'000'000'000),
        {"media-ticket-seconds", "Within these an upload must have begun",
         [](Settings& s, const std::string& v) {
             constexpr auto kMost = static_cast<int>(limits::kMediaTicketLife.count());
             s.media_ticket_life = std::chrono::seconds(parse_number<int>(v, 1, kMost));
         },
         [](const Settings& s) { return std::to_string(s.media_ticket_life.count()); }},
        {"media-unused-seconds",
         "After these a file that no message took, or that was not finished, is removed; an upload "
         "in parts may take an hour",
         [](Settings& s, const std::string& v) {
             s.media_unused_life = std::chrono::seconds(parse_number<int>(v, 1, 31'536'000));
         },
         [](const Settings& s) { return std::to_string(s.media_unused_life.count()); }},
        list_setting("media-types", "Types of files that are taken; none named: all known ones",
                     &Settings::media_types),
    };
}

// "limit-sends-per-user" and the like.
void add_rates(std::vector<Setting>& table) {
    for (const service::LimitInfo& each : service::all_limits()) {
        const auto at = static_cast<std::size_t>(each.limit);
        table.push_back({"limit-" + std::string(each.name),
                         std::string(each.help) + ": RATE/s, /m or /h:BURST, or off",
                         [at](Settings& s, const std::string& v) {
                             const auto rate = rate_from(v);
                             if (!rate) expected("a rate and a burst as in 50/s:200, or off");
                             s.rates.rates[at] = *rate;
                         },
                         [at](const Settings& s) { return quoted(text_of(s.rates.rates[at])); }});
    }
}

std::vector<Setting> make_table() {
    std::vector<Setting> table = plain_settings();
    for (auto* more :
         {&account_settings, &content_settings, &media_settings, &file_settings, &cluster_settings,
          &span_settings})
        for (Setting& setting : more()) table.push_back(std::move(setting));
    add_rates(table);
    return table;
}

const std::vector<Setting>& table() {
    static const std::vector<Setting> settings = make_table();
    return settings;
}

std::string with(std::string name, char from, char to) {
    for (char& c : name)
        if (c == from) c = to;
    return name;
}

std::string variable_of(const Setting& setting) {
    std::string name = "PARLEY_" + with(setting.name, '-', '_');
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return name;
}

void apply(Settings& settings, const Setting& setting, const std::string& value,
           const std::string& source) {
    try {
        setting.set(settings, value);
    } catch (const std::invalid_argument& e) {
        throw SettingsError("setting " + setting.name + " (" + source + "): \"" + value +
                            "\" is not " + e.what());
    }
}

void apply_file(Settings& settings, const std::string& file) {
    std::map<std::string, std::string> values = read_settings_file(file);
    for (const Setting& setting : table()) {
        const auto found = values.find(setting.name);
        if (found == values.end()) continue;
        apply(settings, setting, found->second, file);
        values.erase(found);
    }
    if (!values.empty())
        throw SettingsError("settings file " + file + ": there is no setting \"" +
                            values.begin()->first + "\"; `parley config` prints them all");
}

void check_whole(const Settings& s) {
    if (s.tls_certificate_file.empty() != s.tls_key_file.empty())
        throw SettingsError("settings tls-cert and tls-key go together: one of them is missing");
    const FileSettings& files = s.files;
    if (!files.s3_endpoint.empty() && (files.s3_access_key.empty() || files.s3_secret_key.empty()))
        throw SettingsError("setting s3-endpoint needs s3-access-key and s3-secret-key");
    const bool edge = files.cdn == "edge", cloudfront = files.cdn == "cloudfront";
    if ((edge || cloudfront) && (files.s3_endpoint.empty() || files.cdn_url.empty()))
        throw SettingsError("setting cdn needs s3-endpoint and cdn-url");
    if (edge && files.cdn_secret.empty()) throw SettingsError("setting cdn: edge needs cdn-secret");
    if (cloudfront && (files.cdn_key_id.empty() || files.cdn_key_file.empty()))
        throw SettingsError("setting cdn: cloudfront needs cdn-key-id and cdn-key-file");
}

} // namespace

std::vector<SettingInfo> list_settings() {
    std::vector<SettingInfo> list;
    for (const Setting& setting : table())
        list.push_back({setting.name, setting.help, variable_of(setting)});
    return list;
}

Settings load_settings(std::string file, const std::vector<GivenSetting>& flags) {
    Settings settings;
    if (file.empty())
        if (const char* value = std::getenv("PARLEY_CONFIG")) file = value;
    if (!file.empty()) apply_file(settings, file);
    for (const Setting& setting : table())
        if (const char* value = std::getenv(variable_of(setting).c_str()))
            apply(settings, setting, value, variable_of(setting));
    for (const GivenSetting& flag : flags)
        for (const Setting& setting : table())
            if (setting.name == flag.name) apply(settings, setting, flag.value, "--" + flag.name);
    check_whole(settings);
    return settings;
}

std::string print_settings(const Settings& settings) {
    std::string out;
    for (const Setting& setting : table())
        out += "# " + setting.help + "\n" + with(setting.name, '-', '_') + " = " +
               setting.get(settings) + "\n";
    return out;
}

std::vector<GivenSetting> setting_values(const Settings& settings) {
    std::vector<GivenSetting> values;
    for (const Setting& setting : table()) values.push_back({setting.name, setting.get(settings)});
    return values;
}

} // namespace parley::app
