#include "protocol/media/bytes.hpp"
#include "protocol/media/exif.hpp"
#include "protocol/media/picture.hpp"

#include <gtest/gtest.h>

namespace parley::protocol::media {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

const std::string kSecret = "latitude 52.5200 N";

std::string exif_block(std::uint8_t orientation) { return make_orientation(orientation) + kSecret; }

std::string segment(std::uint8_t marker, const std::string& body) {
    std::string out = "\xFF"s + static_cast<char>(marker);
    out += static_cast<char>((body.size() + 2) >> 8);
    out += static_cast<char>(body.size() + 2);
    return out + body;
}

const std::string kFrame = "\x08\0\x30\0\x40\x03\x01\x22\0\x02\x11\1\x03\x11\1"s; // 64 x 48
const std::string kScan = "\xFF\xDA\0\x02"s + "coded\xFF\0more\xFF\xD0last"s;

std::string jpeg(const std::string& segments, const std::string& after = "") {
    return "\xFF\xD8"s + segment(0xE0, "JFIF\0\1\1\0\0\1\0\1\0\0"s) + segments +
           segment(0xC2, kFrame) + kScan + segment(0xC4, "tables") + kScan + "\xFF\xD9" + after;
}

std::string png_chunk(const std::string& type, const std::string& body) {
    std::string out;
    put_be32(out, static_cast<std::uint32_t>(body.size()));
    return out + type + body + "crc!";
}

std::string png(const std::string& chunks, std::uint32_t width = 64, std::uint32_t height = 48) {
    std::string header;
    put_be32(header, width);
    put_be32(header, height);
    return "\x89PNG\r\n\x1A\n"s + png_chunk("IHDR", header + "\x08\x02\0\0\0"s) + chunks +
           png_chunk("IDAT", "pixels") + png_chunk("IEND", "");
}

std::string webp_chunk(const std::string& name, const std::string& body) {
    std::string out = name;
    put_le32(out, static_cast<std::uint32_t>(body.size()));
    return out + body + (body.size() % 2 != 0 ? "\0"s : ""s);
}

std::string webp(const std::string& chunks) {
    std::string size;
    put_le32(size, static_cast<std::uint32_t>(chunks.size() + 4));
    return "RIFF" + size + "WEBP" + chunks;
}

const std::string kWebpPixels = webp_chunk("VP8L", "\x2F\x3F\xC0\x0B\0more"s); // 64 x 48

std::string gif(const std::string& blocks) {
    return "GIF89a\x40\0\x30\0\x80\0\0"s + "\0\0\0\xFF\xFF\xFF"s + blocks;
}
const std::string kControl = "\x21\xF9\x04\0\x0A\0\0\0"s;
const std::string kGifFrame = "\x2C\0\0\0\0\x40\0\x30\0\0\x02\x03\x84\x8F\x51\0"s;

std::string box(const std::string& type, const std::string& body) {
    std::string out;
    put_be32(out, static_cast<std::uint32_t>(body.size() + 8));
    return out + type + body;
}

// One item of each place that Exif may stand in: in the file and in the box idat.
std::string avif(const std::string& pixels, const std::string& exif, const std::string& xmp) {
    const std::string ftyp = box("ftyp", "avif\0\0\0\0avif"s);
    const auto meta = [&](std::uint32_t at) {
        std::string offset, length, xmp_length;
        put_be32(offset, at);
        put_be32(length, static_cast<std::uint32_t>(exif.size()));
        put_be32(xmp_length, static_cast<std::uint32_t>(xmp.size()));
        const std::string size = "\0\0\0\0\0\0\0\x40\0\0\0\x30"s;
        return box("meta",
                   "\0\0\0\0"s +
                       box("iinf", "\0\0\0\0\0\3"s + box("infe", "\2\0\0\0\0\1\0\0av01\0"s) +
                                       box("infe", "\2\0\0\0\0\2\0\0Exif\0"s) +
                                       box("infe", "\2\0\0\0\0\3\0\0mime\0"s)) +
                       box("iprp", box("ipco", box("ispe", size))) + box("idat", xmp) +
                       box("iloc", "\1\0\0\0\x44\0\0\2"s + "\0\2\0\0\0\0\0\1"s + offset + length +
                                       "\0\3\0\1\0\0\0\1"s + "\0\0\0\0"s + xmp_length));
    };
    const std::size_t before = ftyp.size() + meta(0).size() + 8;
    const auto at = static_cast<std::uint32_t>(before + pixels.size());
    return ftyp + meta(at) + box("mdat", pixels + exif);
}

TEST(PictureHeader, SaysHowLargeEachFormatIs) {
    for (const std::string& bytes :
         {jpeg(""), png(""), webp(kWebpPixels), gif(kControl + kGifFrame + ";"),
          avif("pixels", "exif", "xmp"),
          webp(webp_chunk("VP8 ", "\x30\1\0\x9D\x01\x2A\x40\0\x30\0rest"s)),
          webp(webp_chunk("VP8X", "\0\0\0\0\x3F\0\0\x2F\0\0"s) + kWebpPixels)}) {
        const auto header = read_picture_header(bytes);
        ASSERT_TRUE(header) << bytes.substr(0, 12) << header.error().detail;
        EXPECT_EQ(header->width, 64u);
        EXPECT_EQ(header->height, 48u);
        EXPECT_EQ(header->orientation, 1);
        EXPECT_EQ(header->format, *picture_format(bytes));
    }
    EXPECT_FALSE(read_picture_header("<svg width='64' height='48'/>"));
    EXPECT_FALSE(read_picture_header(png("", 0, 48)));
}

// What decides whether a picture is decoded at all must see the size that it will have.
TEST(PictureHeader, SaysHowLargeABombIs) {
    EXPECT_EQ(read_picture_header(png("", 50'000, 50'000))->pixels(), 2'500'000'000u);
    std::string frame = kGifFrame;
    frame[1] = frame[2] = '\xFF'; // a frame far outside its screen
    EXPECT_EQ(read_picture_header(gif(frame + ";"))->width, 65'535u + 64);
}

TEST(PictureHeader, KnowsWhichWayUp) {
    const std::string exif = exif_block(6);
    EXPECT_EQ(read_picture_header(jpeg(segment(0xE1, "Exif\0\0"s + exif)))->orientation, 6);
    EXPECT_EQ(read_picture_header(png(png_chunk("eXIf", exif)))->orientation, 6);
    EXPECT_EQ(read_picture_header(webp(webp_chunk("VP8X", "\x08\0\0\0\x3F\0\0\x2F\0\0"s) +
                                       kWebpPixels + webp_chunk("EXIF", exif)))
                  ->orientation,
              6);
    EXPECT_EQ(read_orientation("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x08\0\0\0"sv), 8);
    for (const auto none :
         {""sv, "Exif\0\0"sv, "II*\0\xFF\xFF\xFF\xFF"sv, "MM\0*\0\0\0\x08\xFF\xFF"sv})
        EXPECT_EQ(read_orientation(none), 1);
    EXPECT_EQ(read_orientation(make_orientation(9)), 1);
}

// Nothing of it is left, the rest is there byte for byte, and a second time there is nothing to do.
void expect_stripped(const std::string& bytes, const std::string& expected) {
    const auto stripped = strip_metadata(bytes);
    ASSERT_TRUE(stripped) << stripped.error().detail;
    ASSERT_TRUE(*stripped);
    EXPECT_EQ(**stripped, expected);
    EXPECT_EQ((*stripped)->find(kSecret), std::string::npos);
    const auto again = strip_metadata(expected);
    ASSERT_TRUE(again);
    EXPECT_FALSE(*again);
}

TEST(StripMetadata, LeavesTheSegmentsOfAJpegThatMakeThePixels) {
    const std::string colours = segment(0xE2, "ICC_PROFILE\0\1\1profile"s);
    const std::string gone = segment(0xE1, "Exif\0\0"s + exif_block(1)) +
                             segment(0xE1, "http://ns.adobe.com/xap/1.0/\0"s + kSecret) +
                             segment(0xED, "Photoshop 3.0\0"s + kSecret) +
                             segment(0xE2, "MPF\0"s + kSecret) + segment(0xFE, kSecret) +
                             segment(0xE0, "JFXX\0"s + kSecret);
    const std::string adobe = segment(0xEE, "Adobe\0\x64\0\0\0\0\1"s);
    expect_stripped(jpeg(gone + colours + adobe, "\xFF\xD8second picture " + kSecret),
                    jpeg(colours + adobe));
}

TEST(StripMetadata, KeepsWhichWayUp) {
    const std::string exif = exif_block(6), kept = make_orientation(6);
    expect_stripped(jpeg(segment(0xE1, "Exif\0\0"s + exif)),
                    jpeg(segment(0xE1, "Exif\0\0"s + kept)));
    const std::string wide = "\0\0\0\x3F\0\0\x2F\0\0"s;
    expect_stripped(
        webp(webp_chunk("VP8X", "\x1C"s + wide) + kWebpPixels + webp_chunk("EXIF", exif) +
             webp_chunk("XMP ", kSecret)),
        webp(webp_chunk("VP8X", "\x18"s + wide) + kWebpPixels + webp_chunk("EXIF", kept)));
    const auto stripped = strip_metadata(png(png_chunk("eXIf", exif)));
    EXPECT_EQ(read_picture_header(**stripped)->orientation, 6);
    // Computed by zlib's crc32 of "eXIf" and the block.
    EXPECT_NE((*stripped)->find("eXIf" + kept + "\xD6\x67\x4B\x69"), std::string::npos);
}

TEST(StripMetadata, LeavesTheChunksOfAPng) {
    const std::string colours = png_chunk("gAMA", "\0\0\xB1\x8F"s) + png_chunk("iCCP", "profile");
    expect_stripped(png(png_chunk("eXIf", exif_block(1)) + colours + png_chunk("tEXt", kSecret) +
                        png_chunk("zTXt", kSecret) + png_chunk("iTXt", kSecret) +
                        png_chunk("tIME", "1234567")) +
                        kSecret,
                    png(colours));
}

TEST(StripMetadata, LeavesTheFramesOfAWebp) {
    const std::string wide = "\0\0\0\x3F\0\0\x2F\0\0"s;
    const std::string frames = webp_chunk("ICCP", "odd") + webp_chunk("ANMF", "frame");
    expect_stripped(webp(webp_chunk("VP8X", "\x2E"s + wide) + frames +
                         webp_chunk("EXIF", exif_block(1)) + webp_chunk("XMP ", kSecret)) +
                        kSecret,
                    webp(webp_chunk("VP8X", "\x22"s + wide) + frames));
}

TEST(StripMetadata, LeavesTheFramesOfAGif) {
    const std::string loop = "\x21\xFF\x0BNETSCAPE2.0\x03\1\0\0\0"s;
    const std::string size(1, static_cast<char>(kSecret.size()));
    const std::string comment = "\x21\xFE"s + size + kSecret + "\0"s;
    const std::string xmp = "\x21\xFF\x0BXMP DataXMP"s + size + kSecret + "\0"s;
    const std::string frames = kControl + kGifFrame + kControl + kGifFrame;
    expect_stripped(gif(loop + comment + frames + xmp + ";") + kSecret, gif(loop + frames + ";"));
}

TEST(StripMetadata, MakesZerosOfWhatAnAvifSays) {
    const std::string zeros(kSecret.size(), '\0');
    expect_stripped(avif("pixels", kSecret, kSecret), avif("pixels", zeros, zeros));
}

TEST(StripMetadata, RefusesAFileThatIsCutAnywhere) {
    for (const std::string& whole :
         {png(png_chunk("tEXt", kSecret)), webp(kWebpPixels + webp_chunk("XMP ", kSecret)),
          gif(kControl + kGifFrame + ";")})
        for (std::size_t size = 0; size < whole.size(); ++size)
            EXPECT_FALSE(strip_metadata(std::string_view(whole).substr(0, size))) << size;
    // Of a JPEG what was decoded stays of use; but no segment may reach beyond the end.
    const std::string whole = jpeg(segment(0xE1, "Exif\0\0"s + exif_block(1)));
    for (std::size_t size = 2; size < whole.size(); ++size) {
        const auto stripped = strip_metadata(std::string_view(whole).substr(0, size));
        EXPECT_TRUE(!stripped || stripped->value_or("").find(kSecret) == std::string::npos) << size;
    }
}

TEST(FirstFrameOfGif, IsAllThatIsLeftOfAMillion) {
    std::string frames;
    for (int i = 0; i < 1'000; ++i) frames += kControl + kGifFrame;
    EXPECT_EQ(*first_frame_of_gif(gif("\x21\xFE\1x\0"s + frames + ";")),
              gif(kControl + kGifFrame + ";"));
    EXPECT_EQ(*first_frame_of_gif(gif(frames)), gif(kControl + kGifFrame + ";"));
    EXPECT_FALSE(first_frame_of_gif(gif(";")));
    EXPECT_FALSE(first_frame_of_gif(gif(kControl + kGifFrame.substr(0, 12))));
}

} // namespace
} // namespace parley::protocol::media
