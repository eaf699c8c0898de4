// Application: the one place where everything is made, joined and stopped. Members stand in the
// order in which they are made; they are stopped and destroyed in reverse.
//
// Threading: construct, run() and destroy on the main thread, which is core 0. request_stop() from
// any thread. Shutdown (SIGTERM, SIGINT): no new connections; goaway; what is in flight is answered
// and committed; connections close; exit within limits::kDrainTimeout + 2 s.
#pragma once

#include "app/settings.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace parley::app {

// What this process is for.
enum class Role : std::uint8_t {
    all,  // everything, embedded: `parley serve`
    chat, // of a cluster: sockets, and REST where a proxy leads it here
    user, // of a cluster: REST
    media // of a cluster: REST, of which it is sent what concerns files; removes files
};

class Application {
public:
    // Throws std::runtime_error with a text for the operator.
    explicit Application(Settings settings, Role role = Role::all);
    ~Application();
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;

    // The address to open, e.g. http://127.0.0.1:8080.
    std::string link() const;
    // Serves until a signal or request_stop(); answers the exit status.
    int run();
    void request_stop();

private:
    struct Parts;
    std::unique_ptr<Parts> x_parts;
};

} // namespace parley::app
