#include "net/http_session.hpp"

#include "net/net_loop.hpp"
#include "net/ws_handshake.hpp"
#include "net/ws_session.hpp"

#include <algorithm>
#include <utility>

namespace parley::net {

HttpSession::HttpSession(Connection& connection, std::string peer)
    : x_connection(connection),
      x_peer(std::move(peer)),
      x_deadline(connection.loop().now() + connection.loop().settings().timeouts.http_header) {
    x_connection.loop().probe().http.add(1);
}

HttpSession::~HttpSession() {
    end_stream();
    x_connection.loop().probe().http.add(-1);
}

void HttpSession::expect_by(std::chrono::milliseconds from_now) {
    x_deadline = x_connection.loop().now() + from_now;
    x_connection.schedule();
}

void HttpSession::on_bytes(std::span<char> bytes) {
    const std::string_view all(bytes.data(), bytes.size());
    const std::size_t streamed = feed_stream(all);
    x_unparsed.append(all.substr(streamed));
    if (streamed < all.size() || !x_stream) process();
}

void HttpSession::on_gone() { end_stream(); }

// --- a body that its handler reads

void HttpSession::begin_stream(ParsedRequest& parsed) {
    x_stream = std::make_shared<BodyStream>(x_connection.loop().core().io().get_executor(),
                                            parsed.stream_size);
    x_stream->on_room([this] {
        if (x_stream->left() == 0) return;
        expect_by(limits::kBodyStreamStall);
        x_connection.resume_reading();
    });
    parsed.request.stream = x_stream;
}

// Answers how many of the bytes were of the body.
std::size_t HttpSession::feed_stream(std::string_view bytes) {
    if (!x_stream || x_stream->left() == 0 || bytes.empty()) return 0;
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(x_stream->left(), bytes.size()));
    x_stream->feed(bytes.substr(0, size));
    const bool complete = x_stream->left() == 0;
    expect_by(complete ? std::chrono::milliseconds(limits::kBodyStreamFinish)
                       : std::chrono::milliseconds(limits::kBodyStreamStall));
    if (complete || x_stream->full()) x_connection.pause_reading();
    return size;
}

void HttpSession::end_stream() {
    if (!x_stream) return;
    if (x_stream->left() > 0) x_keep_alive = false; // what follows is the rest of the body
    x_stream->lose();
    x_stream.reset();
}

void HttpSession::process() {
    if (x_processing) return;
    x_processing = true;
    while (x_state == State::reading && !x_unparsed.empty()) {
        if (!x_parser) begin_request();
        std::size_t used = 0;
        const HttpParser::Progress progress = x_parser->feed(x_unparsed, used);
        x_unparsed.erase(0, used);
        if (progress == HttpParser::Progress::complete) {
            dispatch();
        } else if (progress == HttpParser::Progress::failed) {
            const HttpFailure failure = x_parser->failure();
            x_keep_alive = false;
            refuse(x_parser->path(), make_problem(failure.status, failure.code, failure.detail));
        } else {
            after_progress();
        }
    }
    x_processing = false;
    if (x_unparsed.empty()) std::string().swap(x_unparsed);
    if (x_state == State::reading) x_connection.resume_reading();
    const bool reads_body = x_stream && x_stream->left() > 0 && !x_stream->full();
    if ((x_state == State::busy && !reads_body) || x_state == State::clogged)
        x_connection.pause_reading();
}

void HttpSession::begin_request() {
    HttpHandler* const http = x_connection.loop().handlers().http;
    HttpParser::StreamTest streams = [http](std::string_view method, std::string_view path) {
        return http && http->streams(method, path);
    };
    x_parser = std::make_unique<HttpParser>(HttpLimits{}, std::move(streams));
    x_in_body = false;
    ++x_number;
    // The first request's time runs from the accept on.
    if (!std::exchange(x_first, false))
        expect_by(x_connection.loop().settings().timeouts.http_header);
}

void HttpSession::after_progress() {
    if (!x_parser->head_complete() || x_in_body) return;
    x_in_body = true;
    expect_by(x_connection.loop().settings().timeouts.http_body);
    if (x_parser->take_expect_continue())
        x_connection.enqueue(FrameRef::copy_of("HTTP/1.1 100 Continue\r\n\r\n"));
}

void HttpSession::dispatch() {
    const bool streams = x_parser->leaves_body();
    if (streams && x_parser->take_expect_continue())
        x_connection.enqueue(FrameRef::copy_of("HTTP/1.1 100 Continue\r\n\r\n"));
    ParsedRequest parsed = x_parser->take();
    x_parser.reset();
    NetLoop& loop = x_connection.loop();
    loop.proxies().resolve(parsed.request, x_peer, x_connection.uses_tls());
    x_is_head = parsed.request.method == "HEAD";
    x_keep_alive = parsed.keep_alive && !loop.draining();
    x_path = parsed.request.path;
    const CoreHandlers handlers = loop.handlers();
    if (handlers.websocket && handlers.websocket->serves(parsed.request.path))
        return upgrade(std::move(parsed));
    x_state = State::busy;
    expect_by(loop.settings().timeouts.http_handler);
    if (streams) {
        begin_stream(parsed);
        expect_by(limits::kBodyStreamStall);
        x_unparsed.erase(0, feed_stream(x_unparsed));
    }
    loop.handle(x_connection.id(), x_number, std::move(parsed.request));
}

