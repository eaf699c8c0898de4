// Where Redis is. Values from app/wiring; a password is never logged.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace parley::redis {

struct Address {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6379;
};

struct Settings {
    // Channels are spread over all of them by their hash, so every process names the same ones in
    // the same order. Presence is on the first.
    std::vector<Address> addresses{Address{}};
    std::string username, password; // empty: none is asked for
};

} // namespace parley::redis
