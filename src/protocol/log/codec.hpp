// The records that the processes of a cluster hand each other: drafts in the log, events and
// answers on the bus. Read by other versions of the program while a cluster is upgraded: the first
// byte is the version (1..31), a newer one is refused (unavailable), and a change of the grammar is
// a new version that the one before must be able to read first.
//
//   draft  := 0x01 'D' sender room:i64 user:i64 by_server:u8 body
//   sender := node:bytes number:u64              who waits for the answer; number 0: nobody
//   body   := 1 nonce:bytes type:u8 content:bytes media opt(reply:i64) hash:u64
//           | 2 message:i64 content:bytes                                          (edit)
//           | 3 message:i64                                                        (delete)
//           | 4 message:i64 emoji:bytes added:u8
//           | 5 user:i64 action:u8 role:u8 room_name:bytes
//           | 6 opt(name:bytes) opt(topic:bytes) opt(visibility:u8) opt(slow:u32) remove:u8
//               sets_retention:u8 opt(days:u32)
//           | 7 name:bytes topic:bytes kind:u8 visibility:u8 members:list(i64)
//           | 8 message:i64 media                                   (facts of a message's media)
//   media  := 0 | 1 id:i64 | 2 id:i64 facts:bytes                    (model/media.hpp)
//   event  := 0x01 'E' sender change
//   answer := 0x01 'A' number:u64 room:i64 nonce:bytes duplicate:u8
//             (0 | 1 code:u8 detail:bytes opt(retry_ms:i64)) opt(change)
//   change := id:i64 prev:i64 room:i64 user:i64 at:i64 what initial:list(i64)
//   what   := 1 message nonce:bytes | 2 message | 3 message_id:i64 | 4 message_id:i64 emoji:bytes
//             added:u8 | 5 user:i64 action:u8 role:u8 | 6 room
//   list(T) := u32 count, T ...
//   transient := 0x01 'T' node:bytes kind:u8 dialect:u8 room:i64 user:i64 payload:bytes
//
// Threading: pure. Errors of the decoders: invalid_field (not a record of ours), unavailable (of a
// newer version).
#pragma once

#include "base/result.hpp"
#include "model/stages.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::protocol::log {

struct Sender {
    std::string node;
    std::uint64_t number = 0;
};

struct DraftRecord {
    Sender sender;
    model::Filtered draft;
};

struct EventRecord {
    Sender sender;
    model::Durable durable;
};

struct AnswerRecord {
    std::uint64_t number = 0;
    model::RoomId room_id;
    std::string nonce;
    bool duplicate = false;
    std::optional<Error> error;
    std::optional<model::Durable> durable;
};

// Shown and forgotten; what kind and dialect mean is service/room_feed.hpp's to say.
struct TransientRecord {
    std::string node; // that says it
    std::uint8_t kind = 0, dialect = 0;
    model::RoomId room_id;
    model::UserId user_id;
    std::string payload;
};

class Codec {
public:
    // `new_room`: of a CreateDraft, the id that was given out for the room.
    static std::string encode(const Sender& sender, const model::Filtered& draft,
                              model::RoomId new_room = {});
    static std::string encode(const Sender& sender, const model::Durable& durable);
    static std::string encode(const AnswerRecord& answer);
    static std::string encode(const TransientRecord& transient);

    static Result<DraftRecord> decode_draft(std::string_view record);
    static Result<EventRecord> decode_event(std::string_view record);
    static Result<AnswerRecord> decode_answer(std::string_view record);
    static Result<TransientRecord> decode_transient(std::string_view record);
    // Which of them a record is: 'D', 'E', 'A', 'T'; 0 for none.
    static char kind_of(std::string_view record) {
        return record.size() < 2 || record[0] == 0 ? '\0' : record[1];
    }

    // An event that was read from the store, so it is durable.
    static model::Durable read_back(model::Event event);
};

} // namespace parley::protocol::log
