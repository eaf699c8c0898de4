// Media: what a core can do with files, for every surface: a ticket to upload one, the right of a
// message to carry one, a URL to read one. Rights are those of rooms; what a file is, is looked at
// before anybody else can see it.
//
// Threading: its core. Owner: app/wiring, one for each core; what it borrows outlives it.
// Shutdown: callers are waited for.
#pragma once

#include "base/limits.hpp"
#include "base/metrics.hpp"
#include "ports/clock.hpp"
#include "ports/entropy.hpp"
#include "ports/media_catalog.hpp"
#include "ports/object_store.hpp"
#include "ports/room_directory.hpp"
#include "ports/user_store.hpp"
#include "service/rooms.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::service {

struct MediaSettings {
    std::uint64_t bytes_max = 1ull << 30; // of one file
    ports::MediaQuota quota;
    std::vector<std::string> types; // allowed ones; empty: all of media_types.hpp
    std::chrono::milliseconds ticket_life = limits::kMediaTicketLife;
    bool strips = false;            // some MediaGallery takes metadata out of files
};

// What a client says of a file that it wants to upload.
struct MediaOffer {
    std::string filename, content_type;
    std::uint64_t size = 0;
    std::string sha256; // hexadecimal digits, or ""
    // Of a client that cannot say type and size: both are looked at when it has come. At most
    // limits::kMediaOpenBytes.
    bool open = false;
};

struct MediaTicket {
    model::Media media;
    ports::UploadTicket upload;
};

class Media {
public:
    struct Ports {
        ports::MediaCatalog& catalog;
        ports::ObjectStore& objects;
        ports::Entropy& entropy;
        const ports::Clock& clock;
        ports::UserStore& users;
        ports::RoomDirectory& directory;
    };
    Media(Rooms& rooms, const Ports& ports, MediaSettings settings, Metrics& metrics);
    Media(const Media&) = delete;
    Media& operator=(const Media&) = delete;

    // unknown_room, not_a_member, invalid_field, too_long, media_too_large, media_type_not_allowed,
    // media_quota, media_storage_full, media_unavailable.
    Task<Result<MediaTicket>> ticket(model::UserId user, model::RoomId room, MediaOffer offer);
    // The same for a picture of oneself, which is in no room.
    Task<Result<MediaTicket>> avatar_ticket(model::UserId user, MediaOffer offer);
    // Before a message of this user may carry it. unknown_media: none, or not theirs to post;
    // media_not_uploaded, media_mismatch, media_unavailable, not_a_member, unknown_room.
    Task<Result<model::MediaFactsRef>> attach(model::UserId user, model::RoomId room,
                                              model::MediaId media);
    // Before it is this user's avatar: a picture that they have uploaded. Who is in a room with
    // them may read it as long as it is their avatar, and so may who moderates the server.
    Task<Result<void>> attach_avatar(model::UserId user, model::MediaId media);
    // unknown_media for everybody who may not read it, and for a variant that there is not. A
    // file of which nobody has taken the metadata out yet is waited for, then media_unavailable.
    Task<Result<std::string>> download(model::UserId user, model::MediaId media,
                                       model::MediaVariant variant);
    // What is known of a file by now; unknown_media.
    Task<Result<model::MediaFactsRef>> known(model::MediaId media);
    // An upload in parts is complete, as its uploader says.
    Task<Result<void>> complete(model::UserId user, model::MediaId media);

private:
    Result<model::MediaFacts> check(const MediaOffer& offer) const;
    bool is_allowed(std::string_view type) const;
    std::string new_key();
    // Looks at the object, once.
    Task<Result<void>> ensure_stored(model::Media& media);
    Task<Result<MediaTicket>> make_ticket(model::UserId user, model::RoomId room, MediaOffer offer);
    Task<Result<bool>> may_see_avatar(model::UserId user, const model::Media& media);
    Task<Result<bool>> may_read(model::UserId user, const model::Media& media);
    // Until it is known what of a picture may be shown.
    Task<Result<void>> wait_until_stripped(model::UserId user, model::Media& media);
    Task<bool> is_member(model::UserId user, model::RoomId room);

    Rooms& x_rooms;
    const Ports x_ports;
    const MediaSettings x_settings;
    Counter &x_tickets, &x_attached, &x_mismatches;
    std::size_t x_waiting = 0; // in wait_until_stripped(), of this core
};

} // namespace parley::service
