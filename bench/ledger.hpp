// Ledger: checks every delivery as it counts it.
//
// Each sender of a room numbers its messages from 0; each receiver must get each number once, and
// all members of a room must get everything in one order. A content is
//
//   sequence(12 digits) '|' sender(6 digits) '|' intended send time(20 digits, ns) '|' '.'*
//
// Threading: one thread. Bounds: one number for each receiver and sender, plus one for each message
// that a receiver misses.
#pragma once

#include "histogram.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace parley::bench {

struct Content {
    std::uint64_t sequence = 0;
    std::uint32_t sender = 0; // within its run: room * senders + k
    std::uint64_t intended_ns = 0;
};

inline constexpr std::size_t kContentHead = 12 + 1 + 6 + 1 + 20 + 1;

void write_content(const Content& content, std::size_t bytes, std::string& out);
// False when it is not one of ours, or is not as long as it was sent.
bool read_content(std::string_view text, std::size_t bytes, Content& content);

struct Verdict {
    std::uint64_t missing = 0, doubled = 0, out_of_order = 0, altered = 0, rooms_in_one_order = 0;
};

class Ledger {
public:
    Ledger(std::uint32_t rooms, std::uint32_t members, std::uint32_t senders);

    void count_sent(std::uint32_t sender) { ++x_sent[sender]; }
    std::uint64_t sent_by(std::uint32_t sender) const { return x_sent[sender]; }
    std::uint64_t sent() const;

    // Says whether this is the receiver's first sight of the message.
    bool deliver(std::uint32_t room, std::uint32_t member, const Content& content);
    void count_altered() { ++x_altered; }

    std::uint64_t delivered() const { return x_delivered; }
    bool complete() const { return x_delivered == sent() * x_members; }
    Verdict verdict() const;

private:
    struct Receiver {
        std::uint64_t order = 0; // hash of what came, in the order in which it came
        std::uint64_t doubled = 0, out_of_order = 0;
    };
    std::uint64_t& expected(std::size_t receiver, std::uint32_t sender) {
        return x_expected[receiver * x_senders + sender % x_senders];
    }

    const std::uint32_t x_rooms, x_members, x_senders;
    std::vector<Receiver> x_receivers;     // room * members + member
    std::vector<std::uint64_t> x_expected; // receiver * senders + sender: the next number
    std::vector<std::uint64_t> x_sent;
    std::unordered_map<std::uint64_t, std::unordered_set<std::uint64_t>>
        x_gaps; // by x_expected index
    std::uint64_t x_delivered = 0, x_altered = 0;
};

} // namespace parley::bench
