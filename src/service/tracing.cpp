// The half of Rooms that tells the way of one event.
#include "base/run_on.hpp"
#include "service/rooms.hpp"

#include <algorithm>

namespace parley::service {
namespace {

// 0 is "not known".
std::int64_t earlier(std::int64_t a, std::int64_t b) {
    return a == 0 ? b : b == 0 ? a : std::min(a, b);
}

// The event of a new message, if its spans are wanted.
const model::Event* collected(const ports::Outcome& outcome, const ports::SpanSink& spans) {
    if (!outcome.durable || outcome.error || outcome.duplicate) return nullptr;
    const model::Event& event = outcome.durable->event();
    const bool is_message = std::holds_alternative<model::MessagePosted>(event.body);
    return is_message && spans.takes(event.id) ? &event : nullptr;
}

} // namespace

void Rooms::remember(const Delivery& delivery, std::int64_t now_ms) {
    const model::Event* event = delivery.event();
    if (!event || delivery.outcome.error || delivery.outcome.duplicate) return;
    const ports::Origin& origin = delivery.outcome.origin;
    const bool from_here = origin.responder && origin.core == x_core.index();
    x_traces.note({.event = event->id,
                   .accepted_ms = from_here ? origin.at_ms : 0,
                   .delivered_ms = now_ms,
                   .connections = delivery.payload.empty()
                                      ? 0
                                      : static_cast<std::uint32_t>(
                                            x_hub.listeners(event->room_id))});
}

void Rooms::add_spans(const Delivery& delivery) const {
    const model::Event* event = collected(delivery.outcome, *x_ports.spans);
    if (!event) return;
    const ports::Origin& origin = delivery.outcome.origin;
    using Stage = ports::MessageSpan::Stage;
    ports::MessageSpan span{.stage = Stage::deliver,
                            .event = event->id,
                            .room = event->room_id,
                            .begin_us = delivery.arrived_us,
                            .end_us = x_ports.spans->now_us(),
                            .core = x_core.index()};
    if (!delivery.payload.empty())
        span.connections = static_cast<std::uint32_t>(x_hub.listeners(event->room_id));
    if (span.connections) x_ports.spans->add(span);
    if (!origin.responder || origin.core != x_core.index() || !origin.at_ms) return;
    span.stage = Stage::message;
    span.begin_us = origin.at_ms * 1000;
    x_ports.spans->add(span);
}

void Node::add_spans(const std::vector<ports::Outcome>& outcomes) const {
    const std::int64_t now_us = x_spans->now_us();
    for (const ports::Outcome& outcome : outcomes) {
        const model::Event* event = collected(outcome, *x_spans);
        if (!event) continue;
        using Stage = ports::MessageSpan::Stage;
        const std::int64_t sequenced_us = event->at.ms * 1000;
        const std::int64_t accepted_us =
            outcome.origin.at_ms ? outcome.origin.at_ms * 1000 : sequenced_us;
        x_spans->add({.stage = Stage::sequence,
                      .event = event->id,
                      .room = event->room_id,
                      .begin_us = accepted_us,
                      .end_us = sequenced_us});
        x_spans->add({.stage = Stage::store,
                      .event = event->id,
                      .room = event->room_id,
                      .begin_us = sequenced_us,
                      .end_us = now_us});
    }
}

Task<CoreTrace> Rooms::core_trace(model::EventId event) {
    const CoreTrace* const found = x_traces.find(event);
    co_return found ? *found : CoreTrace{};
}

Task<NodeTrace> Rooms::trace_here(model::EventId event) {
    NodeTrace trace;
    trace.node = x_ports.node_name;
    for (Rooms* peer : x_peers) {
        const CoreTrace of_core = co_await run_on(peer->x_core, peer->core_trace(event));
        trace.accepted_ms = earlier(trace.accepted_ms, of_core.accepted_ms);
        trace.delivered_ms = earlier(trace.delivered_ms, of_core.delivered_ms);
        trace.connections += of_core.connections;
    }
    if (x_ports.commits)
        trace.stored_ms = x_ports.commits->find(0, event.value).value_or(0);
    co_return trace;
}

Task<std::vector<NodeTrace>> Rooms::trace(model::EventId event) {
    std::vector<NodeTrace> all;
    if (x_ports.feed) all = co_await x_ports.feed->ask_trace(event);
    NodeTrace own = co_await trace_here(event);
    all.push_back(std::move(own));
    std::erase_if(all, [](const NodeTrace& one) { return !one.knows(); });
    std::ranges::sort(all, {}, &NodeTrace::node);
    (all.empty() ? x_probe.traces_unknown : x_probe.traces).add();
    co_return all;
}

} // namespace parley::service
