// Files of backups: copied with their hash, and on the disk before they are named.
//
// Threading: main thread. Errors: std::runtime_error with the file's name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace parley::app {

struct FileFacts {
    std::uint64_t bytes = 0;
    std::string sha256;
};

FileFacts hash_file(const std::filesystem::path& file);
// Into a new file of mode 600, synced.
FileFacts copy_synced(const std::filesystem::path& from, const std::filesystem::path& to);
void write_file(const std::filesystem::path& file, std::string_view bytes);
// At most `limit` bytes; more are an error.
std::string read_file(const std::filesystem::path& file, std::size_t limit);
void make_private_folder(const std::filesystem::path& folder);
void sync_path(const std::filesystem::path& file_or_folder);
// Fails where `to` exists, whatever it is.
void rename_new(const std::filesystem::path& from, const std::filesystem::path& to);

} // namespace parley::app
