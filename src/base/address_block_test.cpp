#include "base/address_block.hpp"
#include "base/address_counts.hpp"

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

TEST(AddressCounts, CapsEachAddressAndForgetsThoseThatLeft) {
    AddressCounts counts(2);
    const AddressBlock one = address_block("192.0.2.1"), two = address_block("192.0.2.2");
    EXPECT_TRUE(counts.enter(one));
    EXPECT_TRUE(counts.enter(one));
    EXPECT_FALSE(counts.enter(one));
    EXPECT_TRUE(counts.enter(two));
    counts.leave(one);
    EXPECT_TRUE(counts.enter(one));
    for (const AddressBlock& each : {one, one, two}) counts.leave(each);
    EXPECT_EQ(counts.addresses(), 0u);
}

} // namespace
} // namespace parley
