// The bound of what is remembered of nonces (model::NewNonces). As in limits.hpp: beside it stands
// what happens there.
#pragma once

#include <cstddef>

namespace parley::limits {

// Of a log, or of a partition, twice: the older half is forgotten, and what is older is looked up.
// A power of two.
inline constexpr std::size_t kRecentNonces = 16 * 1024;

} // namespace parley::limits
