#include "adapters/postgres/released_media.hpp"

#include <algorithm>

namespace parley::postgres {
namespace {

std::vector<Pool*> stores(Pool& directory, const std::vector<Pool*>& shards) {
    std::vector<Pool*> all{&directory};
    all.insert(all.end(), shards.begin(), shards.end());
    return all;
}

using Found = std::vector<std::pair<std::int64_t, model::MediaId>>;

Found read(Connection& database, std::size_t limit) {
    Found found;
    for (const Row row : database.query(
             "SELECT seq, media_id FROM released_media ORDER BY seq LIMIT $1", Params(limit)))
        found.emplace_back(row.integer(0), row.id<model::MediaId>(1));
    return found;
}

bool is_there(Connection& database, const char* sql, model::MediaId media) {
    return !database.query(sql, Params(media)).empty();
}

constexpr const char* kAvatar = "SELECT 1 FROM users WHERE avatar_media_id = $1 LIMIT 1";
constexpr const char* kMessage =
    "SELECT 1 FROM messages m JOIN rooms r ON r.id = m.room_id "
    "WHERE m.media_id = $1 AND m.deleted = 0 AND r.deleted = 0 LIMIT 1";
constexpr const char* kHeld =
    "SELECT 1 FROM held_messages WHERE media_id = $1 AND state = 1 LIMIT 1";

} // namespace

Released::Released(Pool& directory, std::vector<Pool*> shards)
    : x_stores(stores(directory, shards)) {}

Task<Result<std::vector<model::MediaId>>> Released::released_media(std::size_t limit) {
    std::vector<Row> rows;
    for (std::size_t store = 0; store < x_stores.size(); ++store) {
        auto asking = x_stores[store]->run(
            [limit](Connection& database) -> Result<Found> { return read(database, limit); });
        PARLEY_CO_TRY(const Found found, co_await std::move(asking));
        for (const auto& [seq, media] : found) rows.push_back({store, seq, media});
    }
    std::vector<model::MediaId> media;
    for (const Row& row : rows)
        if (media.size() < limit && std::ranges::find(media, row.media) == media.end())
            media.push_back(row.media);
    std::lock_guard lock(x_mutex);
    x_answered = std::move(rows);
    co_return media;
}

Task<Result<bool>> Released::media_in_use(model::MediaId media) {
    for (Pool* store : x_stores) {
        const bool directory = store == x_stores.front();
        auto asking = store->run([media, directory](Connection& database) -> Result<bool> {
            if (directory) return is_there(database, kAvatar, media);
            return is_there(database, kMessage, media) || is_there(database, kHeld, media);
        });
        PARLEY_CO_TRY(const bool found, co_await std::move(asking));
        if (found) co_return true;
    }
    co_return false;
}

std::vector<std::int64_t> Released::seqs_of(std::size_t store,
                                            const std::vector<model::MediaId>& media) {
    std::vector<std::int64_t> seqs;
    std::lock_guard lock(x_mutex);
    for (const Row& row : x_answered)
        if (row.store == store && std::ranges::find(media, row.media) != media.end())
            seqs.push_back(row.seq);
    return seqs;
}

Task<Result<void>> Released::forget_released(std::vector<model::MediaId> media) {
    for (std::size_t store = 0; store < x_stores.size(); ++store) {
        auto seqs = seqs_of(store, media);
        if (seqs.empty()) continue;
        auto forgetting = x_stores[store]->run(
            [seqs = std::move(seqs)](Connection& database) -> Result<void> {
                database.query("DELETE FROM released_media WHERE seq = ANY($1)", Params(seqs));
                return {};
            });
        PARLEY_CO_CHECK(co_await std::move(forgetting));
    }
    co_return Result<void>{};
}

Task<Result<std::vector<ports::ReleasedMedia::Carrier>>>
Released::media_carriers(model::MediaId media, std::size_t limit) {
    using Carriers = std::vector<Carrier>;
    Carriers all;
    for (std::size_t store = 1; store < x_stores.size() && all.size() < limit; ++store) {
        const std::size_t left = limit - all.size();
        auto asking = x_stores[store]->run([media, left](Connection& database) -> Result<Carriers> {
            Carriers found;
            const auto rows = database.query(
                "SELECT m.room_id, m.id, m.user_id FROM messages m JOIN rooms r ON "
                "r.id = m.room_id WHERE m.media_id = $1 AND m.deleted = 0 AND r.deleted = 0 "
                "LIMIT $2",
                Params(media, left));
            for (const postgres::Row row : rows)
                found.push_back({row.id<model::RoomId>(0), row.id<model::EventId>(1),
                                 row.id<model::UserId>(2)});
            return found;
        });
        PARLEY_CO_TRY(const Carriers found, co_await std::move(asking));
        all.insert(all.end(), found.begin(), found.end());
    }
    co_return all;
}

} // namespace parley::postgres
