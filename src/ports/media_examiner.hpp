// Finds out what is in a file that a stranger has uploaded: how large a picture is, how long a
// film, and pictures made of it. Whatever the file is, it costs the caller no more than the wait.
//
// Threading: any core. Errors: invalid_field (nothing can be said of such a file; again would be
// the same), unavailable (the work was cut short: killed, out of memory or of time; again may
// help), overloaded, shutting_down.
#pragma once

#include "base/task.hpp"
#include "model/media.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace parley::ports {

struct Examined {
    std::optional<std::uint32_t> width, height; // as shown
    std::optional<std::uint64_t> duration_ms;
    std::string blurhash;
    std::optional<model::PictureSize> small, large; // of files in `folder`: small.webp, large.webp
    bool poster = false;                            // they are of a frame of a film
};

class MediaExaminer {
public:
    // `folder` exists, is empty, and stays the caller's.
    virtual Task<Result<Examined>> examine(std::filesystem::path file,
                                           std::filesystem::path folder) = 0;
    // The same picture or film without its metadata, into a file that does not exist yet. False:
    // there was nothing to take out, and there is no such file.
    virtual Task<Result<bool>> strip(std::filesystem::path file, std::filesystem::path to) = 0;

protected:
    ~MediaExaminer() = default;
};

} // namespace parley::ports
