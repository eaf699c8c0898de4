// Dialect: how a run speaks to the server under test. `parley` is v1 of the wire contract,
// `classic` is its other surface, with the same accounts and rooms; `raw` is the limit server,
// whose frames are the bare contents.
//
// Threading: one thread. Owner: the run.
#pragma once

#include "client.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace parley::bench {

struct Plan {
    std::string protocol = "parley", address = "127.0.0.1", user_prefix;
    std::uint16_t port = 8080;
    std::uint32_t rooms = 1, members = 10, senders = 1, users = 100;
};

// What a dialect tells the run about a frame that came.
class Sink {
public:
    virtual void joined(Connection& connection) = 0;
    virtual void delivered(Connection& connection, std::string_view content, std::uint64_t now) = 0;
    // The receiver's chain of ids does not hold: `prev_id` is not the event before, or an id went
    // back.
    virtual void broken_chain(Connection& connection) = 0;
    virtual void refused(Connection& connection, std::string_view frame) = 0;

protected:
    ~Sink() = default;
};

class Dialect {
public:
    virtual ~Dialect() = default;
    // Accounts and rooms, before the sockets. Throws std::runtime_error.
    virtual void prepare() = 0;
    virtual std::string path_of(const Connection& connection) const = 0;
    virtual std::string headers_of(const Connection& connection) const = 0;
    virtual void on_open(Client& client, Connection& connection, Sink& sink) = 0;
    virtual void on_text(Client& client, Connection& connection, std::string_view text,
                         std::uint64_t now, Sink& sink) = 0;
    // `out` becomes the text frame that posts `content`, the sender's message number `sequence`.
    virtual void encode(const Connection& sender, std::uint64_t sequence, std::string_view content,
                        std::string& out) const = 0;
};

// Accounts and rooms made over REST.
struct Cast {
    std::vector<std::string> tokens; // one a user
    std::vector<std::string> room_ids;
};
// Signs up (or, with a prefix used before, in) `users` users and makes `rooms` public rooms that
// all of them are in.
Cast make_cast(const Plan& plan);

std::unique_ptr<Dialect> make_dialect(const Plan& plan);
// With accounts and rooms that are there already; not to be prepared again.
std::unique_ptr<Dialect> make_dialect(const Plan& plan, Cast cast);

} // namespace parley::bench
