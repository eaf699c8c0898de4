// MediaRecords: MediaCatalog and ReleasedMedia on SQLite. Look-ups run on the reader threads,
// writes through the writer. What messages let go of is written by triggers (migrations.cpp).
//
// Threading: any core. Owner: the store.
#pragma once

#include "adapters/sqlite/id_source.hpp"
#include "adapters/sqlite/readers.hpp"
#include "adapters/sqlite/writer.hpp"
#include "ports/media_catalog.hpp"

namespace parley::sqlite {

class MediaRecords final : public ports::MediaCatalog, public ports::ReleasedMedia {
public:
    // `writing`: the writer's connection, used here now and on the writer's thread later.
    MediaRecords(Readers& readers, Writer& writer, Database& writing);

    Task<Result<model::Media>> create_media(ports::NewMedia media,
                                            ports::MediaQuota quota) override;
    Task<Result<model::Media>> find_media(model::MediaId media) override;
    Task<Result<void>> note_stored(model::MediaId media, std::string sha256,
                                   model::MediaFacts facts) override;
    Task<Result<void>> attach_media(model::MediaId media, model::RoomId room,
                                    model::Time now) override;
    Task<Result<std::vector<model::RoomId>>> media_rooms(model::MediaId media) override;
    Task<Result<std::vector<model::Media>>> media_to_examine(std::size_t limit) override;
    Task<Result<void>> note_facts(model::MediaId media, model::MediaFacts facts) override;
    Task<Result<std::vector<model::Media>>> unused_media(model::Time before,
                                                         std::size_t limit) override;
    Task<Result<bool>> remove_media(model::MediaId media, model::Time attached_before) override;
    Task<Result<std::vector<model::Media>>> media_to_delete(std::size_t limit) override;
    Task<Result<void>> note_deleted(model::MediaId media) override;
    Task<Result<void>> note_upload(model::MediaId media, std::string upload_id) override;
    Task<Result<std::string>> upload_of(model::MediaId media) override;

    Task<Result<std::vector<model::MediaId>>> released_media(std::size_t limit) override;
    Task<Result<bool>> media_in_use(model::MediaId media) override;
    Task<Result<void>> forget_released(std::vector<model::MediaId> media) override;
    Task<Result<std::vector<Carrier>>> media_carriers(model::MediaId media,
                                                      std::size_t limit) override;

private:
    // On the writer's thread, in its transaction.
    Result<model::Media> insert(const ports::NewMedia& media, const ports::MediaQuota& quota);
    Result<void> check_quota(const ports::NewMedia& media, const ports::MediaQuota& quota);
    std::uint64_t used(model::UserId user, std::int64_t day);
    void add_usage(model::UserId user, std::int64_t day, std::int64_t bytes);
    Result<void> check_found();

    Readers& x_readers;
    Writer& x_writer;
    Database& x_writing;
    IdSource x_ids;
};

} // namespace parley::sqlite
