#include "cluster/pending_answers.hpp"

#include <array>
#include <cstring>
#include <utility>

namespace parley::cluster {

// 62 bits: never 0, and far from the end.
std::uint64_t PendingAnswers::first_number(ports::Entropy& entropy) {
    std::array<std::byte, sizeof(std::uint64_t)> raw{};
    entropy.fill(raw);
    std::uint64_t number = 0;
    std::memcpy(&number, raw.data(), raw.size());
    return number >> 2;
}

std::optional<std::uint64_t> PendingAnswers::add(Pending&& pending, Instant now) {
    std::lock_guard lock(x_mutex);
    if (x_pending.size() >= limits::kPendingAnswers) return std::nullopt;
    const std::uint64_t number = ++x_last;
    if (!pending.nonce.empty()) x_by_nonce.emplace(pending.nonce, number);
    x_pending.emplace(number, std::move(pending));
    x_by_age.emplace_back(now + limits::kAnswerTimeout, number);
    x_waiting.set(static_cast<std::int64_t>(x_pending.size()));
    return number;
}

void PendingAnswers::forget_nonce(const Pending& pending, std::uint64_t number) {
    if (pending.nonce.empty()) return;
    const auto [first, last] = x_by_nonce.equal_range(pending.nonce);
    for (auto at = first; at != last; ++at)
        if (at->second == number) {
            x_by_nonce.erase(at);
            return;
        }
}

void PendingAnswers::note_written(std::uint64_t number, std::int64_t at_us) {
    std::lock_guard lock(x_mutex);
    const auto found = x_pending.find(number);
    if (found != x_pending.end()) found->second.written_us = at_us;
}

std::optional<Pending> PendingAnswers::take(std::uint64_t number, model::RoomId room) {
    std::lock_guard lock(x_mutex);
    const auto found = x_pending.find(number);
    if (found == x_pending.end() || found->second.room_id != room) return std::nullopt;
    Pending pending = std::move(found->second);
    x_pending.erase(found);
    forget_nonce(pending, number);
    x_waiting.set(static_cast<std::int64_t>(x_pending.size()));
    while (!x_by_age.empty() && !x_pending.contains(x_by_age.front().second)) x_by_age.pop_front();
    return pending;
}

std::optional<Pending> PendingAnswers::take_by_message(const model::MessagePosted& posted) {
    const model::Message& message = posted.message;
    std::uint64_t number = 0;
    {
        std::lock_guard lock(x_mutex);
        const auto [first, last] = x_by_nonce.equal_range(posted.nonce);
        for (auto at = first; at != last && number == 0; ++at) {
            const Pending& pending = x_pending.at(at->second);
            if (pending.room_id == message.room_id && pending.user_id == message.user_id &&
                pending.content == message.content)
                number = at->second;
        }
    }
    return number ? take(number, message.room_id) : std::nullopt;
}

std::vector<Pending> PendingAnswers::expire(Instant now) {
    std::vector<Pending> expired;
    std::lock_guard lock(x_mutex);
    while (!x_by_age.empty()) {
        const auto [deadline, number] = x_by_age.front();
        const auto found = x_pending.find(number);
        if (found != x_pending.end()) {
            if (deadline > now) break;
            forget_nonce(found->second, number);
            expired.push_back(std::move(found->second));
            x_pending.erase(found);
        }
        x_by_age.pop_front();
    }
    x_expired.add(expired.size());
    x_waiting.set(static_cast<std::int64_t>(x_pending.size()));
    return expired;
}

} // namespace parley::cluster
