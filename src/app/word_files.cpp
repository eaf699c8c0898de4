#include "app/word_files.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <fstream>

namespace parley::app {

namespace {

namespace fs = std::filesystem;

Error wrong(const fs::path& path, const std::string& what) {
    return {Errc::invalid_field, path.string() + ": " + what};
}

Result<service::WordFile> read_file(const fs::path& path) {
    std::error_code failure;
    const auto size = fs::file_size(path, failure);
    if (failure) return wrong(path, failure.message());
    if (size > limits::kFilterFileBytes) return wrong(path, "the file is too large");
    service::WordFile file{path.stem().string(), path.string(), std::string(size, '\0')};
    std::ifstream in(path, std::ios::binary);
    in.read(file.bytes.data(), static_cast<std::streamsize>(size));
    if (!in) return wrong(path, "it cannot be read");
    return file;
}

} // namespace

Result<std::vector<service::WordFile>> read_word_files(const fs::path& folder, bool default_list) {
    std::vector<service::WordFile> files;
    if (default_list)
        for (const chat::DefaultWords& words : chat::default_words())
            files.push_back({std::string(words.language),
                             "the built-in list (" + std::string(words.language) + ")",
                             std::string(words.file)});
    if (folder.empty()) return files;
    std::error_code failure;
    std::vector<fs::path> paths;
    for (fs::directory_iterator each(folder, failure), end; !failure && each != end;
         each.increment(failure))
        if (each->path().extension() == ".txt") paths.push_back(each->path());
    if (failure) return wrong(folder, failure.message());
    if (paths.size() > limits::kFilterFiles) return wrong(folder, "there are too many files");
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) {
        PARLEY_TRY(auto file, read_file(path));
        files.push_back(std::move(file));
    }
    return files;
}

} // namespace parley::app
