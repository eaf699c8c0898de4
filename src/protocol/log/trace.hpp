// What processes of a cluster ask each other about the way of one event: transient records
// (codec.hpp) on the people's channel, of kinds of their own; an older process does not answer.
//
//   question := kind 101; payload number:u64 event:i64
//   answer   := kind 102; payload asker:bytes number:u64 event:i64 accepted:i64 published:i64
//               stored:i64 delivered:i64 connections:u32      times in ms since 1970, 0: not known
//
// `number` is the asker's, unlike that of its other questions. Threading: pure. Errors:
// invalid_field.
#pragma once

#include "base/result.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace parley::protocol::log {

inline constexpr std::uint8_t kTraceAsked = 101, kTraceTold = 102;

struct TraceQuestion {
    std::uint64_t number = 0;
    model::EventId event;
};
struct TraceAnswer {
    std::string asker;
    TraceQuestion question;
    std::int64_t accepted_ms = 0, published_ms = 0, stored_ms = 0, delivered_ms = 0;
    std::uint32_t connections = 0;
};

std::string encode(const TraceQuestion& question);
std::string encode(const TraceAnswer& answer);
Result<TraceQuestion> decode_trace_question(std::string_view payload);
Result<TraceAnswer> decode_trace_answer(std::string_view payload);

} // namespace parley::protocol::log
