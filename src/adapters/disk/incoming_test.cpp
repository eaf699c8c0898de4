#include "adapters/disk/files.hpp"
#include "base/hex.hpp"
#include "base/media_limits.hpp"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <unistd.h>

namespace parley::disk {
namespace {

std::string sha256_of(const std::string& bytes) {
    std::string digest(SHA256_DIGEST_LENGTH, '\0');
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
           reinterpret_cast<unsigned char*>(digest.data()));
    return digest;
}

std::string random_bytes(std::size_t size, std::mt19937& random) {
    std::string bytes(size, '\0');
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random()); });
    return bytes;
}

class IncomingTest : public testing::Test {
protected:
    IncomingTest() : x_folder(make_folder()), x_files(x_folder) {}
    ~IncomingTest() override { std::filesystem::remove_all(x_folder); }

    static std::filesystem::path make_folder() {
        std::string name = "/var/tmp/parley-incoming-XXXXXX"; // a disk rather than memory
        return ::mkdtemp(name.data());
    }
    void write(Incoming& incoming, std::string_view bytes) {
        incoming.digest(bytes);
        ASSERT_TRUE(incoming.append(bytes));
    }
    std::string stored(const std::string& key) {
        const auto descriptor = x_files.open(key);
        if (!descriptor) return "nothing";
        std::string bytes(x_files.info(key)->size + 1, '\0');
        const ssize_t n = ::read(*descriptor, bytes.data(), bytes.size());
        ::close(*descriptor);
        bytes.resize(static_cast<std::size_t>(n));
        return bytes;
    }

    const std::filesystem::path x_folder;
    Files x_files;
};

TEST_F(IncomingTest, PiecesOfAllSizesAreTheFile) {
    std::mt19937 random(7);
    constexpr std::size_t kLeast = limits::kDiskDirectLeast, kMost = limits::kDiskDirectPiece;
    const std::size_t sizes[] = {1,      4095,       4096,  4097,         kLeast - 1,
                                 kLeast, kLeast + 1, kMost, kMost + 4095, 2 * kMost + 1};
    for (int round = 0; round < 30; ++round) {
        const std::string key = "r" + std::to_string(round);
        const auto incoming = x_files.begin(key, Files::Begin::fresh);
        ASSERT_TRUE(incoming);
        std::string all;
        for (int piece = 0; piece < 8; ++piece) {
            const std::string bytes = random_bytes(sizes[random() % std::size(sizes)], random);
            write(**incoming, bytes);
            all += bytes;
            EXPECT_EQ((*incoming)->size(), all.size());
        }
        ASSERT_TRUE(x_files.finish(key, **incoming, sha256_of(all), "video/mp4")) << round;
        EXPECT_TRUE(stored(key) == all) << "round " << round;
        EXPECT_EQ(x_files.info(key)->sha256, sha256_of(all));
    }
}

TEST_F(IncomingTest, WhatIsThereCanBeGoneOnWith) {
    std::mt19937 random(8);
    const std::string all = random_bytes(3 * limits::kDiskDirectPiece + 77, random);
    const std::size_t cut = limits::kDiskDirectPiece + 1'001;
    {
        const auto incoming = x_files.begin("k", Files::Begin::fresh);
        write(**incoming, std::string_view(all).substr(0, cut));
        EXPECT_TRUE((*incoming)->has_tail());
        EXPECT_LE(*x_files.incoming_size("k"), cut);
        ASSERT_TRUE((*incoming)->flush());
        EXPECT_EQ(*x_files.incoming_size("k"), cut);
    }
    std::size_t at = cut;
    {
        const auto lost = x_files.begin("k", Files::Begin::resume);
        write(**lost, std::string_view(all).substr(at, limits::kDiskDirectLeast + 5));
        // Its end loses what waited for the rest of a block, and no more.
    }
    at = *x_files.incoming_size("k");
    EXPECT_GT(at + 4096, cut + limits::kDiskDirectLeast + 5);
    const auto incoming = x_files.begin("k", Files::Begin::resume);
    EXPECT_EQ((*incoming)->size(), at);
    write(**incoming, std::string_view(all).substr(at));
    ASSERT_TRUE(x_files.finish("k", **incoming, "", "video/mp4"));
    EXPECT_TRUE(stored("k") == all);
    EXPECT_EQ(to_hex(x_files.info("k")->sha256), to_hex(sha256_of(all)));
}

TEST_F(IncomingTest, OtherBytesThanAnnouncedAreGone) {
    const auto incoming = x_files.begin("k", Files::Begin::fresh);
    write(**incoming, std::string(limits::kDiskDirectPiece, 'a'));
    EXPECT_EQ(x_files.finish("k", **incoming, sha256_of("b"), "video/mp4").error().code,
              Errc::media_mismatch);
    EXPECT_EQ(x_files.incoming_size("k").error().code, Errc::media_not_uploaded);
    EXPECT_FALSE(x_files.info("k"));
}

TEST_F(IncomingTest, OnlyOneWritesAKey) {
    auto incoming = x_files.begin("k", Files::Begin::fresh);
    EXPECT_EQ(x_files.begin("k", Files::Begin::resume).error().code, Errc::overloaded);
    EXPECT_EQ(x_files.begin("l", Files::Begin::fresh).value()->size(), 0U);
    *incoming = nullptr;
    EXPECT_EQ(x_files.begin("k", Files::Begin::fresh).error().code, Errc::media_mismatch);
    EXPECT_TRUE(x_files.begin("k", Files::Begin::resume));
}

} // namespace
} // namespace parley::disk
