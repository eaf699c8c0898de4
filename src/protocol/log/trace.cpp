#include "protocol/log/trace.hpp"

#include "protocol/log/bytes.hpp"

namespace parley::protocol::log {
namespace {

Error damaged() { return {Errc::invalid_field, "a damaged record of a trace"}; }

void put(Writer& out, const TraceQuestion& question) {
    out.u64(question.number);
    out.id(question.event);
}

TraceQuestion take(Reader& in) {
    TraceQuestion question;
    question.number = in.u64();
    question.event = in.id<model::EventId>();
    return question;
}

} // namespace

std::string encode(const TraceQuestion& question) {
    Writer out;
    put(out, question);
    return out.take();
}

std::string encode(const TraceAnswer& answer) {
    Writer out;
    out.bytes(answer.asker);
    put(out, answer.question);
    out.i64(answer.accepted_ms);
    out.i64(answer.published_ms);
    out.i64(answer.stored_ms);
    out.i64(answer.delivered_ms);
    out.u32(answer.connections);
    return out.take();
}

Result<TraceQuestion> decode_trace_question(std::string_view payload) {
    Reader in(payload);
    const TraceQuestion question = take(in);
    if (!in.ok() || !in.at_end()) return damaged();
    return question;
}

Result<TraceAnswer> decode_trace_answer(std::string_view payload) {
    Reader in(payload);
    TraceAnswer answer;
    answer.asker = in.bytes();
    answer.question = take(in);
    answer.accepted_ms = in.i64();
    answer.published_ms = in.i64();
    answer.stored_ms = in.i64();
    answer.delivered_ms = in.i64();
    answer.connections = in.u32();
    if (!in.ok() || !in.at_end()) return damaged();
    return answer;
}

} // namespace parley::protocol::log
