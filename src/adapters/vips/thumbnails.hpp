// Decodes a picture and makes smaller ones of it, by libvips. Only ever used in the media worker, a
// process that may do nothing else: see app/media_worker.hpp.
//
// libvips is opened when the first picture comes (dlopen) and not linked: it brings some hundred
// libraries with it, which a server must neither load nor need (docs/adr/0009).
//
// Threading: one thread. Owner: the media worker. Shutdown: none; the process ends.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace parley::vips {

struct Pixels {
    std::uint32_t width = 0, height = 0;
    std::vector<std::uint8_t> rgb; // row by row
};

struct Thumbnail {
    std::uint32_t width = 0, height = 0;
    std::string webp; // without metadata, the right way up
};

class Library {
public:
    // unavailable: it is not installed.
    static Result<std::unique_ptr<Library>> open();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    // Not longer than `longest` on either side, never larger than the picture. invalid_field: it
    // cannot be decoded, or by nothing that is allowed to.
    Result<Thumbnail> thumbnail(std::string_view picture, std::uint32_t longest);
    Result<Pixels> pixels(std::string_view picture, std::uint32_t longest);

private:
    struct Functions;
    explicit Library(const Functions& functions) : x_functions(functions) {}
    Result<void*> shrink(std::string_view picture, std::uint32_t longest);
    Error failure() const;
    const Functions& x_functions;
};

} // namespace parley::vips
