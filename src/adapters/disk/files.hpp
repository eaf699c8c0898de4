// Files: the folder of the embedded store. Everything here blocks.
//
//   incoming/KEY    an upload that is not finished
//   objects/SHA256  each content once
//   keys/KEY        the object of a key: another name of its content (a hard link)
//   keys/KEY.info   its SHA-256 and type; written last: without it there is no object
//
// A crash at any moment leaves an object whole or not there, and nothing that remove() of its key
// does not take away. Threading: any thread. Owner: the store. Errors: media_storage_full,
// media_unavailable, and those named.
#pragma once

#include "adapters/disk/incoming.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace parley::disk {

struct StoredInfo {
    std::string sha256, content_type;
    std::uint64_t size = 0;
    std::int64_t modified = 0; // seconds since 1970
};

class Files {
public:
    // Throws std::runtime_error with a text for the operator.
    explicit Files(std::filesystem::path folder);

    std::uint64_t free_bytes() const;

    enum class Begin : std::uint8_t { fresh, resume };
    // media_mismatch: there is an object, or (fresh) an unfinished upload; overloaded: somebody
    // else writes to it.
    Result<std::shared_ptr<Incoming>> begin(const std::string& key, Begin how);
    // How much of an unfinished upload is there; media_not_uploaded: nothing of it.
    Result<std::uint64_t> incoming_size(const std::string& key) const;
    // On the disk when it answers. media_mismatch: other bytes than `sha256` says ("": any); the
    // upload is gone then.
    Result<void> finish(const std::string& key, Incoming& incoming, const std::string& sha256,
                        const std::string& content_type);
    void discard(const std::string& key);

    Result<StoredInfo> info(const std::string& key) const; // media_not_uploaded
    Result<int> open(const std::string& key) const;        // media_not_uploaded
    // A symbolic link to the object: a hard one would count as one more key of its content.
    Result<void> link(const std::string& key, const std::filesystem::path& to) const;
    Result<void> remove(const std::string& key);
    const std::filesystem::path& folder() const { return x_folder; }

private:
    std::filesystem::path incoming_path(const std::string& key) const;
    std::filesystem::path key_path(const std::string& key) const;
    std::filesystem::path object_path(const std::string& sha256) const;
    Result<void> place(const std::string& key, const std::string& sha256);
    Result<void> write_info(const std::string& key, const std::string& sha256,
                            const std::string& content_type);
    void release(const std::string& key);

    const std::filesystem::path x_folder;
    std::mutex x_placing; // names come and go
    std::mutex x_mutex;
    std::unordered_set<std::string> x_written; // keys that somebody writes to
};

} // namespace parley::disk
