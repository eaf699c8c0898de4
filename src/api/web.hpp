// Serves the files that are built into the program: the web client and the API documents.
//
// Answers are revalidated (ETag, no-cache), and a page may load nothing but its own origin's files.
// Threading: pure functions; the bytes live as long as the process.
#pragma once

#include "api/router.hpp"
#include "api/web_files.hpp"
#include "net/http.hpp"

#include <span>
#include <string>

namespace parley::api {

// A quoted hash of the bytes.
std::string etag_of(std::string_view bytes);
net::HttpResponse serve_file(const WebFile& file, std::string_view etag,
                             const net::HttpRequest& request);
// One open GET route for each file. The files must outlive the router.
void add_web_routes(Router& router, std::span<const WebFile> files);

} // namespace parley::api
