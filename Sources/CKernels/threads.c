// A pool of threads that share the pieces of one job at a time. Waiting threads spin for a few microseconds, because
// the next job usually follows at once, and then sleep.
#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#endif
#include "include/CKernels.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_THREADS = 256, SPINS = 2000 };

static atomic_int wanted;

static struct {
    pthread_mutex_t user;    // held by the thread whose job runs
    pthread_mutex_t lock;    // guards sleeping
    pthread_cond_t work, done;
    atomic_int sleepers;     // workers that wait for `work`
    atomic_int waits;        // whether the job's owner waits for `done`
    atomic_int started;      // threads, the owner of a job among them
    // Number of the job above, its next piece below. CLOSED pieces belong to no job.
    _Atomic uint64_t state;
    _Atomic int64_t count, finished;
    void (*_Atomic body)(void *, int64_t, int32_t);
    void *_Atomic context;
} pool = {.user = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

static const uint64_t CLOSED = 0xffffffff;
static _Thread_local int is_inside;

// Processors that this process may use.
static int32_t processors(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    return (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

static void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// Takes pieces of job `job` until none is left.
static void take_pieces(uint64_t job, int32_t thread) {
    for (;;) {
        uint64_t state = atomic_load(&pool.state);
        const uint64_t piece = state & CLOSED;
        if (state >> 32 != job || piece == CLOSED || (int64_t)piece >= atomic_load(&pool.count)) return;
        // Fails if the job is another one by now.
        if (!atomic_compare_exchange_weak(&pool.state, &state, state + 1)) continue;
        const int64_t count = atomic_load(&pool.count);
        atomic_load(&pool.body)(atomic_load(&pool.context), (int64_t)piece, thread);
        if (atomic_fetch_add(&pool.finished, 1) + 1 == count && atomic_load(&pool.waits)) {
            pthread_mutex_lock(&pool.lock);
            pthread_cond_signal(&pool.done);
            pthread_mutex_unlock(&pool.lock);
        }
    }
}

static void *work(void *argument) {
    const int32_t thread = (int32_t)(intptr_t)argument;
    uint64_t seen = 0;
    is_inside = 1;
    for (;;) {
        for (int spin = 0; spin < SPINS && atomic_load(&pool.state) >> 32 == seen; spin++) pause_briefly();
        if (atomic_load(&pool.state) >> 32 == seen) {
            pthread_mutex_lock(&pool.lock);
            atomic_fetch_add(&pool.sleepers, 1);
            while (atomic_load(&pool.state) >> 32 == seen) pthread_cond_wait(&pool.work, &pool.lock);
            atomic_fetch_sub(&pool.sleepers, 1);
            pthread_mutex_unlock(&pool.lock);
        }
        seen = atomic_load(&pool.state) >> 32;
        take_pieces(seen, thread);
    }
    return NULL;
}

static atomic_int settled;  // the number of threads, once it has been asked for

void ls_set_threads(int32_t count) { atomic_store(&wanted, count); }

int32_t ls_threads(void) {
    int32_t count = atomic_load(&settled);
    if (count > 0) return count;
    count = atomic_load(&wanted);
    if (count <= 0) count = processors();
    count = count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : count;
    int32_t none = 0;
    return atomic_compare_exchange_strong(&settled, &none, count) ? count : none;
}

// Starts threads until there are enough; where the system gives no more, fewer do the work.
static void start(int32_t threads) {
    while (atomic_load(&pool.started) < threads - 1) {
        pthread_t thread;
        const intptr_t number = atomic_load(&pool.started) + 1;
        if (pthread_create(&thread, NULL, work, (void *)number) != 0) return;
        pthread_detach(thread);
        atomic_fetch_add(&pool.started, 1);
    }
}

void ls_parallel(int64_t count, void (*body)(void *, int64_t, int32_t), void *context) {
    const int32_t threads = ls_threads();
    if (count <= 1 || threads == 1 || is_inside || count >= (int64_t)CLOSED || pthread_mutex_trylock(&pool.user) != 0) {
        for (int64_t piece = 0; piece < count; piece++) body(context, piece, 0);
        return;
    }
    start(threads);
    const uint64_t job = (uint32_t)((atomic_load(&pool.state) >> 32) + 1);
    atomic_store(&pool.body, body);
    atomic_store(&pool.context, context);
    atomic_store(&pool.finished, 0);
    atomic_store(&pool.count, count);
    atomic_store(&pool.state, job << 32);
    if (atomic_load(&pool.sleepers) > 0) {
        pthread_mutex_lock(&pool.lock);
        pthread_cond_broadcast(&pool.work);
        pthread_mutex_unlock(&pool.lock);
    }
    is_inside = 1;
    take_pieces(job, 0);
    is_inside = 0;
    for (int spin = 0; spin < SPINS && atomic_load(&pool.finished) < count; spin++) pause_briefly();
    if (atomic_load(&pool.finished) < count) {
        pthread_mutex_lock(&pool.lock);
        atomic_store(&pool.waits, 1);
        while (atomic_load(&pool.finished) < count) pthread_cond_wait(&pool.done, &pool.lock);
        atomic_store(&pool.waits, 0);
        pthread_mutex_unlock(&pool.lock);
    }
    atomic_store(&pool.state, job << 32 | CLOSED);
    pthread_mutex_unlock(&pool.user);
}
