// The proof after a run, when all is quiet: what the store has against what clients asked for, were
// told and saw. The invariants are numbered as in README.md; what is found goes to World::violated.
#pragma once

#include "adapters/memory/store.hpp"
#include "tests/sim/client.hpp"
#include "tests/sim/journal.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace parley::sim {

class Checker {
public:
    using StoreOf = std::function<memory::Store&(model::RoomId)>;
    Checker(World& world, const Journal& journal, StoreOf store_of,
            const std::vector<model::RoomId>& rooms);

    void check_history();                                       // I2, I3, I4, I6
    void check_rules();                                         // I1, I2, I8
    void check_changes();                                       // I1, I2, I3, I15
    void check_commits(const std::vector<model::EventId>& ids); // I6
    void check_sends();                                         // I1, I10
    void check_order_of_senders();                              // I7
    void check_observer(const Device& device);                  // I1, I3, I4, I5, I8
    // Over all that is in history, for the test that a seed gives the same run again.
    std::uint64_t digest() const;

private:
    using History = std::vector<WireEvent>;
    void check_stored(model::RoomId room, const RoomModel& model);
    void check_view(const std::string& name, model::RoomId room, const Device::View& view);
    void compare(const std::string& who, model::RoomId room, const RoomModel& has,
                 const RoomModel& should);

    World& x_world;
    const Journal& x_journal;
    const StoreOf x_store_of;
    std::map<model::RoomId, History> x_history;
    std::map<std::uint64_t, model::EventId> x_stored;            // the message of a nonce
    std::map<model::RoomId, RoomModel> x_final;                  // what the log makes of each room
    std::map<model::EventId, std::set<model::UserId>> x_present; // who was in, before or after it
};

} // namespace parley::sim
