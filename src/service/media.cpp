#include "service/media.hpp"

#include "base/hex.hpp"
#include "base/limits.hpp"
#include "base/media_limits.hpp"
#include "base/text.hpp"
#include "service/media_types.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>

namespace parley::service {
namespace {

constexpr std::size_t kShaBytes = 32;

const MediaType* guess(std::string_view first, bool whole) {
    for (const MediaType& type : media_types())
        if (first_bytes_match(type, first, whole)) return &type;
    return nullptr;
}

Error unknown() { return {Errc::unknown_media, "There is no such file, or it is not yours."}; }

Error avatar_too_large() {
    return {Errc::media_too_large,
            "a picture of a person has at most " + std::to_string(limits::kAvatarBytes) + " bytes"};
}

// The last part of a path of either kind of system.
std::string_view base_name(std::string_view name) {
    const std::size_t slash = name.find_last_of("/\\");
    return trim(slash == std::string_view::npos ? name : name.substr(slash + 1));
}

model::Time later(model::Time now, std::chrono::milliseconds by) { return {now.ms + by.count()}; }

} // namespace

Media::Media(Rooms& rooms, const Ports& ports, MediaSettings settings, Metrics& metrics)
    : x_rooms(rooms),
      x_ports(ports),
      x_settings(std::move(settings)),
      x_tickets(metrics.counter("parley_media_tickets_total", "Tickets to upload a file")),
      x_attached(metrics.counter("parley_media_attached_total",
                                 "Files that a message or an account was allowed to carry")),
      x_mismatches(metrics.counter("parley_media_mismatches_total",
                                   "Uploads that were not what their ticket said")) {}

bool Media::is_allowed(std::string_view type) const {
    const auto& types = x_settings.types;
    return types.empty() || std::find(types.begin(), types.end(), type) != types.end();
}

Result<model::MediaFacts> Media::check(const MediaOffer& offer) const {
    model::MediaFacts facts;
    if (offer.open) {
        facts.filename = "file";
        facts.content_type = ports::kOpenContentType;
        facts.size = std::min<std::uint64_t>(x_settings.bytes_max, limits::kMediaOpenBytes);
        return facts;
    }
    const bool has_line_break = offer.filename.find_first_of("\n\r\t") != std::string::npos;
    if (!is_valid_utf8(offer.filename) || has_control(offer.filename) || has_line_break)
        return Error(Errc::invalid_field, "filename is not UTF-8, or has control characters");
    facts.filename = base_name(offer.filename);
    if (facts.filename.empty()) return Error(Errc::invalid_field, "filename is empty");
    if (facts.filename.size() > limits::kMediaFilenameBytes)
        return Error(Errc::too_long, "filename has more than 255 bytes");
    const MediaType* const type = find_media_type(offer.content_type);
    if (!type || !is_allowed(type->name)) return Error(Errc::media_type_not_allowed);
    facts.content_type = type->name;
    if (offer.size == 0) return Error(Errc::invalid_field, "size: at least 1 byte");
    if (offer.size > x_settings.bytes_max)
        return Error(Errc::media_too_large,
                     "size: at most " + std::to_string(x_settings.bytes_max) + " bytes");
    facts.size = offer.size;
    return facts;
}

std::string Media::new_key() {
    std::array<std::byte, 16> random;
    x_ports.entropy.fill(random);
    std::string key = to_hex({reinterpret_cast<const char*>(random.data()), random.size()});
    return key.insert(2, "/");
}

Task<Result<MediaTicket>> Media::ticket(model::UserId user, model::RoomId room, MediaOffer offer) {
    PARLEY_CO_CHECK(co_await x_rooms.require(user, room, chat::Action::send));
    co_return co_await make_ticket(user, room, std::move(offer));
}

Task<Result<MediaTicket>> Media::avatar_ticket(model::UserId user, MediaOffer offer) {
    const MediaType* const type = find_media_type(offer.content_type);
    if (!type || !type->picture)
        co_return Error(Errc::media_type_not_allowed, "content_type: a picture was expected");
    if (offer.size > limits::kAvatarBytes) co_return avatar_too_large();
    const model::RoomId nowhere;
    co_return co_await make_ticket(user, nowhere, std::move(offer));
}

Task<Result<MediaTicket>> Media::make_ticket(model::UserId user, model::RoomId room,
                                             MediaOffer offer) {
    PARLEY_CO_TRY(model::MediaFacts facts, check(offer));
    const auto sha256 = from_hex(offer.sha256);
    if (!sha256 || (!sha256->empty() && sha256->size() != kShaBytes))
        co_return Error(Errc::invalid_field, "sha256: 64 hexadecimal digits");
    const model::Time now = x_ports.clock.now();
    ports::UploadTerms terms;
    terms.key = new_key();
    terms.content_type = facts.content_type;
    terms.size = facts.size;
    terms.sha256 = *sha256;
    terms.now = now;
    terms.expires_at = later(now, x_settings.ticket_life);
    // First what costs nothing where it fails.
    PARLEY_CO_TRY(ports::UploadTicket upload, co_await x_ports.objects.ticket(terms));
    ports::NewMedia fresh;
    fresh.room_id = room;
    fresh.user_id = user;
    fresh.facts = std::move(facts);
    fresh.key = terms.key;
    fresh.sha256 = *sha256;
    fresh.created_at = now;
    fresh.ticket_expires_at = upload.expires_at;
    auto media = co_await x_ports.catalog.create_media(std::move(fresh), x_settings.quota);
    if (!media) {
        if (!upload.upload_id.empty())
            static_cast<void>(co_await x_ports.objects.abort_parts(terms.key, upload.upload_id));
        co_return media.error();
    }
    if (!upload.upload_id.empty()) {
        PARLEY_CO_CHECK(co_await x_ports.catalog.note_upload(media->id, upload.upload_id));
    }
    x_tickets.add();
    MediaTicket ticket;
    ticket.media = std::move(*media);
    ticket.upload = std::move(upload);
    co_return ticket;
}

Task<Result<model::MediaFactsRef>> Media::known(model::MediaId id) {
    PARLEY_CO_TRY(model::Media media, co_await x_ports.catalog.find_media(id));
    co_return std::make_shared<const model::MediaFacts>(std::move(media.facts));
}

Task<Result<void>> Media::complete(model::UserId user, model::MediaId id) {
    PARLEY_CO_TRY(model::Media media, co_await x_ports.catalog.find_media(id));
    if (media.user_id != user) co_return unknown();
    if (media.state == model::MediaState::stored) co_return Result<void>{};
    PARLEY_CO_TRY(const std::string upload, co_await x_ports.catalog.upload_of(id));
    if (!upload.empty()) {
        PARLEY_CO_CHECK(co_await x_ports.objects.complete_parts(media.key, upload));
    }
    co_return co_await ensure_stored(media);
}

Task<Result<void>> Media::ensure_stored(model::Media& media) {
    if (media.state == model::MediaState::stored) co_return Result<void>{};
    const bool open = media.facts.content_type == ports::kOpenContentType;
    if (open) {
        // Its client knows nothing of completing: here it ends that anybody can write to it.
        PARLEY_CO_TRY(const std::string upload, co_await x_ports.catalog.upload_of(media.id));
        if (!upload.empty()) {
            PARLEY_CO_CHECK(co_await x_ports.objects.complete_parts(media.key, upload));
        }
    }
    PARLEY_CO_TRY(const ports::ObjectHead head, co_await x_ports.objects.head(media.key));
    const bool same =
        (open ? head.size > 0 && head.size <= media.facts.size : head.size == media.facts.size) &&
        (open || head.content_type.empty() || head.content_type == media.facts.content_type) &&
        (media.sha256.empty() || head.sha256.empty() || media.sha256 == head.sha256);
    const MediaType* type = nullptr;
    if (same) {
        PARLEY_CO_TRY(const std::string first,
                      co_await x_ports.objects.read(media.key, 0, kFirstBytes));
        const bool whole = head.size <= first.size();
        type = open ? guess(first, whole) : find_media_type(media.facts.content_type);
        if (type && (!is_allowed(type->name) || !first_bytes_match(*type, first, whole)))
            type = nullptr;
    }
    if (!type) {
        x_mismatches.add();
        co_return Error(Errc::media_mismatch, "What was uploaded is not what was announced.");
    }
    media.facts.content_type = type->name;
    media.facts.size = head.size;
    PARLEY_CO_CHECK(co_await x_ports.catalog.note_stored(media.id, head.sha256, media.facts));
    media.state = model::MediaState::stored;
    co_return Result<void>{};
}

Task<bool> Media::is_member(model::UserId user, model::RoomId room) {
    const auto allowed = co_await x_rooms.require(user, room, chat::Action::view);
    co_return allowed.has_value();
}

// Looked up at each read: who takes another picture, or leaves the last room that both are in,
// shows it to nobody there any more.
Task<Result<bool>> Media::may_see_avatar(model::UserId user, const model::Media& media) {
    const auto shown = co_await x_ports.users.find_user(media.user_id);
    if (!shown && shown.error().code != Errc::unknown_user) co_return shown.error();
    if (!shown || shown->avatar_media_id != media.id) co_return false;
    if (user == media.user_id) co_return true;
    PARLEY_CO_TRY(const model::User caller, co_await x_ports.users.find_user(user));
    if (caller.role >= model::ServerRole::moderator && !caller.disabled) co_return true;
    co_return co_await x_ports.directory.share_room(user, media.user_id);
}

Task<Result<bool>> Media::may_read(model::UserId user, const model::Media& media) {
    if (media.room_id) {
        const bool in_own_room = co_await is_member(user, media.room_id);
        if (in_own_room) co_return true;
    }
    PARLEY_CO_TRY(const auto rooms, co_await x_ports.catalog.media_rooms(media.id));
    std::size_t asked = 0;
    for (const model::RoomId room : rooms) {
        if (!room) {
            PARLEY_CO_TRY(const bool shown, co_await may_see_avatar(user, media));
            if (shown) co_return true;
            continue;
        }
        if (room == media.room_id) continue;
        if (++asked > limits::kMediaRoomsAsked) break;
        const bool member = co_await is_member(user, room);
        if (member) co_return true;
    }
    co_return false;
}

Task<Result<model::MediaFactsRef>> Media::attach(model::UserId user, model::RoomId room,
                                                 model::MediaId id) {
    PARLEY_CO_CHECK(co_await x_rooms.require(user, room, chat::Action::send));
    PARLEY_CO_TRY(model::Media media, co_await x_ports.catalog.find_media(id));
    if (media.user_id != user || media.room_id != room) {
        // Somebody else's, or of another room: who may read it may pass it on.
        const bool own = media.user_id == user;
        if (!own && media.state != model::MediaState::stored) co_return unknown();
        PARLEY_CO_TRY(const bool readable, co_await may_read(user, media));
        if (!readable) co_return unknown();
    }
    PARLEY_CO_CHECK(co_await ensure_stored(media));
    PARLEY_CO_CHECK(co_await x_ports.catalog.attach_media(id, room, x_ports.clock.now()));
    x_attached.add();
    co_return std::make_shared<const model::MediaFacts>(std::move(media.facts));
}

Task<Result<void>> Media::attach_avatar(model::UserId user, model::MediaId id) {
    PARLEY_CO_TRY(model::Media media, co_await x_ports.catalog.find_media(id));
    if (media.user_id != user) co_return unknown();
    const MediaType* const type = find_media_type(media.facts.content_type);
    if (!type || !type->picture)
        co_return Error(Errc::media_type_not_allowed, "avatar_media_id: a picture was expected");
    if (media.facts.size > limits::kAvatarBytes) co_return avatar_too_large();
    PARLEY_CO_CHECK(co_await ensure_stored(media));
    const model::RoomId as_avatar;
    co_return co_await x_ports.catalog.attach_media(id, as_avatar, x_ports.clock.now());
}

Task<Result<void>> Media::wait_until_stripped(model::UserId user, model::Media& media) {
    const MediaType* const type = find_media_type(media.facts.content_type);
    if (!x_settings.strips || !type || !type->has_metadata() || media.facts.stripped)
        co_return Result<void>{};
    const bool own = media.user_id == user;
    const Error not_yet(Errc::media_unavailable, "The file is being prepared.",
                        std::chrono::seconds(1));
    if (x_waiting >= limits::kMediaStripWaits) co_return not_yet;
    struct Count {
        std::size_t& count;
        explicit Count(std::size_t& of) : count(of) { ++count; }
        ~Count() { --count; }
    } const counted(x_waiting);
    const auto until = x_ports.clock.steady() +
                       (own ? limits::kMediaOwnStripWait : limits::kMediaStripWait);
    boost::asio::steady_timer timer(x_rooms.core().io());
    while (!media.facts.stripped) {
        if (x_ports.clock.steady() >= until || x_rooms.gate().closing()) {
            if (own) break;
            co_return not_yet;
        }
        timer.expires_after(limits::kMediaStripLook);
        co_await timer.async_wait(boost::asio::use_awaitable);
        PARLEY_CO_TRY(media, co_await x_ports.catalog.find_media(media.id));
    }
    co_return Result<void>{};
}

Task<Result<std::string>> Media::download(model::UserId user, model::MediaId id,
                                          model::MediaVariant variant) {
    PARLEY_CO_TRY(model::Media media, co_await x_ports.catalog.find_media(id));
    PARLEY_CO_TRY(const bool readable, co_await may_read(user, media));
    if (!readable) co_return unknown();
    const auto stored = co_await ensure_stored(media);
    if (!stored && stored.error().code == Errc::media_unavailable) co_return stored.error();
    if (!stored) co_return unknown();
    const bool has = variant == model::MediaVariant::original ||
                     (variant == model::MediaVariant::small ? media.facts.small.has_value()
                                                            : media.facts.large.has_value());
    if (!has) co_return unknown();
    if (variant == model::MediaVariant::original) {
        PARLEY_CO_CHECK(co_await wait_until_stripped(user, media));
    }
    const MediaType* const type = find_media_type(media.facts.content_type);
    ports::DownloadTerms terms;
    terms.key = variant == model::MediaVariant::original && media.facts.stripped.value_or(false)
                    ? model::stripped_key(media.key)
                    : model::variant_key(media.key, variant);
    terms.content_type =
        variant == model::MediaVariant::original ? media.facts.content_type : "image/webp";
    terms.filename = media.facts.filename;
    terms.shown_inline = variant != model::MediaVariant::original || (type && type->shown_inline);
    terms.now = x_ports.clock.now();
    terms.expires_at = later(terms.now, limits::kMediaUrlLife);
    co_return x_ports.objects.download_url(terms);
}

} // namespace parley::service
