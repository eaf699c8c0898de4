// The word lists of the content filter from their folder: <language>.txt, in the grammar of
// chat/word_list.hpp, and the built-in list. Blocks; any thread.
#pragma once

#include "service/word_lists.hpp"

#include <filesystem>

namespace parley::app {

// No `folder` (""): only the built-in list. A folder that is not there is an error, as is a file
// that cannot be read or breaks a bound: invalid_field, with its name.
Result<std::vector<service::WordFile>> read_word_files(const std::filesystem::path& folder,
                                                       bool default_list);

} // namespace parley::app
