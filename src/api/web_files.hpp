// The web client and the API documents, built into the program by cmake/embed.cmake.
// Threading: constant.
#pragma once

#include <span>
#include <string_view>

namespace parley::api {

struct WebFile {
    std::string_view path, content_type, bytes;
};

std::span<const WebFile> web_files();

} // namespace parley::api
