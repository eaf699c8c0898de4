#include "base/worker_pool.hpp"

#include <pthread.h>

namespace parley {

WorkerPool::WorkerPool(std::string name, std::size_t threads, std::size_t queue_max,
                       Metrics& metrics)
    : x_queue_max(queue_max),
      x_depth(metrics.gauge("parley_pool_queue", "Jobs waiting for a worker thread",
                            "pool=\"" + name + "\"")),
      x_rejected(metrics.counter("parley_pool_rejected_total", "Jobs refused by a full queue",
                                 "pool=\"" + name + "\"")) {
    for (std::size_t i = 0; i < threads; ++i) {
        x_threads.emplace_back([this, i] { work(i); });
        ::pthread_setname_np(x_threads.back().native_handle(), name.substr(0, 15).c_str());
    }
}

WorkerPool::~WorkerPool() { stop(); }

bool WorkerPool::submit(Job job) {
    {
        std::lock_guard lock(x_mutex);
        if (x_stopping || x_queue.size() >= x_queue_max) {
            x_rejected.add(1);
            return false;
        }
        x_queue.push_back(std::move(job));
        x_depth.set(static_cast<std::int64_t>(x_queue.size()));
    }
    x_wake.notify_one();
    return true;
}

void WorkerPool::stop() {
    {
        std::lock_guard lock(x_mutex);
        x_stopping = true;
    }
    x_wake.notify_all();
    for (auto& thread : x_threads)
        if (thread.joinable()) thread.join();
}

void WorkerPool::work(std::size_t worker) {
    std::unique_lock lock(x_mutex);
    for (;;) {
        x_wake.wait(lock, [this] { return x_stopping || !x_queue.empty(); });
        if (x_queue.empty()) return;
        Job job = std::move(x_queue.front());
        x_queue.pop_front();
        x_depth.set(static_cast<std::int64_t>(x_queue.size()));
        lock.unlock();
        job(worker);
        job = nullptr;
        lock.lock();
    }
}

} // namespace parley
