#include "adapters/crypto/hs256_signer.hpp"
#include "adapters/crypto/secret_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <gmock/gmock.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace parley::crypto {
namespace {

using testing::HasSubstr;

class CountingEntropy final : public ports::Entropy {
public:
    void fill(std::span<std::byte> out) override {
        ++calls;
        for (std::byte& b : out) b = static_cast<std::byte>(x_next++);
    }
    int calls = 0;

private:
    unsigned x_next = 1;
};

class SecretFile : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/parley_secret_XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        directory = name;
        path = directory / "secret";
    }
    void TearDown() override { std::filesystem::remove_all(directory); }
    void put(std::string_view bytes, mode_t mode) {
        std::ofstream(path, std::ios::binary) << bytes;
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    }
    std::string failure() {
        try {
            load_or_make_secret(path, entropy);
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "";
    }
    std::filesystem::path directory, path;
    CountingEntropy entropy;
};

TEST_F(SecretFile, IsMadeOnceWithMode600) {
    const std::string first = load_or_make_secret(path, entropy);
    EXPECT_GE(first.size(), 32u);
    struct stat facts{};
    ASSERT_EQ(::stat(path.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777, 0600u);
    EXPECT_EQ(load_or_make_secret(path, entropy), first);
    EXPECT_EQ(entropy.calls, 1);
    EXPECT_NO_THROW(Hs256Signer{first});
    EXPECT_FALSE(std::filesystem::exists(directory / "secret.new"));
}

TEST_F(SecretFile, AnUnfinishedOneFromACrashIsReplaced) {
    std::ofstream(directory / "secret.new") << "half";
    EXPECT_GE(load_or_make_secret(path, entropy).size(), 32u);
}

TEST_F(SecretFile, AnOperatorsOwnIsTakenWithoutItsLineBreak) {
    put(std::string(40, 'k') + "\n", 0400);
    EXPECT_EQ(load_or_make_secret(path, entropy), std::string(40, 'k'));
}

TEST_F(SecretFile, Attack4_AShortOneIsRefusedWithAClearText) {
    for (const char* weak : {"", "secret", "secret\n", "0123456789abcdef0123456789abcde\n"}) {
        put(weak, 0600);
        EXPECT_THAT(failure(), HasSubstr("at least 32"));
        EXPECT_THAT(failure(), HasSubstr(path.string()));
    }
    EXPECT_EQ(entropy.calls, 0);
}

TEST_F(SecretFile, OneThatOthersCanReadIsRefused) {
    for (const mode_t mode : {0644, 0640, 0604, 0620, 0602, 0610}) {
        put(std::string(40, 'k'), mode);
        EXPECT_THAT(failure(), HasSubstr("chmod 600")) << mode;
    }
}

TEST_F(SecretFile, WhatIsNotASecretFileIsRefused) {
    put(std::string(5'000, 'k'), 0600);
    EXPECT_THAT(failure(), HasSubstr("too long"));
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
    EXPECT_THAT(failure(), HasSubstr("not a regular file"));
    path = directory / "absent" / "secret";
    EXPECT_THAT(failure(), HasSubstr("cannot be made"));
}

} // namespace
} // namespace parley::crypto
