// Spans of messages as OTLP: their ids, and the JSON of ExportTraceServiceRequest.
//
//   trace id := the message's id (8 bytes) mixed(id) (8 bytes)
//   span id  := mixed(id, stage), of deliver: mixed(id, stage, process, core)
//   sampled  := the last 7 bytes of the trace id >= (1 - ratio) * 2^56, as W3C's consistent
//               probability sampling has it
//   parents  := produce and sequence have message; store and deliver have sequence
//
// Threading: pure functions. No content and no user is in them.
#pragma once

#include "ports/span_sink.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace parley::otlp {

struct Resource {
    std::string service, node, version; // service.name, .instance.id, .version
};

std::string trace_id(model::EventId event); // 32 hexadecimal digits
std::uint64_t rejected_below(double ratio);
bool is_sampled(model::EventId event, std::uint64_t rejected_below);
std::string to_json(const Resource& resource, std::span<const ports::MessageSpan> spans);

} // namespace parley::otlp
