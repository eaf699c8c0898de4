#include "net/ws_codec.hpp"
#include "net/ws_deflate.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace parley::net {
namespace {

using testing::ElementsAre;

constexpr WsLimits kLimits{.message_bytes = 1000, .fragments = 8, .binary = true};

std::string masked(std::uint8_t first, std::string_view payload, int length_bytes = -1) {
    std::string out(1, static_cast<char>(first));
    const std::size_t size = payload.size();
    if (length_bytes < 0) length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
    out += static_cast<char>(0x80 | (length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127));
    for (int i = length_bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
    const std::string mask = "\x5A\x01\xFF\x80";
    out += mask;
    for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
    return out;
}

// Every event as text, fed in pieces of `step` bytes (0: all at once).
std::vector<std::string> events_of(std::string bytes, std::size_t step = 0,
                                   const WsLimits& limits = kLimits, bool deflate = false) {
    static constexpr const char* names[] = {"text", "binary", "ping", "pong", "close", "failure"};
    std::vector<std::string> out;
    WsParser parser;
    Inflater inflater;
    WsLimits limits_now = limits;
    if (deflate) limits_now.inflater = &inflater;
    if (step == 0) step = bytes.size();
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        std::string piece = bytes.substr(at, step);
        std::span<char> input(piece);
        while (const auto event = parser.next(input, limits_now)) {
            std::string line = names[static_cast<int>(event->kind)];
            if (event->kind == WsEvent::Kind::close || event->kind == WsEvent::Kind::failure)
                line += " " + std::to_string(static_cast<int>(event->code));
            out.push_back(line + " " + std::string(event->data));
        }
    }
    return out;
}

std::string close_payload(int code, std::string_view reason = {}) {
    std::string out{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
    return out += reason;
}

TEST(WsParser, every_split_of_a_stream_gives_the_same_events) {
    const std::string stream =
        masked(0x81, "hello") + masked(0x01, "sp\xC3") + masked(0x89, "in between") +
        masked(0x00, "\xA4") + masked(0x80, "lit") + masked(0x81, "") +
        masked(0x82, std::string(300, '\xFF')) + masked(0x8A, "pong") + masked(0x01, "") +
        masked(0x80, "late") + masked(0x88, close_payload(1000, "bye")) + masked(0x81, "after");
    const auto whole = events_of(stream);
    EXPECT_THAT(whole, ElementsAre("text hello", "ping in between", "text sp\xC3\xA4lit", "text ",
                                   "binary " + std::string(300, '\xFF'), "pong pong", "text late",
                                   "close 1000 bye"));
    for (std::size_t step = 1; step < stream.size(); ++step)
        EXPECT_EQ(events_of(stream, step), whole) << "step " << step;
}

struct Row {
    const char* name;
    std::string bytes;
    std::string last; // event
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string name_of_row(const testing::TestParamInfo<Row>& row) { return row.param.name; }

class WsRows : public testing::TestWithParam<Row> {};

TEST_P(WsRows, ends_alike_however_it_is_split) {
    const Row& row = GetParam();
    for (const std::size_t step : {0, 1, 2, 3, 7, 11}) {
        const auto events = events_of(row.bytes, step);
        ASSERT_FALSE(events.empty()) << "step " << step;
        EXPECT_EQ(events.back(), row.last) << "step " << step;
    }
}

const std::string kUnmasked("\x81\x02hi", 4);

INSTANTIATE_TEST_SUITE_P(
    attack_22_illegal_frames, WsRows,
    testing::Values(
        Row{"unmasked", kUnmasked, "failure 1002 "},
        Row{"rsv1", masked(0xC1, "x"), "failure 1002 "},
        Row{"rsv2", masked(0xA1, "x"), "failure 1002 "},
        Row{"rsv3", masked(0x91, "x"), "failure 1002 "},
        Row{"opcode_3", masked(0x83, "x"), "failure 1002 "},
        Row{"opcode_7", masked(0x87, "x"), "failure 1002 "},
        Row{"opcode_11", masked(0x8B, "x"), "failure 1002 "},
        Row{"fragmented_ping", masked(0x09, "x"), "failure 1002 "},
        Row{"ping_of_126", masked(0x89, std::string(126, 'x')), "failure 1002 "},
        Row{"ping_of_125", masked(0x89, std::string(125, 'x')), "ping " + std::string(125, 'x')},
        Row{"continuation_first", masked(0x80, "x"), "failure 1002 "},
        Row{"text_inside_text", masked(0x01, "x") + masked(0x81, "y"), "failure 1002 "},
        Row{"continuation_after_end", masked(0x01, "x") + masked(0x80, "y") + masked(0x80, "z"),
            "failure 1002 "},
        Row{"close_of_one_byte", masked(0x88, "x"), "failure 1002 "},
        Row{"close_999", masked(0x88, close_payload(999)), "failure 1002 "},
        Row{"close_1004", masked(0x88, close_payload(1004)), "failure 1002 "},
        Row{"close_1005", masked(0x88, close_payload(1005)), "failure 1002 "},
        Row{"close_1006", masked(0x88, close_payload(1006)), "failure 1002 "},
        Row{"close_1015", masked(0x88, close_payload(1015)), "failure 1002 "},
        Row{"close_2999", masked(0x88, close_payload(2999)), "failure 1002 "},
        Row{"close_5000", masked(0x88, close_payload(5000)), "failure 1002 "},
        Row{"close_3000", masked(0x88, close_payload(3000)), "close 3000 "},
        Row{"close_4999", masked(0x88, close_payload(4999)), "close 4999 "},
        Row{"close_empty", masked(0x88, ""), "close 1005 "},
        Row{"close_bad_reason", masked(0x88, close_payload(1000, "\xC0\x80")), "failure 1007 "}),
    name_of_row);

std::string header_only(std::uint8_t length7, std::uint64_t length) {
    std::string out{'\x81', static_cast<char>(0x80 | length7)};
    const int bytes = length7 == 126 ? 2 : 8;
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(length >> (8 * i));
    return out;
}

INSTANTIATE_TEST_SUITE_P(
    attack_23_length_lies, WsRows,
    testing::Values(Row{"not_minimal_16", header_only(126, 125), "failure 1002 "},
                    Row{"not_minimal_64", header_only(127, 65535), "failure 1002 "},
                    Row{"highest_bit", header_only(127, std::uint64_t{1} << 63), "failure 1002 "},
                    Row{"largest", header_only(127, ~std::uint64_t{0} >> 1), "failure 1009 "},
                    Row{"one_over_the_limit", header_only(126, 1001), "failure 1009 "},
                    Row{"at_the_limit", masked(0x81, std::string(1000, 'x')),
                        "text " + std::string(1000, 'x')},
                    Row{"fragments_over_the_limit",
                        masked(0x01, std::string(600, 'x')) + masked(0x80, std::string(401, 'x')),
                        "failure 1009 "}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    attack_26_bad_utf8, WsRows,
    testing::Values(Row{"surrogate", masked(0x81, "\xCE\xBA\xE1\xBD\xB9\xED\xA0\x80"),
                        "failure 1007 "},
                    Row{"overlong", masked(0x81, "\xC0\x80"), "failure 1007 "},
                    Row{"ends_inside_a_code_point", masked(0x81, "\xE2\x82"), "failure 1007 "},
                    Row{"fails_before_the_message_ends", masked(0x01, "ok\xFF"), "failure 1007 "},
                    Row{"split_inside_a_code_point",
                        masked(0x01, "\xE2\x82") + masked(0x80, "\xAC"), "text \xE2\x82\xAC"}),
    name_of_row);

TEST(WsParser, attack_23_a_lie_about_the_length_allocates_nothing) {
    WsParser parser;
    std::string bytes = header_only(127, 900) + "mask";
    std::span<char> input(bytes);
    const WsLimits limits{.message_bytes = std::size_t{1} << 62, .fragments = 8};
    EXPECT_EQ(parser.next(input, limits)->code, CloseCode::protocol_error);

    WsParser other;
    bytes = header_only(127, std::uint64_t{1} << 61) + "mask";
    input = bytes;
    EXPECT_FALSE(other.next(input, limits)); // a reserve() of that size would throw
    EXPECT_TRUE(other.incomplete());
}

TEST(WsParser, attack_25_too_many_fragments_fail) {
    std::string flood = masked(0x01, "a");
    for (int i = 0; i < 7; ++i) flood += masked(0x00, "a");
    EXPECT_THAT(events_of(flood), ElementsAre());
    EXPECT_THAT(events_of(flood + masked(0x00, "")), ElementsAre("failure 1009 "));
}

TEST(WsParser, binary_is_refused_at_its_first_byte_when_not_wanted) {
    WsParser parser;
    std::string bytes = "\x82";
    std::span<char> input(bytes);
    const auto event = parser.next(input, {.message_bytes = 100, .fragments = 1});
    ASSERT_TRUE(event);
    EXPECT_EQ(event->code, CloseCode::unsupported_data);
}

TEST(WsParser, a_message_in_one_piece_is_not_copied) {
    WsParser parser;
    std::string bytes = masked(0x81, "in place");
    std::span<char> input(bytes);
    const auto event = parser.next(input, kLimits);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->data.data(), bytes.data() + 6);
    EXPECT_FALSE(parser.next(input, kLimits));
    EXPECT_FALSE(parser.incomplete());
}

class WsDeflateRows : public testing::TestWithParam<Row> {};

TEST_P(WsDeflateRows, ends_alike_however_it_is_split) {
    const Row& row = GetParam();
    for (const std::size_t step : {0, 1, 2, 3, 7, 11}) {
        const auto events = events_of(row.bytes, step, kLimits, true);
        ASSERT_FALSE(events.empty()) << "step " << step;
        EXPECT_EQ(events.back(), row.last) << "step " << step;
    }
}

// RFC 7692's compressed "Hello", and a stored block that is longer.
const std::string kHello("\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
std::string stored(std::string_view text) {
    const std::size_t size = text.size();
    std::string out{0, static_cast<char>(size), static_cast<char>(size >> 8),
                    static_cast<char>(~size), static_cast<char>(~size >> 8)};
    return out.append(text) + std::string(1, '\0');
}

INSTANTIATE_TEST_SUITE_P(
    attack_22_and_24_with_deflate, WsDeflateRows,
    testing::Values(
        Row{"hello", masked(0xC1, kHello), "text Hello"},
        Row{"binary", masked(0xC2, kHello), "binary Hello"},
        Row{"plain_beside_it", masked(0xC1, kHello) + masked(0x81, "plain"), "text plain"},
        Row{"fragments",
            masked(0x41, kHello.substr(0, 3)) + masked(0x00, "") + masked(0x80, kHello.substr(3)),
            "text Hello"},
        Row{"control_between",
            masked(0x41, kHello.substr(0, 3)) + masked(0x89, "p") + masked(0x80, kHello.substr(3)),
            "text Hello"},
        Row{"rsv1_on_a_continuation",
            masked(0x41, kHello.substr(0, 3)) + masked(0xC0, kHello.substr(3)), "failure 1002 "},
        Row{"rsv1_on_a_ping", masked(0xC9, ""), "failure 1002 "},
        Row{"rsv1_on_a_close", masked(0xC8, ""), "failure 1002 "},
        Row{"rsv2", masked(0xE1, kHello), "failure 1002 "},
        Row{"rsv3_alone", masked(0x91, "x"), "failure 1002 "},
        Row{"no_deflate_stream", masked(0xC1, "Hello"), "failure 1007 "},
        Row{"cut_short", masked(0xC1, kHello.substr(0, 4)), "failure 1007 "},
        Row{"bad_utf8", masked(0xC1, stored("\xC0\x80")), "failure 1007 "},
        Row{"ends_inside_a_code_point", masked(0xC1, stored("\xE2\x82")), "failure 1007 "},
        Row{"the_cap", masked(0xC1, stored(std::string(1000, 'x'))),
            "text " + std::string(1000, 'x')},
        Row{"one_more", masked(0xC1, stored(std::string(1001, 'x'))), "failure 1009 "},
        Row{"too_long_on_the_wire", header_only(126, 1127), "failure 1009 "},
        Row{"too_long_before_inflating", "\xC1" + header_only(126, 1127).substr(1),
            "failure 1009 "}),
    name_of_row);

TEST(WsFrames, headers_have_the_shortest_form) {
    EXPECT_EQ(TextHeader(0).bytes(), std::string_view("\x81\x00", 2));
    EXPECT_EQ(TextHeader(125).bytes(), "\x81\x7D");
    EXPECT_EQ(TextHeader(126).bytes(), std::string_view("\x81\x7E\x00\x7E", 4));
    EXPECT_EQ(TextHeader(65535).bytes(), "\x81\x7E\xFF\xFF");
    EXPECT_EQ(TextHeader(65536).bytes(), std::string_view("\x81\x7F\0\0\0\0\0\x01\0\0", 10));
    EXPECT_EQ(make_text_frame("hi").bytes(), "\x81\x02hi");
}

TEST(WsFrames, a_close_reason_is_cut_between_code_points) {
    std::string reason(122, 'a');
    reason += "\xE2\x82\xAC";
    const FrameRef frame = make_close_frame(CloseCode::idle, reason);
    EXPECT_EQ(frame.size(), 2 + 2 + 122U);
    EXPECT_EQ(make_close_frame(CloseCode::none_received, "x").bytes(),
              std::string_view("\x88\x00", 2));
}

} // namespace
} // namespace parley::net
