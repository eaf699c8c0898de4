#include "protocol/media/film.hpp"

#include <gtest/gtest.h>

namespace parley::protocol::media {
namespace {

using namespace std::string_literals;

constexpr const char* kPlace = "+52.5200+013.4050/";

std::string box(const std::string& type, const std::string& body) {
    const auto size = static_cast<std::uint32_t>(body.size() + 8);
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
    return out + type + body;
}

std::string film(const std::string& place) {
    const std::string track = box("trak", box("tkhd", "size") + box("udta", box("name", place)));
    const std::string moov = box("mvhd", "time") + track + box("udta", box("\xA9xyz", place)) +
                             box("meta", box("ilst", place)) + box("uuid", place);
    return box("ftyp", "isom\0\0\0\0isom"s) + box("moov", moov) + box("mdat", "sound of " + place) +
           box("uuid", "XMP " + place);
}

TEST(Film, PlacesAndNamesAreBlankedAndNothingMoves) {
    const std::string before = film(kPlace);
    std::string bytes = before;
    ASSERT_TRUE(is_film(bytes));
    EXPECT_TRUE(strip_film(bytes));
    ASSERT_EQ(bytes.size(), before.size());
    const std::size_t found = bytes.find(kPlace);
    EXPECT_EQ(found, before.find("sound of ") + 9) << "what is in a track stays";
    EXPECT_EQ(bytes.find(kPlace, found + 1), std::string::npos);
    for (const char* kept : {"mvhd", "tkhd", "mdat"})
        EXPECT_EQ(bytes.find(kept), before.find(kept)) << kept;
    EXPECT_FALSE(strip_film(bytes)) << "once is enough";
}

TEST(Film, WithoutMetadataNothingIsChanged) {
    std::string bytes = box("ftyp", "isom\0\0\0\0isom"s) + box("moov", box("mvhd", "time"));
    const std::string before = bytes;
    EXPECT_FALSE(strip_film(bytes));
    EXPECT_EQ(bytes, before);
}

TEST(Film, HostileSizesEndTheWalk) {
    std::string bytes = box("ftyp", "isom\0\0\0\0isom"s) + "\xff\xff\xff\xffudta" + kPlace;
    EXPECT_FALSE(strip_film(bytes));
    bytes = box("ftyp", "isom\0\0\0\0isom"s) + "\0\0\0\1udta\xff\xff\xff\xff\xff\xff\xff\xff"s;
    EXPECT_FALSE(strip_film(bytes));
    std::string deep = box("udta", kPlace);
    for (int i = 0; i < 1000; ++i) deep = box("moov", deep);
    EXPECT_FALSE(strip_film(deep)) << "so deep nothing is looked for";
    bytes = "\0\0\0\0udta"s + kPlace; // to the end of the file
    EXPECT_TRUE(strip_film(bytes));
    EXPECT_EQ(bytes.find(kPlace), std::string::npos);
}

TEST(Film, PicturesOfTheFamilyAndOtherFilesAreNone) {
    EXPECT_FALSE(is_film("\0\0\0\x14"
                         "ftypavif\0\0\0\0avif"s));
    EXPECT_FALSE(is_film("\x1A\x45\xDF\xA3 and more than sixteen"));
    EXPECT_FALSE(is_film(""));
}

} // namespace
} // namespace parley::protocol::media
