#include "base/address_block.hpp"

#include <gtest/gtest.h>

namespace parley {
namespace {

TEST(AddressBlock, Ipv6CountsByItsFirst64Bits) {
    EXPECT_EQ(address_block("2001:db8:1:2::1"), address_block("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    EXPECT_NE(address_block("2001:db8:1:2::1"), address_block("2001:db8:1:3::1"));
}

TEST(AddressBlock, Ipv4CountsByTheWholeAddressHoweverItIsWritten) {
    EXPECT_NE(address_block("192.0.2.1"), address_block("192.0.2.2"));
    EXPECT_EQ(address_block("192.0.2.1"), address_block("::ffff:192.0.2.1"));
    EXPECT_NE(address_block("0.0.0.0"), address_block("::"));
}

TEST(AddressBlock, WhatIsNoAddressShares) {
    EXPECT_EQ(address_block(""), address_block("nonsense"));
    EXPECT_EQ(address_block("1.2.3.4.5"), AddressBlock{});
}

} // namespace
} // namespace parley
