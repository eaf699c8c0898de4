// TraceTeller: a worker's part of the way of an event: when it was published and stored. It hears
// the people's channel of the bus and answers who asks there (protocol/log/trace.hpp).
//
// Threading: start() on the owner's thread, the rest on the bus's. Owner: app, before the bus
// starts and after it has stopped. With 0 spans it subscribes to nothing.
#pragma once

#include "base/span_ring.hpp"
#include "chat/snowflake.hpp"
#include "ports/bus.hpp"
#include "protocol/log/channels.hpp"
#include "protocol/log/codec.hpp"
#include "protocol/log/trace.hpp"

#include <string>
#include <utility>
#include <vector>

namespace parley::app {

class TraceTeller final : public ports::BusListener {
public:
    TraceTeller(std::string node, std::size_t spans, ports::Bus& bus)
        : x_node(std::move(node)), x_bus(bus), x_published(spans), x_stored(spans) {}

    SpanRing& published() { return x_published; }
    SpanRing& stored() { return x_stored; }
    void start() {
        if (x_published.enabled())
            x_bus.subscribe(std::string(protocol::log::kPeopleChannel));
    }
    void on_bus_messages(std::vector<ports::BusMessage> messages) override {
        for (const ports::BusMessage& message : messages)
            if (protocol::log::Codec::kind_of(message.payload) == 'T') hear(message.payload);
    }
    void on_bus_state(bool) override {}

private:
    void hear(std::string_view payload) {
        namespace plog = protocol::log;
        const auto heard = plog::Codec::decode_transient(payload);
        if (!heard || heard->kind != plog::kTraceAsked) return;
        const auto question = plog::decode_trace_question(heard->payload);
        if (!question) return;
        const std::int64_t id = question->event.value;
        const auto partition = static_cast<std::uint64_t>(id >> chat::kSequenceBits) %
                               (std::uint64_t{1} << chat::kNodeBits);
        plog::TraceAnswer answer;
        answer.asker = heard->node;
        answer.question = *question;
        answer.published_ms = x_published.find(partition, id).value_or(0);
        answer.stored_ms = x_stored.find(partition, id).value_or(0);
        if (!answer.published_ms && !answer.stored_ms) return;
        plog::TransientRecord record{.node = x_node,
                                     .kind = plog::kTraceTold,
                                     .dialect = 0,
                                     .room_id = {},
                                     .user_id = {},
                                     .payload = plog::encode(answer)};
        std::vector<ports::BusMessage> one;
        one.push_back({std::string(plog::kPeopleChannel), plog::Codec::encode(record)});
        x_bus.publish(std::move(one));
    }

    const std::string x_node;
    ports::Bus& x_bus;
    SpanRing x_published, x_stored;
};

} // namespace parley::app
