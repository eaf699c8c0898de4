# The .deb: `cpack -G DEB` in the build folder, after the target package_files. Scripts of the
# package are in deploy/debian/; tests/package/ installs, upgrades and removes it.
# What a package holds beside the program is made from the program and from deploy/.
set(staged ${PROJECT_BINARY_DIR}/package)
# The date of SOURCE_DATE_EPOCH, where that is set: the same package from the same sources.
string(TIMESTAMP changelog_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(deploy/debian/changelog.in ${staged}/changelog @ONLY)
add_custom_target(package_files DEPENDS parley
  COMMAND ${CMAKE_COMMAND} -E make_directory ${staged}
  COMMAND parley completions bash > ${staged}/parley.bash
  COMMAND parley completions zsh > ${staged}/_parley
  COMMAND parley completions fish > ${staged}/parley.fish
  COMMAND gzip -9nc ${PROJECT_SOURCE_DIR}/deploy/man/parley.1 > ${staged}/parley.1.gz
  COMMAND gzip -9nc ${staged}/changelog > ${staged}/changelog.gz
  COMMAND gzip -9nc ${PROJECT_SOURCE_DIR}/CHANGELOG.md > ${staged}/CHANGELOG.md.gz
  VERBATIM)

install(TARGETS parley DESTINATION usr/bin)
install(FILES ${staged}/parley.bash DESTINATION usr/share/bash-completion/completions RENAME parley)
install(FILES ${staged}/_parley DESTINATION usr/share/zsh/vendor-completions)
install(FILES ${staged}/parley.fish DESTINATION usr/share/fish/vendor_completions.d)
install(FILES ${staged}/parley.1.gz DESTINATION usr/share/man/man1)
install(FILES ${staged}/changelog.gz ${staged}/CHANGELOG.md.gz deploy/debian/copyright
  DESTINATION usr/share/doc/parley)
install(FILES deploy/systemd/parley.service DESTINATION lib/systemd/system)
install(FILES deploy/debian/parley.toml DESTINATION etc/parley)

# Packing builds nothing: the target package_files has.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME parley)
# PARLEY_PACKAGE_VERSION is for tests of an upgrade.
set(PARLEY_PACKAGE_VERSION ${PROJECT_VERSION} CACHE STRING "Version of the package")
set(CPACK_PACKAGE_VERSION ${PARLEY_PACKAGE_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The Parley authors <parley@localhost>")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "durable, ordered real-time chat server
Rooms, direct messages, history, presence and resume over REST and WebSocket,
in one program with everything inside. Nothing that was acknowledged is lost.")
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libvips42") # opened by the media worker, if it is there
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "ffmpeg") # posters of films
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/deploy/debian/postinst ${PROJECT_SOURCE_DIR}/deploy/debian/prerm
  ${PROJECT_SOURCE_DIR}/deploy/debian/postrm ${PROJECT_SOURCE_DIR}/deploy/debian/conffiles)
include(CPack)
