// Pictures: what is found out about the files of this server, joined: the gallery, the examiner in
// its own processes, and the log that tells the rooms.
//
// Threading: core 0. Owner: app/application, which calls step() again and again. Shutdown: stop()
// kills what is being looked at, which is looked at again after the next start; then the step in
// progress is waited for.
#pragma once

#include "app/media_process.hpp"
#include "app/storage.hpp"
#include "service/media_gallery.hpp"

#include <filesystem>

namespace parley::app {

class Pictures {
public:
    struct Parts {
        Storage& storage; // that has media
        service::Rooms& rooms;
        const ports::Clock& clock;
        std::filesystem::path data;
        Logger& log;
        Metrics& metrics;
    };
    explicit Pictures(const Parts& parts);

    Task<std::chrono::milliseconds> step() { return x_gallery.step(); }
    void stop() { x_examiner.stop(); }

private:
    MediaProcess x_examiner;
    service::MediaGallery x_gallery;
};

} // namespace parley::app
