#include "app/commands/command.hpp"
#include "app/media_worker.hpp"

#include <string_view>

int main(int argc, char** argv) {
    // Not a command for people, and quicker without their parser.
    if (argc > 1 && std::string_view(argv[1]) == "media-worker")
        return parley::app::run_media_worker({argv + 2, static_cast<std::size_t>(argc - 2)});
    return parley::app::run_command_line(argc, argv);
}
