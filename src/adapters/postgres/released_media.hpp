// Released: ReleasedMedia of the cluster. What messages let go of stands in their shards, whose
// avatar a file is no more in the directory; triggers write both (shard_schema.cpp,
// directory_schema.cpp).
//
// A release is a row of its own each time. forget_released() takes away those rows that
// released_media() has answered before, and none that came since: what was released again while it
// was looked at is looked at again.
//
// The rows are those of acknowledged changes only when the shards have stored what the log has:
// whoever asks whether a file is in use has waited for that (cluster/fresh_reads.hpp).
//
// Threading: any core. Owner: the directory. The pools must live longer. Bound: what is remembered
// is the last answer of released_media().
#pragma once

#include "adapters/postgres/pool.hpp"
#include "ports/media_catalog.hpp"

#include <mutex>
#include <vector>

namespace parley::postgres {

class Released final : public ports::ReleasedMedia {
public:
    Released(Pool& directory, std::vector<Pool*> shards);

    Task<Result<std::vector<model::MediaId>>> released_media(std::size_t limit) override;
    Task<Result<bool>> media_in_use(model::MediaId media) override;
    Task<Result<void>> forget_released(std::vector<model::MediaId> media) override;
    Task<Result<std::vector<Carrier>>> media_carriers(model::MediaId media,
                                                      std::size_t limit) override;

private:
    struct Row {
        std::size_t store; // an index of x_stores
        std::int64_t seq;
        model::MediaId media;
    };
    std::vector<std::int64_t> seqs_of(std::size_t store, const std::vector<model::MediaId>& media);

    const std::vector<Pool*> x_stores; // the directory, then the shards
    std::mutex x_mutex;
    std::vector<Row> x_answered;
};

} // namespace parley::postgres
