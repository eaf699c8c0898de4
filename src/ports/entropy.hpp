// Unpredictable bytes, for secrets, tokens and connection ids. Threading: any thread.
#pragma once

#include <cstddef>
#include <span>

namespace parley::ports {

class Entropy {
public:
    virtual void fill(std::span<std::byte> out) = 0;

protected:
    ~Entropy() = default;
};

} // namespace parley::ports
