// Names: NameRegistry on the directory. A claim is one row, so of two at once one gets it.
//
// Threading: any core. Owner: the directory.
#pragma once

#include "adapters/postgres/pool.hpp"
#include "ports/name_registry.hpp"

namespace parley::postgres {

class Names final : public ports::NameRegistry {
public:
    explicit Names(Pool& pool) : x_pool(pool) {}

    Task<Result<Claim>> claim_name(std::string key, model::RoomId room, model::Time now) override;
    Task<Result<bool>> take_name(std::string key, model::RoomId from, model::RoomId to,
                                 model::Time now) override;
    Task<Result<void>> release_names(model::RoomId room, std::optional<std::string> keep) override;
    Task<Result<model::RoomId>> claim_dm(model::UserId a, model::UserId b,
                                         model::RoomId room) override;
    Task<Result<void>> release_dm(model::RoomId room) override;

private:
    Pool& x_pool;
};

} // namespace parley::postgres
