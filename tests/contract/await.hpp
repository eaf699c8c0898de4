// await(): see tests/support/await.hpp.
#pragma once

#include "tests/support/await.hpp"

namespace parley::contract {

using test::await;
using test::await_all;

} // namespace parley::contract
