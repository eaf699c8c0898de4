#include "adapters/system/spdlog_logger.hpp"

#include "base/text.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdio>
#include <unistd.h>

namespace parley::system {

namespace {

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

spdlog::level::level_enum level_of(LogLevel level) {
    switch (level) {
    case LogLevel::debug:
        return spdlog::level::debug;
    case LogLevel::info:
        return spdlog::level::info;
    case LogLevel::warning:
        return spdlog::level::warn;
    case LogLevel::error:
        return spdlog::level::err;
    }
    return spdlog::level::err;
}

// The length of the UTF-8 sequence at the start of `text`, which is valid; else 0.
std::size_t sequence_length(std::string_view text) {
    const auto c = static_cast<unsigned char>(text[0]);
    const std::size_t length = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    return is_valid_utf8(text.substr(0, length)) ? length : 0;
}

unsigned code_point(std::string_view sequence) {
    if (sequence.size() == 1) return static_cast<unsigned char>(sequence[0]);
    unsigned value = static_cast<unsigned char>(sequence[0]) & (0x7Fu >> sequence.size());
    for (const char c : sequence.substr(1))
        value = value << 6 | (static_cast<unsigned char>(c) & 0x3F);
    return value;
}

// What must not reach a terminal or break a line: C0, DEL, C1, line separators, bidirectional
// marks.
bool must_escape(unsigned code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x200E || code == 0x200F ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

void append_escape(std::string& out, unsigned code) {
    if (code == '\n') {
        out += "\\n";
        return;
    }
    char text[8];
    std::snprintf(text, sizeof text, "\\u%04x", code);
    out += text;
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0) {
            out += "\\ufffd";
            text.remove_prefix(1);
            continue;
        }
        const std::string_view sequence = text.substr(0, length);
        text.remove_prefix(length);
        if (sequence == "\"" || sequence == "\\") out += '\\';
        const unsigned code = code_point(sequence);
        if (must_escape(code))
            append_escape(out, code);
        else
            out += sequence;
    }
    out += '"';
}

bool is_plain(std::string_view text) {
    for (const char c : text)
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '\\' || c == '=') return false;
    return !text.empty();
}

std::string json_line(std::string_view message, std::initializer_list<LogField> fields) {
    std::string out = "\"message\":";
    append_quoted(out, message);
    for (const LogField& field : fields) {
        out += ',';
        append_quoted(out, field.key);
        out += ':';
        if (field.number)
            out += field.value;
        else
            append_quoted(out, field.value);
    }
    return out;
}

std::string text_line(std::string_view message, std::initializer_list<LogField> fields) {
    std::string quoted;
    append_quoted(quoted, message);
    std::string out = quoted.substr(1, quoted.size() - 2);
    for (const LogField& field : fields) {
        out += ' ';
        out += field.key;
        out += '=';
        if (is_plain(field.value))
            out += field.value;
        else
            append_quoted(out, field.value);
    }
    return out;
}

} // namespace

struct SpdlogLogger::Impl {
    bool json;
    spdlog::logger logger;
};

SpdlogLogger::SpdlogLogger(const LogSettings& settings) {
    const bool terminal = settings.out == nullptr && ::isatty(STDERR_FILENO) == 1;
    const bool json = settings.format == LogFormat::json ||
                      (settings.format == LogFormat::automatic && !terminal);
    spdlog::sink_ptr sink;
    if (settings.out)
        sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(*settings.out, true);
    else if (terminal && !json)
        sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    else
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        json ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc));
    x_impl = std::make_unique<Impl>(json, spdlog::logger("parley", std::move(sink)));
    x_impl->logger.set_level(level_of(settings.level));
}

SpdlogLogger::~SpdlogLogger() { x_impl->logger.flush(); }

void SpdlogLogger::write(LogLevel level, std::string_view message,
                         std::initializer_list<LogField> fields) {
    const auto wanted = level_of(level);
    if (!x_impl->logger.should_log(wanted)) return;
    x_impl->logger.log(wanted, spdlog::string_view_t(x_impl->json ? json_line(message, fields)
                                                                  : text_line(message, fields)));
}

} // namespace parley::system
