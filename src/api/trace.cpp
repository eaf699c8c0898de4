#include "api/trace.hpp"

#include "base/trace_limits.hpp"
#include "chat/snowflake.hpp"
#include "protocol/v1/server_frame.hpp"

#include <string>

namespace parley::api {
namespace {

using protocol::v1::append_id;
using protocol::v1::append_string;
using service::NodeTrace;

void append_time(std::string& out, std::int64_t ms) {
    out += ms ? '"' + model::to_rfc3339({ms}) + '"' : "null";
}

std::int64_t first_of(const std::vector<NodeTrace>& nodes, std::int64_t NodeTrace::* member) {
    std::int64_t first = 0;
    for (const NodeTrace& node : nodes)
        if (node.*member && (first == 0 || node.*member < first)) first = node.*member;
    return first;
}

void append_accepted(std::string& out, const std::vector<NodeTrace>& nodes) {
    for (const NodeTrace& node : nodes)
        if (node.accepted_ms) {
            out += R"({"at":)";
            append_time(out, node.accepted_ms);
            out += R"(,"node":)";
            append_string(out, node.node);
            out += '}';
            return;
        }
    out += "null";
}

void append_sequenced(std::string& out, const model::Event& event) {
    constexpr std::int64_t kNodes = std::int64_t{1} << chat::kNodeBits;
    out += R"({"at":)";
    append_time(out, event.at.ms);
    out += R"(,"prev_id":)";
    if (event.prev_id)
        append_id(out, event.prev_id.value);
    else
        out += "null";
    out += R"(,"sequencer":)";
    out += std::to_string((event.id.value >> chat::kSequenceBits) % kNodes) + '}';
}

void append_deliveries(std::string& out, const std::vector<NodeTrace>& nodes) {
    out += '[';
    for (const NodeTrace& node : nodes) {
        if (!node.delivered_ms) continue;
        if (out.back() == '}') out += ',';
        out += R"({"node":)";
        append_string(out, node.node);
        out += R"(,"at":)";
        append_time(out, node.delivered_ms);
        out += R"(,"connections":)" + std::to_string(node.connections) + '}';
    }
    out += ']';
}

void append_receipts(std::string& out, const ports::Readers& readers) {
    out += R"({"user_ids":[)";
    for (std::size_t i = 0; i < readers.users.size(); ++i) {
        if (i > 0) out += ',';
        append_id(out, readers.users[i].value);
    }
    out += readers.more ? R"(],"more":true})" : R"(],"more":false})";
}

} // namespace

TraceRoutes::TraceRoutes(service::Rooms& rooms, ports::RoomDirectory& directory,
                         ports::History& history, Router& router)
    : x_rooms(rooms), x_directory(directory), x_history(history) {
    router.add("GET", "/v1/rooms/{room_id}/messages/{message_id}/trace",
               Handler([this](RequestContext context) { return trace(std::move(context)); }),
               Access::moderator);
}

Task<Result<net::HttpResponse>> TraceRoutes::trace(RequestContext context) {
    const model::EventId id = context.message_id;
    PARLEY_CO_TRY(const service::RoomView view,
                  co_await x_rooms.view(context.caller.user_id, context.room_id));
    if (!view.standing.room_exists) co_return Errc::unknown_room;
    PARLEY_CO_TRY(const ports::EventPage page,
                  co_await x_history.events_after(context.room_id, {id.value - 1}, 1));
    if (page.events.empty() || page.events.front().id != id ||
        !std::holds_alternative<model::MessagePosted>(page.events.front().body))
        co_return Errc::unknown_message;
    const model::Event& event = page.events.front();
    PARLEY_CO_TRY(const ports::Readers readers,
                  co_await x_directory.readers(context.room_id, id, limits::kTraceReaders));
    const std::vector<NodeTrace> nodes = co_await x_rooms.trace(id);
    std::int64_t published = first_of(nodes, &NodeTrace::published_ms);
    if (!published) published = first_of(nodes, &NodeTrace::delivered_ms);
    net::HttpResponse response;
    std::string& out = response.body;
    out = R"({"room_id":)";
    append_id(out, context.room_id.value);
    out += R"(,"message_id":)";
    append_id(out, id.value);
    out += R"(,"user_id":)";
    append_id(out, event.user_id.value);
    out += R"(,"accepted":)";
    append_accepted(out, nodes);
    out += R"(,"sequenced":)";
    append_sequenced(out, event);
    out += R"(,"stored":{"at":)";
    append_time(out, first_of(nodes, &NodeTrace::stored_ms));
    out += R"(},"published":{"at":)";
    append_time(out, published);
    out += R"(},"deliveries":)";
    append_deliveries(out, nodes);
    out += R"(,"receipts":)";
    append_receipts(out, readers);
    out += '}';
    co_return response;
}

} // namespace parley::api
