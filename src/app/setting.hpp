// What one setting is: its name, and how its text is read and shown. The tables are in settings.cpp
// and cluster_settings.cpp.
//
// Threading: values. Errors: std::invalid_argument says what was expected.
#pragma once

#include "app/settings.hpp"

#include <charconv>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace parley::app {

struct Setting {
    std::string name, help;
    std::function<void(Settings&, const std::string&)>
        set; // throws std::invalid_argument: what was expected
    std::function<std::string(const Settings&)> get; // as TOML
};

[[noreturn]] inline void expected(const std::string& what) { throw std::invalid_argument(what); }

template <class Number>
Number parse_number(const std::string& text, Number low, Number high) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high)
        expected("a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    return value;
}

inline bool parse_bool(const std::string& text) {
    if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
    if (text == "false" || text == "0" || text == "no" || text == "off") return false;
    expected("true or false");
}

// The shortest text that is read as the same number.
inline std::string print_real(double value) {
    char text[32];
    const auto [end, error] = std::to_chars(text, text + sizeof text, value);
    return error == std::errc{} ? std::string(text, end) : "0";
}

inline std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

// Of a part of the settings.
template <class Part, class Text>
Setting part_text(std::string name, std::string help, Part Settings::* part, Text Part::* member,
                  bool secret = false) {
    return {std::move(name), std::move(help),
            [=](Settings& s, const std::string& v) { s.*part.*member = v; },
            [=](const Settings& s) {
                const std::string text(s.*part.*member);
                return quoted(secret && !text.empty() ? "***" : text);
            }};
}

template <class Part>
Setting part_number(std::string name, std::string help, Part Settings::* part,
                    std::uint32_t Part::* member, std::uint32_t low, std::uint32_t high) {
    return {std::move(name), std::move(help),
            [=](Settings& s, const std::string& v) {
                s.*part.*member = parse_number<std::uint32_t>(v, low, high);
            },
            [=](const Settings& s) { return std::to_string(s.*part.*member); }};
}

// Of the store of files, and of the roles of a cluster.
std::vector<Setting> file_settings();
std::vector<Setting> cluster_settings();
// Of spans for a collector of traces.
std::vector<Setting> span_settings();

} // namespace parley::app
