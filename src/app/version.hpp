// The program's version, as CMake knows it.
#pragma once

#include <string_view>

namespace parley::app {

#ifdef PARLEY_VERSION
inline constexpr std::string_view kVersion = PARLEY_VERSION;
#else
inline constexpr std::string_view kVersion = "0.0.0";
#endif

} // namespace parley::app
