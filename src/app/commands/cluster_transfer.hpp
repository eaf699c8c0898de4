// A cluster as a data folder, and back: export and import of a cluster go through a store of one
// file, so that there is one format, and one check of the rules, for both kinds of server.
//
// Threading: the main thread. Owner: the command. Errors: std::runtime_error for the operator.
// Bound: the disk under TMPDIR must hold the whole.
#pragma once

#include "app/commands/console.hpp"
#include "app/settings.hpp"

#include <filesystem>

namespace parley::app {

inline bool is_cluster(const Settings& settings) { return !settings.cluster.directory_db.empty(); }

// A folder of mode 700 under TMPDIR, removed with the object.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return x_path; }

private:
    std::filesystem::path x_path;
};

// The cluster's store, one moment of each database, as a new data folder.
void gather_cluster(const Settings& settings, const std::filesystem::path& data, Console& console);
// The store of a data folder into a cluster that has no accounts and no rooms, and of which no
// process runs. Each database is filled in one transaction, the directory's is the last to be
// committed.
void fill_cluster(const Settings& settings, const std::filesystem::path& data, Console& console);

} // namespace parley::app
