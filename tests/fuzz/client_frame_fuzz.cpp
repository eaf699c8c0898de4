// Client frames: any bytes are decoded or refused, and a frame that is accepted says the same when
// its values are written as JSON again, in another order and among unknown fields.
#include "base/limits.hpp"
#include "base/text.hpp"
#include "protocol/v1/client_frame.hpp"
#include "protocol/v1/server_frame.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

namespace v1 = parley::protocol::v1;

void check(bool condition) {
    if (!condition) std::abort();
}

// The fields of a frame as JSON: name, value.
using Fields = std::vector<std::pair<std::string, std::string>>;

std::string quoted(std::string_view text) {
    check(parley::is_valid_utf8(text) && !parley::has_nul(text));
    std::string out;
    v1::append_string(out, text);
    return out;
}

template <class Tag>
std::string quoted(parley::model::Id<Tag> id) {
    check(id.value > 0);
    std::string out;
    v1::append_id(out, id.value);
    return out;
}

template <class IdType>
void put(Fields& out, const char* name, const std::optional<IdType>& id) {
    if (id) out.emplace_back(name, quoted(*id));
}

struct Writer {
    Fields& out;
    void op(const char* name) { out.emplace_back("op", quoted(std::string_view(name))); }
    template <class T>
    void field(const char* name, const T& value) {
        out.emplace_back(name, quoted(value));
    }

    void operator()(const v1::Hello& x) { op("hello"), field("token", x.token); }
    void operator()(const v1::Subscribe& x) {
        op("subscribe"), field("room_id", x.room_id), put(out, "since", x.since);
    }
    void operator()(const v1::Unsubscribe& x) { op("unsubscribe"), field("room_id", x.room_id); }
    void operator()(const v1::Send& x) {
        op("send"), field("room_id", x.room_id), field("nonce", x.nonce), field("type", x.type);
        field("content", x.content), put(out, "media_id", x.media_id);
        put(out, "reply_to", x.reply_to);
    }
    void operator()(const v1::Edit& x) {
        op("edit"), field("room_id", x.room_id), field("message_id", x.message_id);
        field("content", x.content);
    }
    void operator()(const v1::Delete& x) {
        op("delete"), field("room_id", x.room_id), field("message_id", x.message_id);
    }
    void operator()(const v1::React& x) {
        op("react"), field("room_id", x.room_id), field("message_id", x.message_id);
        field("emoji", x.emoji), out.emplace_back("added", x.added ? "true" : "false");
    }
    void operator()(const v1::Typing& x) { op("typing"), field("room_id", x.room_id); }
    void operator()(const v1::Read& x) {
        op("read"), field("room_id", x.room_id), field("message_id", x.message_id);
    }
    void operator()(const v1::Ping&) { op("ping"); }
};

Fields fields_of(const v1::ClientFrame& frame) {
    Fields fields;
    std::visit(Writer{fields}, frame.op);
    if (!frame.ref.empty()) fields.emplace_back("ref", quoted(frame.ref));
    return fields;
}

std::string backwards(const Fields& fields) {
    std::string text = "{ \"?\" : [1, {\"op\":\"x\"}]";
    for (auto field = fields.rbegin(); field != fields.rend(); ++field)
        text += " ,\n\"" + field->first + "\"\t: " + field->second;
    return text + "}";
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static v1::Decoder decoder;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto answer = decoder.decode(text);
    if (const auto* error = std::get_if<v1::FrameError>(&answer)) {
        check(!error->detail.empty() && parley::is_valid_utf8(error->ref) &&
              parley::is_valid_utf8(error->nonce));
        check(error->ref.size() <= parley::limits::kRefBytes &&
              error->nonce.size() <= parley::limits::kNonceBytes);
        return 0;
    }
    check(parley::is_valid_utf8(text));
    const Fields fields = fields_of(std::get<v1::ClientFrame>(answer));
    const std::string again = backwards(fields);
    if (again.size() > parley::limits::kFrameBytes) return 0;
    const auto second = decoder.decode(again);
    check(std::holds_alternative<v1::ClientFrame>(second));
    check(fields_of(std::get<v1::ClientFrame>(second)) == fields);
    return 0;
}
