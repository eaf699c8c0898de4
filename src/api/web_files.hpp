// The web client and the API documents, built into the program by cmake/embed.cmake
// (which runs web/scripts/embed.mjs).
// Threading: constant.
#pragma once

#include <span>
#include <string_view>

namespace parley::api {

struct WebFile {
    std::string_view path, content_type, bytes;
    std::string_view gzip = {}, brotli = {}; // the same, smaller; empty where it would not be
    bool immutable = false;                  // its name changes with its bytes
    // Quoted, of the bytes. Made with the program, so that its start need not read every file.
    std::string_view etag = {};
};

std::span<const WebFile> web_files();

} // namespace parley::api
