#include "adapters/crypto/sha256.hpp"

#include <gtest/gtest.h>

namespace parley::crypto {
namespace {

// Vectors of FIPS 180-4.
TEST(Sha256, StandardVectors) {
    Sha256 hash;
    EXPECT_EQ(hash.hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash.add("a");
    hash.add("bc");
    EXPECT_EQ(hash.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash.add("");
    EXPECT_EQ(hash.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

} // namespace
} // namespace parley::crypto
