// C11's threads, locks and conditions as POSIX ones, for programs under ThreadSanitizer.
//
// librdkafka's threads are C11's. The ThreadSanitizer of GCC 12 knows POSIX threads alone: one that
// thrd_create() makes has no state of its and dies at its first malloc(). What a program itself
// defines is found before the C library's, so librdkafka gets these. glibc keeps mtx_t and cnd_t
// small enough, and thrd_t the same, for the casts. What librdkafka does with its own memory is not
// looked at: its atomics are not known either. Without the sanitizer the file is empty.
#if defined(__has_feature) // Clang's way to say it
#if __has_feature(thread_sanitizer)
#define PARLEY_UNDER_THREAD_SANITIZER
#endif
#endif
#ifdef __SANITIZE_THREAD__ // GCC's
#define PARLEY_UNDER_THREAD_SANITIZER
#endif

#ifdef PARLEY_UNDER_THREAD_SANITIZER

#include <cerrno>
#include <cstdint>
#include <pthread.h>
#include <threads.h>

namespace {

struct Start {
    thrd_start_t function;
    void* argument;
};

void* begin(void* raw) {
    const Start start = *static_cast<Start*>(raw);
    delete static_cast<Start*>(raw);
    return reinterpret_cast<void*>(static_cast<std::intptr_t>(start.function(start.argument)));
}

pthread_mutex_t* posix(mtx_t* mutex) { return reinterpret_cast<pthread_mutex_t*>(mutex); }
pthread_cond_t* posix(cnd_t* condition) { return reinterpret_cast<pthread_cond_t*>(condition); }

int outcome(int code) {
    if (code == 0) return thrd_success;
    return code == EBUSY ? thrd_busy : code == ETIMEDOUT ? thrd_timedout : thrd_error;
}

static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t));
static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t));

} // namespace

extern "C" {

const char* __tsan_default_options() { return "ignore_noninstrumented_modules=1"; }

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
    auto* const start = new Start{function, argument};
    const int code = pthread_create(thread, nullptr, begin, start);
    if (code != 0) delete start;
    return outcome(code);
}

int thrd_join(thrd_t thread, int* result) {
    void* raw = nullptr;
    const int code = pthread_join(thread, &raw);
    if (result) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(raw));
    return outcome(code);
}

int mtx_init(mtx_t* mutex, int type) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE
                                                                : PTHREAD_MUTEX_NORMAL);
    const int code = pthread_mutex_init(posix(mutex), &attributes);
    pthread_mutexattr_destroy(&attributes);
    return outcome(code);
}

void mtx_destroy(mtx_t* mutex) { pthread_mutex_destroy(posix(mutex)); }
int mtx_lock(mtx_t* mutex) { return outcome(pthread_mutex_lock(posix(mutex))); }
int mtx_unlock(mtx_t* mutex) { return outcome(pthread_mutex_unlock(posix(mutex))); }

int cnd_init(cnd_t* condition) { return outcome(pthread_cond_init(posix(condition), nullptr)); }
void cnd_destroy(cnd_t* condition) { pthread_cond_destroy(posix(condition)); }
int cnd_signal(cnd_t* condition) { return outcome(pthread_cond_signal(posix(condition))); }
int cnd_broadcast(cnd_t* condition) { return outcome(pthread_cond_broadcast(posix(condition))); }

int cnd_wait(cnd_t* condition, mtx_t* mutex) {
    return outcome(pthread_cond_wait(posix(condition), posix(mutex)));
}

int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
    return outcome(pthread_cond_timedwait(posix(condition), posix(mutex), until));
}

} // extern "C"

#endif
