// Where log lines go: coloured text on a terminal, one JSON object per line elsewhere.
//
//   text  2026-01-02T03:04:05.678Z warning message key=value key="va lue\n"
//   json  {"time":"2026-01-02T03:04:05.678Z","level":"warning","message":"...","key":"value","n":1}
//
// A value may hold anything a client sent: control characters, line breaks, bidirectional overrides
// and bytes that are not UTF-8 are escaped, so that a line can neither be forged nor change the
// terminal. Threading: write() from any thread; lines do not mix. Owner: app/wiring, before all
// that logs. Shutdown: the destructor flushes.
#pragma once

#include "base/log.hpp"

#include <iosfwd>
#include <memory>

namespace parley::system {

enum class LogFormat : std::uint8_t { automatic, text, json };

struct LogSettings {
    LogLevel level = LogLevel::info;         // lines below it are dropped
    LogFormat format = LogFormat::automatic; // text if the output is a terminal, else json
    std::ostream* out = nullptr;             // null: standard error
};

class SpdlogLogger final : public Logger {
public:
    explicit SpdlogLogger(const LogSettings& settings);
    ~SpdlogLogger();
    SpdlogLogger(const SpdlogLogger&) = delete;
    SpdlogLogger& operator=(const SpdlogLogger&) = delete;

    void write(LogLevel level, std::string_view message,
               std::initializer_list<LogField> fields) override;

private:
    struct Impl;
    std::unique_ptr<Impl> x_impl;
};

} // namespace parley::system
