#include "service/read_marks.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace parley::service {

ReadMarks::ReadMarks(Core& core, ports::RoomDirectory& directory, Gate& gate, Metrics& metrics)
    : x_core(core),
      x_directory(directory),
      x_gate(gate),
      x_writes(metrics.counter("parley_read_mark_writes_total", "Writes of read marks")),
      x_folded(metrics.counter("parley_read_marks_folded_total",
                               "Read marks that a newer one took the place of")) {}

Task<Result<bool>> ReadMarks::mark(model::UserId user, model::RoomId room,
                                   model::MessageId message) {
    Waiter waiter(x_core.io().get_executor(), message);
    x_waiting[{user, room}].push_back(&waiter);
    if (!std::exchange(x_writing, true) && !x_gate.spawn(write())) {
        x_writing = false;
        x_waiting.clear(); // the waiter, and nobody else: no write is under way
        co_return Error(Errc::shutting_down, "the server is stopping");
    }
    co_await waiter.done.wait();
    co_return std::move(waiter.moved);
}

void ReadMarks::take(std::vector<ports::ReadMark>& marks, std::vector<Waiters>& waiters) {
    while (!x_waiting.empty() && marks.size() < limits::kReadMarksBatch) {
        const auto first = x_waiting.begin();
        const Waiters& of_one = first->second;
        const auto newest = std::ranges::max_element(of_one, {}, &Waiter::message);
        marks.push_back({first->first.first, first->first.second, (*newest)->message});
        x_folded.add(of_one.size() - 1);
        waiters.push_back(std::move(first->second));
        x_waiting.erase(first);
    }
}

Task<void> ReadMarks::write() {
    while (!x_waiting.empty()) {
        std::vector<ports::ReadMark> marks;
        std::vector<Waiters> waiters;
        take(marks, waiters);
        x_writes.add();
        const auto outcomes = co_await x_directory.set_read(marks);
        for (std::size_t i = 0; i < waiters.size(); ++i) {
            if (outcomes)
                answer(marks[i], waiters[i], (*outcomes)[i]);
            else
                for (Waiter* waiter : waiters[i]) waiter->answer(outcomes.error());
        }
    }
    x_writing = false;
}

void ReadMarks::answer(const ports::ReadMark& mark, const Waiters& waiters,
                       ports::MarkOutcome outcome) {
    bool moved = outcome == ports::MarkOutcome::moved;
    for (Waiter* waiter : waiters) {
        if (outcome != ports::MarkOutcome::unknown_message) {
            const bool newest = waiter->message == mark.message;
            waiter->answer(newest && std::exchange(moved, false));
        } else if (waiter->message == mark.message) {
            waiter->answer(Error(Errc::unknown_message, "there is no such message in this room"));
        } else {
            x_waiting[{mark.user, mark.room}].push_back(waiter);
        }
    }
}

} // namespace parley::service
