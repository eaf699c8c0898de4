#include "adapters/otlp/spans.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace parley::otlp {
namespace {

using Stage = ports::MessageSpan::Stage;

constexpr std::uint64_t kRandomBits = 56;

// SplitMix64's finaliser.
constexpr std::uint64_t mixed(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

std::uint64_t number(model::EventId event) { return static_cast<std::uint64_t>(event.value); }

std::string hex(std::uint64_t value) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text(16, '0');
    for (std::size_t i = text.size(); i-- > 0; value >>= 4) text[i] = digits[value & 15];
    return text;
}

std::uint64_t of_text(std::string_view text) {
    std::uint64_t value = 0;
    for (const char c : text) value = mixed(value ^ static_cast<unsigned char>(c));
    return value;
}

std::uint64_t span_id(model::EventId event, Stage stage, std::uint64_t where = 0) {
    const std::uint64_t id =
        mixed(mixed(number(event)) ^ (static_cast<std::uint64_t>(stage) + 1) ^ where);
    return id ? id : 1; // 0 is no span
}

struct StageInfo {
    std::string_view name;
    int kind; // of OTLP: 1 internal, 2 server, 3 client, 4 producer, 5 consumer
    Stage parent;
};

StageInfo info_of(Stage stage) {
    switch (stage) {
    case Stage::message: return {"message", 2, Stage::message};
    case Stage::produce: return {"produce", 4, Stage::message};
    case Stage::sequence: return {"sequence", 5, Stage::message};
    case Stage::store: return {"store", 3, Stage::sequence};
    case Stage::deliver: break;
    }
    return {"deliver", 1, Stage::sequence};
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    out += '"';
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
    if (out.back() == '}') out += ',';
    out += R"({"key":")";
    out += key;
    out += R"(","value":{"stringValue":)";
    append_quoted(out, value);
    out += "}}";
}

void append_number(std::string& out, std::string_view key, std::uint64_t value) {
    if (out.back() == '}') out += ',';
    out += R"({"key":")";
    out += key;
    out += R"(","value":{"intValue":")" + std::to_string(value) + R"("}})";
}

void append_span(std::string& out, std::uint64_t node, const ports::MessageSpan& span) {
    const StageInfo info = info_of(span.stage);
    const bool of_core = span.stage == Stage::deliver;
    const std::uint64_t where = of_core ? mixed(node ^ span.core) : 0;
    out += R"({"traceId":")" + trace_id(span.event);
    out += R"(","spanId":")" + hex(span_id(span.event, span.stage, where));
    if (span.stage != Stage::message)
        out += R"(","parentSpanId":")" + hex(span_id(span.event, info.parent));
    out += R"(","name":")";
    out += info.name;
    out += R"(","kind":)" + std::to_string(info.kind);
    out += R"(,"startTimeUnixNano":")" + std::to_string(span.begin_us) + "000";
    // Two clocks may have measured it.
    out += R"(","endTimeUnixNano":")" + std::to_string(std::max(span.begin_us, span.end_us)) +
           R"(000","attributes":[)";
    append_text(out, "parley.message_id", std::to_string(span.event.value));
    append_text(out, "parley.room_id", std::to_string(span.room.value));
    if (of_core) {
        append_number(out, "parley.core", span.core);
        append_number(out, "parley.connections", span.connections);
    }
    out += "]}";
}

} // namespace

std::string trace_id(model::EventId event) {
    return hex(number(event)) + hex(mixed(number(event)));
}

std::uint64_t rejected_below(double ratio) {
    const double whole = std::ldexp(1.0, kRandomBits);
    return static_cast<std::uint64_t>(whole - std::clamp(ratio, 0.0, 1.0) * whole);
}

bool is_sampled(model::EventId event, std::uint64_t rejected_below) {
    constexpr std::uint64_t mask = (std::uint64_t{1} << kRandomBits) - 1;
    return (mixed(number(event)) & mask) >= rejected_below;
}

std::string to_json(const Resource& resource, std::span<const ports::MessageSpan> spans) {
    std::string out;
    out.reserve(512 + 420 * spans.size());
    out += R"({"resourceSpans":[{"resource":{"attributes":[)";
    append_text(out, "service.name", resource.service);
    append_text(out, "service.namespace", "parley");
    append_text(out, "service.instance.id", resource.node);
    append_text(out, "service.version", resource.version);
    out += R"(]},"scopeSpans":[{"scope":{"name":"parley"},"spans":[)";
    const std::uint64_t node = of_text(resource.node);
    for (const ports::MessageSpan& span : spans) {
        if (out.back() == '}') out += ',';
        append_span(out, node, span);
    }
    out += "]}]}]}";
    return out;
}

} // namespace parley::otlp
