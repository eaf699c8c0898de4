// What one message costs in JSON: read once from its sender, written once for all who receive it.
#include "protocol/v1/client_frame.hpp"
#include "protocol/v1/server_frame.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace parley {
namespace {

namespace v1 = protocol::v1;

const std::string kSend =
    R"({"op":"send","room_id":"314159265358979323","nonce":)"
    R"("0190f3a8-7c1e-7d3a-9b54-2f6c8e1a0b47","type":"TEXT","content":")"
    R"(a line of chat as people write them, some eighty characters and a bit more, to 198)"
    R"("})";

model::Event posted() {
    model::Message message;
    message.id = {314'159'265'358'979'999};
    message.room_id = {314'159'265'358'979'323};
    message.user_id = {271'828'182'845'904'523};
    message.content = "a line of chat as people write them, some eighty characters and a bit more, "
                      "so that it is 100 bytes";
    message.created_at = {1'790'000'000'123};
    model::Event event;
    event.id = message.id;
    event.prev_id = {314'159'265'358'979'998};
    event.room_id = message.room_id;
    event.user_id = message.user_id;
    event.at = message.created_at;
    event.body = model::MessagePosted{message, "0190f3a8-7c1e-7d3a-9b54-2f6c8e1a0b47"};
    return event;
}

void decode(benchmark::State& state, const std::string& text) {
    v1::Decoder decoder;
    for (auto _ : state) benchmark::DoNotOptimize(decoder.decode(text));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(decode, send, kSend);
BENCHMARK_CAPTURE(decode, ping, std::string(R"({"op":"ping"})"));
BENCHMARK_CAPTURE(
    decode, escaped,
    std::string(R"({"op":"send","room_id":"314159265358979323","nonce":"n","type":)"
                R"("TEXT","content":"\"quoted\" \u00e4\ud83d\ude00\nand a second line"})"));
// The dearest frame that a client can send: as many unknown keys as 64 KiB hold.
std::string many_keys() {
    std::string text = R"({"op":"ping")";
    for (int i = 10'000; text.size() < 65'000; ++i) text += ",\"" + std::to_string(i) + "\":1";
    return text + "}";
}
BENCHMARK_CAPTURE(decode, unknown_keys, many_keys());

void append_event(benchmark::State& state) {
    const model::Event event = posted();
    std::string out;
    for (auto _ : state) {
        out.clear();
        v1::append_event(out, event);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * out.size()));
}
BENCHMARK(append_event);

void append_sent(benchmark::State& state) {
    const model::Event event = posted();
    std::string out;
    for (auto _ : state) {
        out.clear();
        v1::append_sent(out, "17", "0190f3a8-7c1e-7d3a-9b54-2f6c8e1a0b47", event);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * out.size()));
}
BENCHMARK(append_sent);

} // namespace
} // namespace parley
