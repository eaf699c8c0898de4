#include "ledger.hpp"

#include "wire.hpp"

#include <cstdio>
#include <numeric>

namespace parley::bench {

namespace {

void write_digits(char* at, std::size_t width, std::uint64_t value) {
    for (std::size_t i = width; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

std::uint64_t mixed(std::uint64_t hash, std::uint64_t sender, std::uint64_t sequence) {
    hash ^= (sender << 40) + sequence + 0x9E3779B97F4A7C15ull + (hash << 6) + (hash >> 2);
    hash *= 0xBF58476D1CE4E5B9ull;
    return hash ^ (hash >> 31);
}

} // namespace

void write_content(const Content& content, std::size_t bytes, std::string& out) {
    out.assign(bytes, '.');
    write_digits(out.data(), 12, content.sequence);
    out[12] = '|';
    write_digits(out.data() + 13, 6, content.sender);
    out[19] = '|';
    write_digits(out.data() + 20, 20, content.intended_ns);
    out[40] = '|';
}

bool read_content(std::string_view text, std::size_t bytes, Content& content) {
    if (text.size() != bytes || bytes < kContentHead) return false;
    if (text[12] != '|' || text[19] != '|' || text[40] != '|') return false;
    if (text.find_first_not_of('.', kContentHead) != std::string_view::npos) return false;
    content.sequence = to_number(text.substr(0, 12));
    content.sender = static_cast<std::uint32_t>(to_number(text.substr(13, 6)));
    content.intended_ns = to_number(text.substr(20, 20));
    return true;
}

Ledger::Ledger(std::uint32_t rooms, std::uint32_t members, std::uint32_t senders)
    : x_rooms(rooms),
      x_members(members),
      x_senders(senders),
      x_receivers(std::size_t{rooms} * members),
      x_expected(std::size_t{rooms} * members * senders, 0),
      x_sent(std::size_t{rooms} * senders, 0) {}

std::uint64_t Ledger::sent() const {
    return std::accumulate(x_sent.begin(), x_sent.end(), std::uint64_t{0});
}

bool Ledger::deliver(std::uint32_t room, std::uint32_t member, const Content& content) {
    if (content.sender / x_senders != room || content.sender >= x_sent.size() ||
        content.sequence >= x_sent[content.sender]) {
        ++x_altered; // another room's message, or one that nobody sent
        return false;
    }
    const std::size_t index = std::size_t{room} * x_members + member;
    Receiver& receiver = x_receivers[index];
    receiver.order = mixed(receiver.order, content.sender, content.sequence);
    std::uint64_t& next = expected(index, content.sender);
    if (content.sequence == next) {
        ++next;
        ++x_delivered;
        return true;
    }
    auto& gaps = x_gaps[index * x_senders + content.sender % x_senders];
    if (content.sequence > next) {
        for (; next < content.sequence; ++next) gaps.insert(next);
        ++next;
        ++x_delivered;
        return true;
    }
    if (gaps.erase(content.sequence) == 0) {
        ++receiver.doubled;
        return false;
    }
    ++receiver.out_of_order;
    ++x_delivered;
    return true;
}

Verdict Ledger::verdict() const {
    Verdict verdict;
    verdict.altered = x_altered;
    for (std::uint32_t room = 0; room < x_rooms; ++room) {
        bool one_order = true;
        for (std::uint32_t member = 0; member < x_members; ++member) {
            const std::size_t index = std::size_t{room} * x_members + member;
            const Receiver& receiver = x_receivers[index];
            verdict.doubled += receiver.doubled;
            verdict.out_of_order += receiver.out_of_order;
            one_order &= receiver.order == x_receivers[std::size_t{room} * x_members].order;
            for (std::uint32_t k = 0; k < x_senders; ++k)
                verdict.missing +=
                    x_sent[std::size_t{room} * x_senders + k] - x_expected[index * x_senders + k];
        }
        verdict.rooms_in_one_order += one_order ? 1 : 0;
    }
    for (const auto& [_, gaps] : x_gaps) verdict.missing += gaps.size();
    return verdict;
}

} // namespace parley::bench
