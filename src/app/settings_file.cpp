#include "app/settings_file.hpp"

#include "app/setting.hpp"
#include "app/settings.hpp"

#include <toml++/toml.h>

#include <algorithm>

namespace parley::app {

namespace {

std::string dashed(std::string_view key) {
    std::string name(key);
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

// Tables are flattened: [tls] cert = "x" is tls-cert.
void flatten(const toml::table& table, const std::string& prefix,
             std::map<std::string, std::string>& out, const std::string& file) {
    for (const auto& [key, node] : table) {
        const std::string name = prefix + dashed(key.str());
        if (const auto* inner = node.as_table())
            flatten(*inner, name + "-", out, file);
        else if (const auto text = node.value_exact<std::string>())
            out[name] = *text;
        else if (const auto number = node.value_exact<std::int64_t>())
            out[name] = std::to_string(*number);
        else if (const auto real = node.value_exact<double>())
            out[name] = print_real(*real);
        else if (const auto flag = node.value_exact<bool>())
            out[name] = *flag ? "true" : "false";
        else if (const auto* list = node.as_array()) {
            std::string joined;
            for (const auto& item : *list) {
                const auto text_item = item.value_exact<std::string>();
                if (!text_item)
                    throw SettingsError("setting " + name + " (" + file +
                                        "): a list of strings is expected");
                joined += *text_item + ",";
            }
            out[name] = joined;
        } else {
            throw SettingsError("setting " + name + " (" + file +
                                "): a string, number, boolean or list is expected");
        }
    }
}

} // namespace

std::map<std::string, std::string> read_settings_file(const std::string& file) {
    std::map<std::string, std::string> values;
    try {
        flatten(toml::parse_file(file), "", values, file);
    } catch (const toml::parse_error& e) {
        throw SettingsError("settings file " + file + ": " + std::string(e.description()) +
                            " (line " + std::to_string(e.source().begin.line) + ")");
    }
    return values;
}

} // namespace parley::app
