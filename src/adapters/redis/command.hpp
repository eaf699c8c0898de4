// Redis's protocol (RESP2): a command as bytes, and replies that free themselves. Threading: pure.
//
//   command = "*" count CRLF *( "$" length CRLF word CRLF )
#pragma once

#include <hiredis/hiredis.h>
#include <memory>
#include <string>
#include <string_view>

namespace parley::redis {

struct FreeReply {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

struct FreeContext {
    void operator()(redisContext* context) const { redisFree(context); }
};
using Context = std::unique_ptr<redisContext, FreeContext>;

inline std::string_view text_of(const redisReply& reply) {
    return reply.str ? std::string_view(reply.str, reply.len) : std::string_view();
}

inline void append_header(std::string& out, std::size_t words) {
    out.append("*").append(std::to_string(words)).append("\r\n");
}

inline void append_word(std::string& out, std::string_view word) {
    out.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
}

template <class... Words>
void append_command(std::string& out, const Words&... words) {
    append_header(out, sizeof...(words));
    (append_word(out, words), ...);
}

} // namespace parley::redis
