// A rate limit as an operator writes it: `50/s:200` is 50 a second, 200 at once; `/m` and `/h` are
// a minute and an hour; without `:BURST` the burst is the rate's number, at least 1; `off` is no
// limit.
//
//   rate  = "off" | number "/" unit [ ":" number ]     unit = "s" | "m" | "h"
//   number: from 0.001 to 10^12, whole or decimal
//
// Threading: pure functions.
#pragma once

#include "base/rate_bucket.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace parley::app {

std::optional<RateLimit> rate_from(std::string_view text);
std::string text_of(const RateLimit& limit);

} // namespace parley::app
