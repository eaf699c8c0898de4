#include "service/media_types.hpp"

#include <gtest/gtest.h>

#include <set>

namespace parley::service {
namespace {

using namespace std::string_view_literals;

struct Sample {
    std::string_view type;
    std::string_view bytes;
};

constexpr std::string_view kJpeg = "\xFF\xD8\xFF\xE0\0\x10JFIF\0"sv;
constexpr std::string_view kPng = "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\1"sv;
constexpr std::string_view kGif = "GIF89a\1\0\1\0\x80\0\0"sv;
constexpr std::string_view kWebp = "RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0"sv;
constexpr std::string_view kAvif = "\0\0\0\x1C"
                                   "ftypmif1\0\0\0\0"
                                   "mif1avifmiaf"sv;
constexpr std::string_view kHeic = "\0\0\0\x18"
                                   "ftypheic\0\0\0\0"
                                   "mif1heic"sv;
constexpr std::string_view kMp4 = "\0\0\0\x18"
                                  "ftypmp42\0\0\0\0"
                                  "isommp42"sv;
constexpr std::string_view kQuicktime = "\0\0\0\x14"
                                        "ftypqt  \0\0\0\0"
                                        "qt  "sv;
constexpr std::string_view kWebm = "\x1A\x45\xDF\xA3\x9F\x42\x86\x81\1\x42\xF7\x81\1\x42\xF2\x81\4"
                                   "\x42\xF3\x81\x08\x42\x82\x84webm"sv;
constexpr std::string_view kMatroska =
    "\x1A\x45\xDF\xA3\xA3\x42\x86\x81\1\x42\xF7\x81\1\x42\xF2\x81\4"
    "\x42\xF3\x81\x08\x42\x82\x88matroska"sv;
constexpr std::string_view kMp3 = "ID3\4\0\0\0\0\0\x23TSSE"sv;
constexpr std::string_view kMp3Frame = "\xFF\xFB\x90\x64\0\0"sv;
constexpr std::string_view kOgg = "OggS\0\2\0\0\0\0"sv;
constexpr std::string_view kWav = "RIFF\x24\0\0\0WAVEfmt "sv;
constexpr std::string_view kPdf = "%PDF-1.7\n%\xE2\xE3"sv;
constexpr std::string_view kZip = "PK\3\4\x14\0\0\0"sv;
constexpr std::string_view kHtml = "<!doctype html><script>alert(1)</script>"sv;
constexpr std::string_view kSvg = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"sv;
constexpr std::string_view kProgram = "\x7F"
                                      "ELF\2\1\1\0"sv;

bool matches(std::string_view type, std::string_view bytes) {
    const MediaType* known = find_media_type(type);
    return known && first_bytes_match(*known, bytes, true);
}

TEST(MediaTypes, EachTypeTakesItsOwnBytes) {
    for (const Sample& sample : {Sample{"image/jpeg", kJpeg},
                                 {"image/png", kPng},
                                 {"image/gif", kGif},
                                 {"image/webp", kWebp},
                                 {"image/avif", kAvif},
                                 {"video/mp4", kMp4},
                                 {"video/quicktime", kQuicktime},
                                 {"video/webm", kWebm},
                                 {"audio/webm", kWebm},
                                 {"audio/mpeg", kMp3},
                                 {"audio/mpeg", kMp3Frame},
                                 {"audio/ogg", kOgg},
                                 {"audio/mp4", kMp4},
                                 {"audio/wav", kWav},
                                 {"application/pdf", kPdf},
                                 {"application/zip", kZip},
                                 {"text/plain", kHtml},
                                 {"text/html", kHtml},
                                 {"image/svg+xml", kSvg}})
        EXPECT_TRUE(matches(sample.type, sample.bytes)) << sample.type;
}

// A picture that is none is the way in for a script: no type that is shown inline takes text, a
// program, or the bytes of another kind.
TEST(MediaTypes, NoTypeThatIsShownTakesAnotherKindOfFile) {
    const std::string_view strange[] = {kHtml, kSvg,      kPdf, kZip,  kProgram,
                                        kHeic, kMatroska, "",   "\0"sv};
    const Sample known[] = {{"image/jpeg", kJpeg}, {"image/png", kPng},   {"image/gif", kGif},
                            {"image/webp", kWebp}, {"image/avif", kAvif}, {"audio/ogg", kOgg},
                            {"audio/wav", kWav}};
    for (const MediaType& type : media_types()) {
        if (!type.shown_inline) continue;
        for (const auto bytes : strange)
            EXPECT_FALSE(first_bytes_match(type, bytes, true)) << type.name << ' ' << bytes;
        for (const Sample& other : known)
            EXPECT_EQ(first_bytes_match(type, other.bytes, true), other.type == type.name)
                << type.name << ' ' << other.type;
    }
}

TEST(MediaTypes, BytesThatAreCutShortMatchNothing) {
    for (const std::string_view bytes : {kPng, kWebp, kAvif, kMp4, kQuicktime, kWebm, kMp3, kWav})
        for (std::size_t size = 0; size < 10; ++size)
            for (const MediaType& type : media_types())
                EXPECT_FALSE(type.shown_inline &&
                             first_bytes_match(type, bytes.substr(0, size), true))
                    << type.name << ' ' << size;
}

TEST(MediaTypes, TextIsUtf8WithoutControls) {
    EXPECT_TRUE(matches("text/plain", "Gr\u00FC\u00DFe,\tWelt\r\n"));
    EXPECT_TRUE(matches("text/plain", ""));
    EXPECT_FALSE(matches("text/plain", "a\0b"sv));
    EXPECT_FALSE(matches("text/plain", "\xFF\xFEh\0"sv));
    EXPECT_FALSE(matches("text/plain", kProgram));
    // A character may be cut where only the beginning is seen, not at the end of the file.
    const MediaType& text = *find_media_type("text/plain");
    EXPECT_TRUE(first_bytes_match(text, "Gr\xC3", false));
    EXPECT_FALSE(first_bytes_match(text, "Gr\xC3", true));
}

TEST(MediaTypes, NamesAreFoundInAnyCaseAndWithParameters) {
    EXPECT_EQ(find_media_type("Image/PNG"), find_media_type("image/png"));
    EXPECT_EQ(find_media_type("text/plain; charset=utf-8"), find_media_type("text/plain"));
    for (const auto none : {"", "image/", "image/x-icon", "application/x-msdownload",
                            "text/javascript", "application/octet-stream", "*/*"})
        EXPECT_FALSE(find_media_type(none)) << none;
}

TEST(MediaTypes, WhatMayRunIsOnlyAnAttachment) {
    for (const auto active : {"image/svg+xml", "text/html", "application/pdf", "text/plain"})
        EXPECT_FALSE(find_media_type(active)->shown_inline) << active;
    std::set<std::string_view> names;
    for (const MediaType& type : media_types()) {
        EXPECT_TRUE(names.insert(type.name).second) << type.name;
        EXPECT_EQ(find_media_type(type.name), &type);
        EXPECT_TRUE(type.shown_inline || !type.picture) << type.name;
    }
}

} // namespace
} // namespace parley::service
