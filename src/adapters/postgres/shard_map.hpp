// ShardMap: the pools of all shards and which of them has a room: a room falls into a bucket, and a
// table says which shard the bucket is in. assign() changes the table while it is used: a call that
// has its shard already ends there (what has moved away is left there for a while).
//
// ask_all() asks every shard at once and waits for all answers; the first shard that fails is the
// answer. Threading: any thread. Owner: app/wiring, which also owns the
// pools.
#pragma once

#include "adapters/postgres/pool.hpp"
#include "base/assert.hpp"
#include "model/bucket.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace parley::postgres {

class ShardMap {
public:
    // `shard_of_bucket`: limits::kBuckets indices into `pools`.
    ShardMap(std::vector<Pool*> pools, const std::vector<std::uint16_t>& shard_of_bucket)
        : x_pools(std::move(pools)), x_shard_of_bucket(limits::kBuckets) {
        assign(shard_of_bucket);
    }
    void assign(const std::vector<std::uint16_t>& shard_of_bucket) {
        PARLEY_ASSERT(shard_of_bucket.size() == limits::kBuckets);
        for (std::size_t i = 0; i < limits::kBuckets; ++i) {
            PARLEY_ASSERT(shard_of_bucket[i] < x_pools.size());
            x_shard_of_bucket[i].store(shard_of_bucket[i], std::memory_order_release);
        }
    }

    std::size_t size() const { return x_pools.size(); }
    std::size_t index_of(model::RoomId room) const {
        return x_shard_of_bucket[model::bucket_of(room)].load(std::memory_order_acquire);
    }
    Pool& of(model::RoomId room) const { return *x_pools[index_of(room)]; }
    Pool& operator[](std::size_t shard) const { return *x_pools[shard]; }

    // `function(Connection&)` gives a Result<T>: the T of each shard, in their order. As for
    // Pool::run: not inside a co_await expression.
    template <class Function>
    auto ask_all(Function function) const {
        return ask_each([function](std::size_t) { return function; });
    }
    // The same with a function of its own for each shard.
    template <class MakeFunction>
    auto ask_each(MakeFunction make) const {
        using Function = std::invoke_result_t<MakeFunction&, std::size_t>;
        using Answer = std::invoke_result_t<Function&, Connection&>;
        return wait_for_all<typename Answer::value_type>(std::move(make));
    }

private:
    template <class T>
    struct Answers {
        explicit Answers(std::size_t count) : waiting(count), of(count) {}
        std::atomic<std::size_t> waiting;
        std::vector<std::optional<Result<T>>> of;

        Result<std::vector<T>> joined() {
            std::vector<T> all;
            for (auto& answer : of) {
                if (!*answer) return answer->error();
                all.push_back(std::move(**answer));
            }
            return all;
        }
    };

    template <class T, class MakeFunction>
    Task<Result<std::vector<T>>> wait_for_all(MakeFunction make) const {
        co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&,
                                                       void(Result<std::vector<T>>)>(
            [this, &make](auto handler) {
                auto held = std::make_shared<decltype(handler)>(std::move(handler));
                auto answers = std::make_shared<Answers<T>>(x_pools.size());
                for (std::size_t shard = 0; shard < x_pools.size(); ++shard)
                    x_pools[shard]->start(make(shard), [held, answers, shard](Result<T> answer) {
                        answers->of[shard] = std::move(answer);
                        if (answers->waiting.fetch_sub(1) != 1) return;
                        const auto executor = boost::asio::get_associated_executor(*held);
                        boost::asio::post(executor, [held, joined = answers->joined()]() mutable {
                            std::move (*held)(std::move(joined));
                        });
                    });
            },
            boost::asio::use_awaitable);
    }

    const std::vector<Pool*> x_pools;
    std::vector<std::atomic<std::uint16_t>> x_shard_of_bucket;
};

} // namespace parley::postgres
