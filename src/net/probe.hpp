// NetProbe: the metrics of net. Threading: counting from any core.
#pragma once

#include "base/metrics.hpp"
#include "net/websocket.hpp"

#include <array>

namespace parley::net {

struct NetProbe {
    explicit NetProbe(Metrics& metrics);
    void count_answer(int status);
    // A close that this side began.
    void count_close(CloseCode code);

    Gauge& http;
    Gauge& websocket;
    Counter& accepted;
    Counter& refused;
    Counter& bytes_sent;
    Counter& writes;
    Counter& messages_received;
    Counter& dropped;
    Counter& compressed;

private:
    static constexpr std::array kCloseCodes{
        CloseCode::normal,           CloseCode::going_away,      CloseCode::protocol_error,
        CloseCode::unsupported_data, CloseCode::invalid_payload, CloseCode::policy_violation,
        CloseCode::message_too_big,  CloseCode::internal_error,  CloseCode::idle,
        CloseCode::too_slow,         CloseCode::flooding,        CloseCode::token_expired,
        CloseCode::bad_token,        CloseCode::session_revoked, CloseCode::too_many_connections};
    std::array<Counter*, 5> x_answers{};
    std::array<Counter*, kCloseCodes.size()> x_closes{};
};

} // namespace parley::net
