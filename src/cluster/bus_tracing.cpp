// The half of BusFollower that asks the other processes about the way of an event, and answers
// them.
#include "base/trace_limits.hpp"
#include "cluster/bus_follower.hpp"
#include "protocol/log/channels.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace parley::cluster {

namespace plog = protocol::log;

namespace {

ports::BusMessage message_of(const std::string& node, std::uint8_t kind, std::string payload) {
    plog::TransientRecord record{.node = node,
                                 .kind = kind,
                                 .dialect = 0,
                                 .room_id = {},
                                 .user_id = {},
                                 .payload = std::move(payload)};
    return {std::string(plog::kPeopleChannel), plog::Codec::encode(record)};
}

} // namespace

Task<std::vector<service::NodeTrace>> BusFollower::ask_trace(model::EventId event) {
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(x_mutex);
        if (x_traces.size() >= limits::kTraceQuestions) co_return std::vector<service::NodeTrace>{};
        number = ++x_last_question;
        x_traces.try_emplace(number);
    }
    std::vector<ports::BusMessage> one;
    one.push_back(message_of(x_node, plog::kTraceAsked, plog::encode({number, event})));
    x_bus.publish(std::move(one));
    Timer timer(co_await boost::asio::this_coro::executor, limits::kTraceWait);
    co_await timer.async_wait(boost::asio::use_awaitable);
    const std::lock_guard lock(x_mutex);
    auto told = x_traces.extract(number);
    co_return std::move(told.mapped());
}

void BusFollower::on_trace_asked(const plog::TransientRecord& record) {
    const auto question = plog::decode_trace_question(record.payload);
    if (!question) return damaged(question.error());
    service::Rooms& any = *x_rooms.front();
    any.core().post([this, &any, asker = record.node, question = *question] {
        any.gate().spawn(tell_trace(asker, question));
    });
}

Task<void> BusFollower::tell_trace(std::string asker, plog::TraceQuestion question) {
    const service::NodeTrace trace = co_await x_rooms.front()->trace_here(question.event);
    if (!trace.knows()) co_return;
    plog::TraceAnswer answer;
    answer.asker = std::move(asker);
    answer.question = question;
    answer.accepted_ms = trace.accepted_ms;
    answer.delivered_ms = trace.delivered_ms;
    answer.connections = trace.connections;
    std::vector<ports::BusMessage> one;
    one.push_back(message_of(x_node, plog::kTraceTold, plog::encode(answer)));
    x_bus.publish(std::move(one));
}

void BusFollower::on_trace_told(plog::TransientRecord record) {
    const auto answer = plog::decode_trace_answer(record.payload);
    if (!answer) return damaged(answer.error());
    if (answer->asker != x_node) return;
    const std::lock_guard lock(x_mutex);
    const auto asked = x_traces.find(answer->question.number);
    if (asked == x_traces.end() || asked->second.size() >= limits::kTraceAnswers) return;
    asked->second.push_back({.node = std::move(record.node),
                             .accepted_ms = answer->accepted_ms,
                             .published_ms = answer->published_ms,
                             .stored_ms = answer->stored_ms,
                             .delivered_ms = answer->delivered_ms,
                             .connections = answer->connections});
}

} // namespace parley::cluster
