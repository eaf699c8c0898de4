// Bytes from the kernel's generator (getrandom). Threading: any thread. It cannot fail once the
// machine has booted; if it does, the process ends, because nothing safe is left to do.
#pragma once

#include "ports/entropy.hpp"

namespace parley::system {

class SystemEntropy final : public ports::Entropy {
public:
    void fill(std::span<std::byte> out) override;
};

} // namespace parley::system