void HttpSession::upgrade(ParsedRequest parsed) {
    if (auto refusal = refuse_handshake(parsed)) {
        x_keep_alive &= !refusal->close;
        return refuse(x_path, std::move(*refusal));
    }
    NetLoop& loop = x_connection.loop();
    Handshake handshake{.key = std::string(parsed.request.header("sec-websocket-key")),
                        .extensions = parsed.request.joined("sec-websocket-extensions"),
                        .client = parsed.request.peer_address};
    const auto verdict = loop.handlers().websocket->on_handshake(parsed.request);
    if (!verdict.later) return conclude(verdict, handshake);
    x_handshake = std::move(handshake);
    x_state = State::busy;
    expect_by(loop.settings().timeouts.http_handler);
    loop.decide(x_connection.id(), x_number, std::move(parsed.request));
}

void HttpSession::on_verdict(std::uint32_t request, WebSocketAcceptor::Verdict&& verdict) {
    if (request != x_number || x_state != State::busy) return;
    conclude(verdict, x_handshake);
    if (x_state != State::finished) process();
}

void HttpSession::conclude(const WebSocketAcceptor::Verdict& verdict, const Handshake& handshake) {
    if (verdict.refusal) return answer(*verdict.refusal);
    NetLoop& loop = x_connection.loop();
    if (loop.draining()) {
        x_keep_alive = false;
        return refuse(x_path, make_problem(503, "unavailable", "The server stops."));
    }
    x_state = State::finished;
    loop.probe().count_answer(101);
    const auto deflate =
        loop.settings().deflate ? choose_deflate(handshake.extensions) : std::nullopt;
    x_connection.enqueue(FrameRef::copy_of(switching_protocols(
        handshake.key, verdict.subprotocol,
        deflate ? std::string_view(deflate->answer) : std::string_view(), loop.http_date())));
    auto session = std::make_unique<WsSession>(
        x_connection, handshake.client, deflate ? std::optional(deflate->window) : std::nullopt);
    WsSession& socket = *session;
    x_connection.speak(std::move(session));
    socket.open(verdict.open);
    // A client that does not wait for the answer has sent frames already.
    if (!x_unparsed.empty() && !x_connection.finishing()) socket.on_bytes(x_unparsed);
    x_unparsed.clear();
    x_connection.resume_reading(); // paused where the verdict was awaited
}

void HttpSession::refuse(std::string_view path, HttpResponse response) {
    HttpHandler* const http = x_connection.loop().handlers().http;
    answer(http ? http->refusal(path, std::move(response)) : response);
}

void HttpSession::on_answer(std::uint32_t request, HttpResponse&& response) {
    if (request != x_number || x_state != State::busy) return;
    end_stream();
    answer(response);
    process();
}

void HttpSession::answer(const HttpResponse& response) {
    NetLoop& loop = x_connection.loop();
    const bool close = !x_keep_alive || response.close || loop.draining();
    x_connection.enqueue(
        serialise(response, {.head = x_is_head, .close = close, .date = loop.http_date()}));
    loop.probe().count_answer(response.status);
    const bool has_file = response.file && response.file->size() > 0 && !x_is_head;
    if (has_file) x_connection.enqueue_file(response.file);
    x_is_head = false;
    x_parser.reset();
    if (close) {
        x_state = State::finished;
        std::string().swap(x_unparsed);
        return x_connection.finish();
    }
    x_state =
        has_file || x_connection.queued_bytes() > kQueuedBytesMax ? State::clogged : State::reading;
    expect_by(loop.settings().timeouts.http_idle);
}

void HttpSession::on_drained() {
    if (x_state != State::clogged) return;
    x_state = State::reading;
    process();
}

void HttpSession::on_end() {
    // What was asked before the end is still answered: the peer may have shut one direction only.
    x_keep_alive = false;
    if (x_stream && x_stream->left() > 0) end_stream();
    if (x_state != State::reading) return;
    x_state = State::finished;
    x_connection.finish();
}

void HttpSession::on_deadline(Time now) {
    if (now < x_deadline) return;
    if (x_state == State::clogged) {
        expect_by(x_connection.loop().settings().timeouts.http_idle); // it has a time of its own
    } else if (x_stream && x_stream->left() > 0) {
        end_stream();
        refuse(x_path, make_problem(408, "request_timeout", "The body came too slowly."));
    } else if (x_state == State::busy) {
        end_stream();
        x_keep_alive = false;
        refuse(x_path, make_problem(503, "unavailable", "The request took too long."));
    } else if (x_parser) {
        x_keep_alive = false;
        refuse(x_parser->path(),
               make_problem(408, "request_timeout", "The request came too slowly."));
    } else {
        x_connection.cut(Cut::gently);
    }
}

void HttpSession::on_drain() {
    x_keep_alive = false;
    if (x_state == State::reading && !x_parser) x_connection.finish();
}

} // namespace parley::net
