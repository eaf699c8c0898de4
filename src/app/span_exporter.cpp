#include "app/span_exporter.hpp"

#include "app/setting.hpp"
#include "app/version.hpp"

#include <algorithm>
#include <cstdlib>

namespace parley::app {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

void check_endpoint(const std::string& text) {
    const std::size_t host = text.find("://") + 3;
    const bool known = text.starts_with("http://") || text.starts_with("https://");
    const bool plain = std::none_of(text.begin(), text.end(), [](unsigned char c) {
        return c <= ' ' || c == '?' || c == '#' || c == 0x7f;
    });
    if (!known || !plain || host >= text.size() || text[host] == '/' || text.back() == '/')
        expected("http://HOST:PORT or https://HOST:PORT, without /v1/traces");
}

double parse_ratio(const std::string& text) {
    double value = -1;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end || !(value >= 0 && value <= 1))
        expected("a number from 0 to 1, e.g. 0.01");
    return value;
}

Headers parse_headers(const std::string& text) {
    Headers headers;
    std::size_t from = 0;
    while (from < text.size()) {
        const std::size_t to = std::min(text.find(',', from), text.size());
        const std::string one = text.substr(from, to - from);
        const std::size_t equals = one.find('=');
        const bool plain = std::none_of(one.begin(), one.end(), [](unsigned char c) {
            return c < ' ' || c == 0x7f;
        });
        if (equals == 0 || equals == std::string::npos || !plain ||
            one.find_first_of(" :") < equals)
            expected("NAME=VALUE with , between");
        headers.emplace_back(one.substr(0, equals), one.substr(equals + 1));
        from = to + 1;
    }
    return headers;
}

} // namespace

std::vector<Setting> span_settings() {
    return {
        {"otlp-endpoint", "Collector of traces, OTLP over HTTP; none: no spans are sent",
         [](Settings& s, const std::string& v) {
             if (!v.empty()) check_endpoint(v);
             s.spans.endpoint = v;
         },
         [](const Settings& s) { return quoted(s.spans.endpoint); }},
        {"otlp-sample", "Share of the messages whose spans are sent, 0 to 1",
         [](Settings& s, const std::string& v) { s.spans.ratio = parse_ratio(v); },
         [](const Settings& s) { return print_real(s.spans.ratio); }},
        {"otlp-headers", "Headers for it, NAME=VALUE with , between; better as a variable",
         [](Settings& s, const std::string& v) {
             static_cast<void>(parse_headers(v));
             s.spans.headers = v;
         },
         [](const Settings& s) { return quoted(s.spans.headers.empty() ? "" : "***"); }},
    };
}

std::unique_ptr<otlp::Exporter> make_span_exporter(const Settings& settings,
                                                   const std::string& role,
                                                   const std::string& node, Logger& log,
                                                   Metrics& metrics) {
    if (settings.spans.endpoint.empty()) return nullptr;
    return std::make_unique<otlp::Exporter>(
        otlp::Settings{.endpoint = settings.spans.endpoint,
                       .headers = parse_headers(settings.spans.headers),
                       .ratio = settings.spans.ratio,
                       .resource = {"parley-" + role, node, std::string(kVersion)}},
        log, metrics);
}

} // namespace parley::app
