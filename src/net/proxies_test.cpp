#include "net/proxies.hpp"

#include <gtest/gtest.h>

namespace parley::net {
namespace {

std::string client(const std::vector<std::string>& trusted, const std::string& peer,
                   const std::vector<std::string>& forwarded) {
    HttpRequest request;
    for (const auto& value : forwarded) request.headers.emplace_back("x-forwarded-for", value);
    request.headers.emplace_back("x-forwarded-proto", "https");
    TrustedProxies(trusted).resolve(request, peer, false);
    return request.peer_address + (request.tls ? " tls" : "");
}

TEST(TrustedProxies, only_a_named_peer_is_believed) {
    EXPECT_EQ(client({}, "10.0.0.1", {"1.2.3.4"}), "10.0.0.1");
    EXPECT_EQ(client({"10.0.0.2"}, "10.0.0.1", {"1.2.3.4"}), "10.0.0.1");
    EXPECT_EQ(client({"10.0.0.1"}, "10.0.0.1", {"1.2.3.4"}), "1.2.3.4 tls");
}

TEST(TrustedProxies, takes_the_rightmost_address_that_is_no_proxy) {
    EXPECT_EQ(client({"10.0.0.0/8"}, "10.0.0.1", {"6.6.6.6, 1.2.3.4, 10.9.9.9"}), "1.2.3.4 tls");
    EXPECT_EQ(client({"10.0.0.0/8"}, "10.0.0.1", {"6.6.6.6", "1.2.3.4:55, 10.1.1.1"}),
              "1.2.3.4 tls");
    EXPECT_EQ(client({"10.0.0.0/8"}, "10.0.0.1", {"10.3.3.3, 10.2.2.2"}), "10.3.3.3 tls");
    EXPECT_EQ(client({"10.0.0.0/8"}, "10.0.0.1", {"1.2.3.4, nonsense"}), "10.0.0.1 tls");
    EXPECT_EQ(client({"10.0.0.0/8"}, "10.0.0.1", {}), "10.0.0.1 tls");
}

TEST(TrustedProxies, knows_ipv6_and_blocks) {
    EXPECT_EQ(client({"fd00::/8"}, "fd12::1", {"[2001:db8::1]:443"}), "2001:db8::1 tls");
    EXPECT_EQ(client({"::1"}, "::1", {"2001:db8::1"}), "2001:db8::1 tls");
    const TrustedProxies proxies({"192.168.16.0/20", "::1"});
    EXPECT_TRUE(proxies.trusts("192.168.31.255"));
    EXPECT_FALSE(proxies.trusts("192.168.32.0"));
    EXPECT_TRUE(proxies.trusts("::ffff:192.168.16.1"));
    EXPECT_FALSE(proxies.trusts("::2"));
    EXPECT_TRUE(TrustedProxies({"0.0.0.0/0"}).trusts("8.8.8.8"));
    EXPECT_FALSE(TrustedProxies({"0.0.0.0/0"}).trusts("2001:db8::1"));
}

TEST(TrustedProxies, a_bad_entry_is_named) {
    for (const char* bad :
         {"", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129", "host"})
        try {
            TrustedProxies proxies({bad});
            ADD_FAILURE() << bad;
        } catch (const std::runtime_error& failure) {
            EXPECT_NE(std::string(failure.what()).find("'" + std::string(bad) + "'"),
                      std::string::npos);
        }
}

} // namespace
} // namespace parley::net
