#include "protocol/media/bytes.hpp"
#include "protocol/media/duration.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace parley::protocol::media {
namespace {

using namespace std::string_literals;

struct Counted {
    Measure measure;
    int reads = 0;
    std::size_t largest = 0;
};

Counted look_at(const std::string& bytes, std::uint64_t size = 0) {
    Counted counted;
    ByteSource source;
    source.size = size == 0 ? bytes.size() : size;
    source.read = [&](std::uint64_t at, std::size_t count) {
        ++counted.reads;
        counted.largest = std::max(counted.largest, count);
        return std::string(part(bytes, at, count));
    };
    counted.measure = measure(source);
    return counted;
}

std::string be(std::uint64_t value, int bytes) {
    std::string out;
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> 8 * i);
    return out;
}
std::string le(std::uint64_t value, int bytes) {
    const std::string reversed = be(value, bytes);
    return {reversed.rbegin(), reversed.rend()};
}
std::string zeros(std::size_t count) { return std::string(count, '\0'); }

std::string box(const std::string& type, const std::string& body) {
    return be(body.size() + 8, 4) + type + body;
}

std::string track(std::uint32_t width, std::uint32_t height, bool turned) {
    const std::string one = be(0x10000, 4), none = zeros(4);
    const std::string matrix =
        turned ? none + one + none + be(0xFFFF0000, 4) + none : one + none + none + none + one;
    return box("trak",
               box("tkhd", zeros(40) + matrix + zeros(16) + be(std::uint64_t{width} << 16, 4) +
                               be(std::uint64_t{height} << 16, 4)));
}

