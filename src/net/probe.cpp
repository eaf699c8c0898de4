#include "net/probe.hpp"

#include <string>

namespace parley::net {

NetProbe::NetProbe(Metrics& metrics)
    : http(metrics.gauge("parley_connections", "Open connections", "kind=\"http\"")),
      websocket(metrics.gauge("parley_connections", "Open connections", "kind=\"websocket\"")),
      accepted(metrics.counter("parley_accepted_total", "Accepted connections")),
      refused(metrics.counter("parley_refused_total",
                              "Connections refused because there were too many")),
      bytes_sent(metrics.counter("parley_bytes_sent_total", "Bytes handed to sockets")),
      writes(metrics.counter("parley_writes_total", "Write calls on sockets")),
      messages_received(
          metrics.counter("parley_ws_messages_received_total", "WebSocket messages received")),
      dropped(metrics.counter("parley_outbound_dropped_total",
                              "Frames dropped from queues of connections that ended")),
      compressed(metrics.counter("parley_ws_compressed_total",
                                 "Frames compressed, each for all of a core's connections")) {
    for (std::size_t i = 0; i < x_answers.size(); ++i)
        x_answers[i] = &metrics.counter("parley_http_requests_total", "Answered requests",
                                        "class=\"" + std::to_string(i + 1) + "xx\"");
    for (std::size_t i = 0; i < x_closes.size(); ++i)
        x_closes[i] =
            &metrics.counter("parley_ws_closed_total", "WebSockets closed by the server",
                             "code=\"" + std::to_string(static_cast<int>(kCloseCodes[i])) + "\"");
}

void NetProbe::count_answer(int status) {
    if (status >= 100 && status < 600) x_answers[static_cast<std::size_t>(status / 100 - 1)]->add();
}

void NetProbe::count_close(CloseCode code) {
    for (std::size_t i = 0; i < kCloseCodes.size(); ++i)
        if (kCloseCodes[i] == code) x_closes[i]->add();
}

} // namespace parley::net
