// Words that rooms add to the content filter. What they mean is chat/word_list.hpp's to say; here
// they are a text for each room. Threading: any core. Errors: overloaded, unavailable.
#pragma once

#include "base/task.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace parley::ports {

struct RoomWords {
    model::RoomId room_id;
    std::int64_t revision = 0; // grows with each change, over all rooms
    std::string words;
};

class WordStore {
public:
    // Of rooms that are not deleted, also those whose words were taken away again.
    virtual Task<Result<std::vector<RoomWords>>> all_room_words() = 0;
    virtual Task<Result<std::string>> room_words(model::RoomId room) = 0; // "": none
    // Durable when it answers, with the revision.
    virtual Task<Result<std::int64_t>> set_room_words(model::RoomId room, std::string words) = 0;

protected:
    ~WordStore() = default;
};

} // namespace parley::ports
