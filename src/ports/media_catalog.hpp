// The records of media: what was uploaded by whom for which room, where it may be read, how much
// somebody has used, what is to be looked at and what is to be removed. The bytes are the object
// store's.
//
// Threading: any core. Writes are durable when they answer. Errors besides those named: overloaded,
// unavailable.
#pragma once

#include "base/task.hpp"
#include "model/media.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace parley::ports {

// 0: no bound.
struct MediaQuota {
    std::uint64_t user_bytes_per_day = 0; // of a UTC day, by what the tickets say
    std::uint64_t server_bytes = 0;       // of everything that is not removed
};

struct NewMedia {
    model::RoomId room_id;
    model::UserId user_id;
    model::MediaFacts facts; // filename, content_type and size
    std::string key;
    std::string sha256; // 32 bytes, or ""
    model::Time created_at, ticket_expires_at;
};

class MediaCatalog {
public:
    // Counts against the quota in the same moment. media_quota (with retry_after where the day's
    // end helps).
    virtual Task<Result<model::Media>> create_media(NewMedia media, MediaQuota quota) = 0;
    virtual Task<Result<model::Media>> find_media(model::MediaId media) = 0; // unknown_media
    // The object is what the ticket said; `facts` are those of the record, or what was found out
    // where the ticket left type and size open. unknown_media: removed meanwhile, or never there.
    virtual Task<Result<void>> note_stored(model::MediaId media, std::string sha256,
                                           model::MediaFacts facts) = 0;
    // A message of this room, or (room 0) its uploader's avatar, is about to carry it: its members,
    // or those who may see the avatar, may read it from now on; and for
    // limits::kMediaAttachSettles after `now` it is not removed. unknown_media as above.
    virtual Task<Result<void>> attach_media(model::MediaId media, model::RoomId room,
                                            model::Time now) = 0;
    // Where it was attached, in no order; room 0: as an avatar.
    virtual Task<Result<std::vector<model::RoomId>>> media_rooms(model::MediaId media) = 0;

    // What the picture worker has not looked at: stored and attached, oldest first. After
    // note_facts(), be it with nothing new, it is not answered again.
    virtual Task<Result<std::vector<model::Media>>> media_to_examine(std::size_t limit) = 0;
    virtual Task<Result<void>> note_facts(model::MediaId media, model::MediaFacts facts) = 0;

    // Not removed, created before `before`, and never attached: unfinished uploads and those that
    // no message took.
    virtual Task<Result<std::vector<model::Media>>> unused_media(model::Time before,
                                                                 std::size_t limit) = 0;
    // Nobody finds it from now on. False: attached after `attached_before`, and nothing changed.
    virtual Task<Result<bool>> remove_media(model::MediaId media, model::Time attached_before) = 0;
    // Removed ones whose objects may still be there; and that they are gone.
    virtual Task<Result<std::vector<model::Media>>> media_to_delete(std::size_t limit) = 0;
    virtual Task<Result<void>> note_deleted(model::MediaId media) = 0;

    // Uploads in parts (object store): what abort_parts() needs, kept from the ticket on. "": none.
    virtual Task<Result<void>> note_upload(model::MediaId media, std::string upload_id) = 0;
    virtual Task<Result<std::string>> upload_of(model::MediaId media) = 0;

protected:
    ~MediaCatalog() = default;
};

// What messages have let go of. A message that loses its media (deleted, erased, its room deleted,
// too old) writes the media's id here in the same transaction. In a cluster each shard has its own.
//
// Threading and errors as above.
class ReleasedMedia {
public:
    virtual Task<Result<std::vector<model::MediaId>>> released_media(std::size_t limit) = 0;
    // Whether a message that is not deleted, or one that waits for a moderator, has it; asked of
    // all shards. So is whose avatar it is.
    virtual Task<Result<bool>> media_in_use(model::MediaId media) = 0;
    virtual Task<Result<void>> forget_released(std::vector<model::MediaId> media) = 0;
    // Messages that carry it, in any room: whom the facts of the picture worker concern.
    struct Carrier {
        model::RoomId room_id;
        model::EventId message_id;
        model::UserId user_id;
    };
    virtual Task<Result<std::vector<Carrier>>> media_carriers(model::MediaId media,
                                                              std::size_t limit) = 0;

protected:
    ~ReleasedMedia() = default;
};

} // namespace parley::ports
