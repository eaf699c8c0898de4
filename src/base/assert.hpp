// PARLEY_ASSERT: for bugs only, on in release too. It prints the place and aborts: a process in a
// state that its author ruled out must not go on to acknowledge messages. What the world does
// (a bad frame, a full disk) is never asserted; it is a Result (result.hpp).
#pragma once

namespace parley {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

} // namespace parley

#define PARLEY_ASSERT(expression)                                                                  \
    (static_cast<bool>(expression) ? static_cast<void>(0)                                          \
                                   : ::parley::assertion_failed(#expression, __FILE__, __LINE__))
