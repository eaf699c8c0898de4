// Logger: structured lines, a short constant message and fields. The sink (adapters/system) writes
// text on a terminal and JSON elsewhere, and escapes control characters, so that input cannot forge
// a line. Never log a token, a password, an e-mail address or message content.
//
// Threading: write() from any thread. Owner: app/wiring.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace parley {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct LogField {
    std::string_view key;
    std::string value;
    bool number = false;

    LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
    LogField(std::string_view k, const char* v) : key(k), value(v) {}
    template <class Integer>
        requires std::is_integral_v<Integer>
    LogField(std::string_view k, Integer v) : key(k), value(std::to_string(v)), number(true) {}
};

class Logger {
public:
    virtual void write(LogLevel level, std::string_view message,
                       std::initializer_list<LogField> fields) = 0;

    void debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::debug, message, fields);
    }
    void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::info, message, fields);
    }
    void warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::warning, message, fields);
    }
    void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::error, message, fields);
    }

protected:
    ~Logger() = default;
};

// For tests: says nothing.
class SilentLogger final : public Logger {
public:
    void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

} // namespace parley
