// Sha256: the hash of bytes that come in pieces (FIPS 180-4, by OpenSSL). Threading: value of its
// owner. It cannot fail but for lack of memory, which throws std::bad_alloc.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace parley::crypto {

class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    void add(std::string_view bytes);
    // Of everything so far, 64 hexadecimal digits. More may be added afterwards.
    std::string hex() const;

private:
    struct State;
    std::unique_ptr<State> x_state;
};

} // namespace parley::crypto
