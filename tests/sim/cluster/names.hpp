// The directory's registry of names, in place of PostgreSQL: one for the cluster, and how a node
// asks it. Owner: the cluster; a NodeNames: its node.
#pragma once

#include "ports/name_registry.hpp"
#include "tests/sim/cluster/shard.hpp"

#include <map>
#include <optional>
#include <string>

namespace parley::sim {

struct Names {
    std::map<std::string, ports::NameRegistry::Claim> holders;
};

class NodeNames final : public ports::NameRegistry {
public:
    NodeNames(Weather& weather, Names& names, Process& process)
        : x_weather(weather), x_names(names), x_process(process) {}

    Task<Result<Claim>> claim_name(std::string key, model::RoomId room, model::Time now) override {
        PARLEY_CO_CHECK(co_await reach());
        co_return x_names.holders.try_emplace(std::move(key), Claim{room, now}).first->second;
    }
    Task<Result<bool>> take_name(std::string key, model::RoomId from, model::RoomId to,
                                 model::Time now) override {
        PARLEY_CO_CHECK(co_await reach());
        const auto found = x_names.holders.find(key);
        if (found == x_names.holders.end() || found->second.holder != from) co_return false;
        found->second = {to, now};
        co_return true;
    }
    Task<Result<void>> release_names(model::RoomId room, std::optional<std::string> keep) override {
        PARLEY_CO_CHECK(co_await reach());
        std::erase_if(x_names.holders, [&](const auto& one) {
            return one.second.holder == room && one.first != keep;
        });
        co_return Result<void>{};
    }
    Task<Result<model::RoomId>> claim_dm(model::UserId, model::UserId,
                                         model::RoomId room) override {
        PARLEY_CO_CHECK(co_await reach());
        co_return room;
    }
    Task<Result<void>> release_dm(model::RoomId) override { co_return Result<void>{}; }

private:
    Task<Result<void>> reach() {
        if (!x_process.dead()) co_await pause(x_weather.delay_ms());
        if (x_process.dead() || x_weather.happens(x_weather.faults.call_fails))
            co_return Error(Errc::unavailable, "the directory does not answer");
        co_return Result<void>{};
    }
    Weather& x_weather;
    Names& x_names;
    Process& x_process;
};

} // namespace parley::sim
