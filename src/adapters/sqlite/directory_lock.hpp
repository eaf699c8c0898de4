// DirectoryLock: the data folder belongs to one process at a time. Makes the folder (mode 700) and
// holds an exclusive flock on `parley.lock` in it, which also the loss of the process frees.
//
// Threading: value of its owner, the store. Shutdown: the destructor lets go; the file stays, since
// removing it would race with the next holder.
#pragma once

#include <filesystem>

namespace parley::sqlite {

class DirectoryLock {
public:
    // Throws std::runtime_error with a text for the operator: who holds it, or what cannot be made.
    explicit DirectoryLock(const std::filesystem::path& directory);
    ~DirectoryLock();
    DirectoryLock(const DirectoryLock&) = delete;
    DirectoryLock& operator=(const DirectoryLock&) = delete;

private:
    int x_descriptor = -1;
};

} // namespace parley::sqlite
