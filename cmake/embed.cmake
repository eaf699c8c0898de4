# parley_webfiles: the web client and the API documents as bytes in the program, so that it needs no
# file beside itself. The assembler includes the files (.incbin): nothing is generated at build time, and
# a changed file costs one assembly. A new file is found by the glob when CMake runs again.
set(embedded ${PROJECT_BINARY_DIR}/webfiles.cpp)
file(GLOB_RECURSE web_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/web/*)
file(GLOB api_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/api/*)

set(content_types
  html "text/html\\; charset=utf-8" js "text/javascript\\; charset=utf-8"
  css "text/css\\; charset=utf-8" svg "image/svg+xml" json "application/json" png "image/png"
  ico "image/x-icon" woff2 "font/woff2" webmanifest "application/manifest+json")

set(symbols "")
set(rows "")
set(embedded_files "")
set(number 0)
foreach(file ${web_files} ${api_files})
  get_filename_component(extension ${file} LAST_EXT)
  string(REGEX REPLACE "^\\." "" extension "${extension}")
  list(FIND content_types "${extension}" at)
  if(at EQUAL -1 OR NOT extension MATCHES "^[a-z0-9]+$")
    continue()
  endif()
  math(EXPR at "${at} + 1")
  list(GET content_types ${at} content_type)
  string(REGEX REPLACE "^${PROJECT_SOURCE_DIR}/(web|docs/api)/" "/" path ${file})
  string(REGEX REPLACE "^(.*/)index\\.html$" "\\1" path ${path})
  string(REGEX REPLACE "^/docs\\.html$" "/docs" path ${path})
  string(REGEX REPLACE "^/parley\\.postman_collection\\.json$" "/postman.json" path ${path})
  math(EXPR number "${number} + 1")
  string(APPEND symbols "PARLEY_EMBED(${number}, \"${file}\")\n")
  string(APPEND rows "    {\"${path}\", \"${content_type}\", bytes_of(web_${number}, web_${number}_end)},\n")
  list(APPEND embedded_files ${file})
endforeach()

file(CONFIGURE OUTPUT ${embedded} @ONLY CONTENT [=[
// Made by cmake/embed.cmake.
#include "api/web_files.hpp"

// Both sides of a file's bytes get a symbol.
#define PARLEY_EMBED(number, file)                                                                 \
    extern "C" const char web_##number[], web_##number##_end[];                                    \
    asm(".pushsection .rodata\n.balign 16\n.global web_" #number "\nweb_" #number ":\n"           \
        ".incbin \"" file "\"\n.global web_" #number "_end\nweb_" #number "_end:\n.byte 0\n.popsection\n");

@symbols@
namespace parley::api {

namespace {
std::string_view bytes_of(const char* begin, const char* end) {
    return {begin, static_cast<std::size_t>(end - begin)};
}
} // namespace

std::span<const WebFile> web_files() {
    static const WebFile files[] = {
@rows@    {{}, {}, {}},
    };
    return std::span(files).first(std::size(files) - 1);
}

} // namespace parley::api
]=])
set_source_files_properties(${embedded} PROPERTIES OBJECT_DEPENDS "${embedded_files}")
add_library(parley_webfiles STATIC ${embedded})
target_include_directories(parley_webfiles PRIVATE ${PROJECT_SOURCE_DIR}/src)
