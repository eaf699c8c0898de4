// The TOML file of settings as names and values in text: [tls] cert = "x" is tls-cert. The only
// home of the TOML parser, which is slow to compile. Pure function of the file.
#pragma once

#include <map>
#include <string>

namespace parley::app {

// Throws SettingsError: not readable, not TOML, or a value of a kind that no setting has.
std::map<std::string, std::string> read_settings_file(const std::string& file);

} // namespace parley::app
