# parley_webfiles: the web client and the API documents as bytes in the program, so that it needs no
# file beside itself. web/scripts/embed.mjs builds the client (Vite), compresses, and writes a C++
# file that includes the bytes (.incbin). A new file is found by the glob when CMake runs again.
find_program(NODE node)
find_program(FLOCK flock)
if(NOT NODE OR NOT FLOCK)
  message(FATAL_ERROR "the web client is built with Node.js 18 or later, and flock: ./run installs them")
endif()
set(embedded ${PROJECT_BINARY_DIR}/web/webfiles.cpp)
file(GLOB_RECURSE web_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/web/src/* ${PROJECT_SOURCE_DIR}/web/public/*
     ${PROJECT_SOURCE_DIR}/clients/js/src/*.ts)
list(FILTER web_files EXCLUDE REGEX "/src/generated/") # types only
file(GLOB api_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/api/*)
set(web_build_files)
foreach(name index.html package-lock.json vite.config.mjs tsconfig.json scripts/embed.mjs)
  list(APPEND web_build_files ${PROJECT_SOURCE_DIR}/web/${name})
endforeach()
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/web)

add_custom_command(
  OUTPUT ${embedded}
  # One at a time over all build folders: they share web/node_modules.
  COMMAND ${FLOCK} ${PROJECT_SOURCE_DIR}/web/package.json
          ${NODE} ${PROJECT_SOURCE_DIR}/web/scripts/embed.mjs ${PROJECT_BINARY_DIR}/web ${embedded} ${api_files}
  DEPENDS ${web_files} ${api_files} ${web_build_files}
  COMMENT "Building the web client"
  VERBATIM)
add_library(parley_webfiles STATIC ${embedded})
target_include_directories(parley_webfiles PRIVATE ${PROJECT_SOURCE_DIR}/src)
