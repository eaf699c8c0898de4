// MediaRecords: MediaCatalog of the cluster, in the directory's database: a file may be in rooms of
// several shards.
//
// An attachment and a removal of the same file take turns at its row, and the second one sees what
// the first has done: a file is never attached and removed.
//
// Threading: any core. Owner: the directory. The pool and the ids must live longer.
#pragma once

#include "adapters/postgres/id_source.hpp"
#include "adapters/postgres/pool.hpp"
#include "ports/media_catalog.hpp"

namespace parley::postgres {

class MediaRecords final : public ports::MediaCatalog {
public:
    MediaRecords(Pool& directory, IdSource& ids) : x_pool(directory), x_ids(ids) {}

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

private:
    Pool& x_pool;
    IdSource& x_ids;
};

} // namespace parley::postgres