std::string mp4(const std::string& tracks, const std::string& film = "film") {
    const std::string header = box("mvhd", zeros(12) + be(600, 4) + be(7'500, 4) + zeros(80));
    return box("ftyp", "isom\0\0\0\0isom"s) + box("mdat", film) + box("moov", header + tracks);
}

std::string element(const std::string& id, const std::string& body) {
    return id + be(body.size() | std::uint64_t{1} << 56, 8) + body;
}

TEST(Duration, OfAnMp4IsInItsMovieHeader) {
    EXPECT_EQ(look_at(mp4("")).measure, (Measure{12'500, {}, {}}));
    EXPECT_EQ(
        look_at(mp4(track(0, 0, false) + track(640, 480, false) + track(16, 16, false))).measure,
        (Measure{12'500, 640, 480}));
    EXPECT_EQ(look_at(mp4(track(640, 480, true))).measure, (Measure{12'500, 480, 640}));
    const std::string wide =
        box("moov", box("mvhd", "\1"s + zeros(19) + be(1'000, 4) + be(90'061'001, 8)));
    EXPECT_EQ(look_at(box("ftyp", "qt  ") + wide).measure.duration_ms, 90'061'001u);
}

TEST(Duration, OfAWebmIsInItsInfo) {
    const std::string info = element(
        "\x15\x49\xA9\x66", element("\x2A\xD7\xB1", be(1'000'000, 3)) +
                                element("\x44\x89", be(std::bit_cast<std::uint64_t>(2'500.0), 8)));
    const std::string tracks = element(
        "\x16\x54\xAE\x6B", element("\xAE", element("\xE0", element("\xB0", be(320, 2)) +
                                                                element("\xBA", be(240, 2)))));
    const std::string head = element("\x1A\x45\xDF\xA3", "\x42\x82\x84webm");
    const std::string film = element("\x1F\x43\xB6\x75", "cluster");
    const Measure expected{2'500, 320, 240};
    EXPECT_EQ(look_at(head + element("\x18\x53\x80\x67", info + tracks + film)).measure, expected);
    // As a browser records it: nobody knew yet how long the segment would be.
    EXPECT_EQ(
        look_at(head + "\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s + info + tracks + film)
            .measure,
        expected);
    EXPECT_EQ(look_at(head + element("\x18\x53\x80\x67", tracks + film)).measure,
              (Measure{{}, 320, 240}));
}

TEST(Duration, OfSoundsIsCounted) {
    const std::string fmt = "fmt "s + le(16, 4) + le(1, 2) + le(2, 2) + le(48'000, 4) +
                            le(192'000, 4) + le(4, 2) + le(16, 2);
    const std::string wav =
        "RIFF"s + le(0, 4) + "WAVE" + fmt + "LIST" + le(3, 4) + "odd\0"s + "data";
    EXPECT_EQ(look_at(wav + le(96'000, 4) + zeros(96'000)).measure.duration_ms, 500u);
    EXPECT_EQ(look_at(wav + le(0xFFFFFFFF, 4) + zeros(96'000)).measure.duration_ms, 500u);

    const auto page = [](std::uint64_t position, const std::string& packet) {
        return "OggS\0\0"s + le(position, 8) + "seri" + zeros(8) + "\1"s +
               static_cast<char>(packet.size()) + packet;
    };
    EXPECT_EQ(look_at(page(0, "OpusHead\1\2"s + le(312, 2) + zeros(7)) + page(48'312, "x") +
                      page(~0ULL, "y"))
                  .measure.duration_ms,
              1'000u);
    EXPECT_EQ(look_at(page(0, "\1vorbis"s + zeros(4) + "\2"s + le(44'100, 4)) + page(88'200, "x"))
                  .measure.duration_ms,
              2'000u);

    const std::string frame = "\xFF\xFB\x90\x64"s; // 44,100 Hz, 128 kbit/s, stereo
    EXPECT_EQ(look_at(frame + zeros(31'996)).measure.duration_ms, 2'000u);
    EXPECT_EQ(
        look_at("ID3\4\0\0\0\0\1\0"s + zeros(128) + frame + zeros(31'996)).measure.duration_ms,
        2'000u);
    EXPECT_EQ(look_at(frame + zeros(32) + "Xing" + be(1, 4) + be(3'828, 4) + zeros(999))
                  .measure.duration_ms,
              99'997u);
}

TEST(Duration, IsNothingWhereNothingIsSaid) {
    for (const std::string& bytes :
         {""s, "text"s, zeros(64), "OggS"s, "RIFF\0\0\0\0WAVE"s, "ID3"s, "\x1A\x45\xDF\xA3"s,
          box("ftyp", "isom"), box("ftyp", "isom") + box("moov", box("mvhd", "")),
          mp4("").substr(0, 60)})
        EXPECT_EQ(look_at(bytes).measure, Measure{}) << bytes;
    // A time of 0 units in a second, or of a thousand years.
    EXPECT_EQ(look_at(box("moov", box("mvhd", zeros(12) + be(0, 4) + be(7'500, 4)))).measure,
              Measure{});
    EXPECT_EQ(look_at(box("moov", box("mvhd", zeros(12) + be(1, 4) + be(0xFFFFFFFE, 4)))).measure,
              Measure{});
}

// A file is what it claims only up to a point: millions of boxes, or a film of a terabyte.
TEST(Duration, LooksAtABoundedPartOfAnyFile) {
    std::string boxes = box("ftyp", "isom");
    for (int i = 0; i < 100'000; ++i) boxes += box("free", "");
    const Counted many = look_at(boxes + mp4(""));
    EXPECT_EQ(many.measure, Measure{});
    EXPECT_LE(many.reads, kReadsMax);
    EXPECT_LE(many.largest, kReadMax);
    const std::uint64_t terabyte = std::uint64_t{1} << 40;
    const Counted large =
        look_at(box("ftyp", "isom") + be(1, 4) + "mdat" + be(terabyte - 20, 8), terabyte);
    EXPECT_LE(large.reads, 8);
    const Counted ogg = look_at("OggS\0\0"s + zeros(20) + "\1\x13OpusHead"s + zeros(11), terabyte);
    EXPECT_LE(ogg.reads, 4);
}

} // namespace
} // namespace parley::protocol::media
