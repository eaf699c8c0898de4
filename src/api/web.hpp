// Serves the files that are built into the program: the web client and the API documents.
//
// Files whose name has a hash are kept by browsers for a year, all others are revalidated (ETag,
// no-cache). Who takes brotli or gzip gets what was compressed at build time. A page may load
// nothing but its own origin's files, and media from where they lie.
// Threading: pure functions; the bytes live as long as the process.
#pragma once

#include "api/router.hpp"
#include "api/web_files.hpp"
#include "net/http.hpp"

#include <span>
#include <string>

namespace parley::api {

// Each encoding has an ETag of its own, made of the file's.
net::HttpResponse serve_file(const WebFile& file, const std::string& policy,
                             const net::HttpRequest& request);
// `file_origins`: of a store of media or its cache elsewhere, with spaces between; "": there is
// none.
std::string content_security_policy(const std::string& file_origins);
// Whether Accept-Encoding (RFC 9110, section 12.5.3) names the coding, and not with q=0.
bool accepts(std::string_view accept_encoding, std::string_view coding);
// One open GET route for each file. The files must outlive the router.
void add_web_routes(Router& router, std::span<const WebFile> files,
                    const std::string& file_origins = {});

} // namespace parley::api
