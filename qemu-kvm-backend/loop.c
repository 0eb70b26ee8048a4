#include "qemu-kvm-backend/loop.h"

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_PER_WAIT 32

struct LoopSource {
    Loop *loop;
    LoopSource *next;
    int fd;          /* -1: a timer */
    uint64_t due_ns; /* of a timer; 0: stopped */
    bool quick;      /* its next event may come soon */
    bool dead;       /* freed; goes when no event of the current round can name it any more */
    LoopFn fn;
    void *data;
};

/* A function that another thread wants to be called here, on that thread's stack. */
typedef struct Call {
    struct Call *next;
    void (*fn)(void *data);
    void *data;
    bool done;
} Call;

struct Loop {
    pthread_t thread; /* the loop's own */
    int epoll_fd;
    bool quit;
    bool after_quick; /* the last events are of a source that is quick */
    BusyPoll poll;
    LoopSource *sources;
    int calls_fd;               /* eventfd: there are calls */
    pthread_mutex_t calls_lock; /* a leaf: nothing is called with it */
    pthread_cond_t calls_done;
    Call *calls; /* oldest first */
};

uint64_t
loop_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static Call *
take_call(Loop *loop)
{
    Call *call;

    pthread_mutex_lock(&loop->calls_lock);
    call = loop->calls;
    if (call)
        loop->calls = call->next;
    pthread_mutex_unlock(&loop->calls_lock);
    return call;
}

static void
serve_calls(void *data, uint32_t events)
{
    Loop *loop = data;
    eventfd_t n;
    Call *call;

    eventfd_read(loop->calls_fd, &n);
    while ((call = take_call(loop))) {
        call->fn(call->data);
        pthread_mutex_lock(&loop->calls_lock);
        call->done = true; /* the last that is seen of it here */
        pthread_cond_broadcast(&loop->calls_done);
        pthread_mutex_unlock(&loop->calls_lock);
    }
}

Loop *
loop_new(void)
{
    Loop *loop = vmm_must(calloc(1, sizeof(*loop)));

    loop->thread = pthread_self();
    busy_poll_init(&loop->poll, &(BusyPollRule){ .max_ns = VMM_POLL_MAX_NS });
    pthread_mutex_init(&loop->calls_lock, NULL);
    pthread_cond_init(&loop->calls_done, NULL);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->calls_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd < 0 || loop->calls_fd < 0 ||
        !loop_add_fd(loop, loop->calls_fd, EPOLLIN, serve_calls, loop))
        abort();
    return loop;
}

static void
sweep(Loop *loop, bool all)
{
    for (LoopSource **at = &loop->sources; *at;) {
        LoopSource *source = *at;

        if (!source->dead && !all) {
            at = &source->next;
            continue;
        }
        *at = source->next;
        free(source);
    }
}

void
loop_free(Loop *loop)
{
    if (!loop)
        return;
    sweep(loop, true);
    close(loop->epoll_fd);
    close(loop->calls_fd);
    pthread_cond_destroy(&loop->calls_done);
    pthread_mutex_destroy(&loop->calls_lock);
    free(loop);
}

static LoopSource *
add(Loop *loop, int fd, LoopFn fn, void *data)
{
    LoopSource *source = vmm_must(calloc(1, sizeof(*source)));

    *source = (LoopSource){ .loop = loop, .next = loop->sources, .fd = fd, .fn = fn, .data = data };
    loop->sources = source;
    return source;
}

LoopSource *
loop_add_fd(Loop *loop, int fd, uint32_t events, LoopFn fn, void *data)
{
    LoopSource *source = add(loop, fd, fn, data);
    struct epoll_event event = { .events = events, .data.ptr = source };

    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
        return source;
    loop->sources = source->next;
    free(source);
    return NULL;
}

void
loop_source_set_events(LoopSource *source, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = source };

    if (epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0)
        abort();
}

void
loop_source_set_quick(LoopSource *source)
{
    source->quick = true;
}

void
loop_set_poll(Loop *loop, const BusyPollRule *rule)
{
    busy_poll_init(&loop->poll, rule);
}

BusyPollRule
loop_poll(const Loop *loop)
{
    return loop->poll.rule;
}

LoopSource *
loop_add_timer(Loop *loop, LoopFn fn, void *data)
{
    return add(loop, -1, fn, data);
}

void
loop_timer_set(LoopSource *source, uint64_t delay_ms)
{
    source->due_ns = delay_ms ? loop_now_ns() + delay_ms * 1000000 : 0;
}

void
loop_source_free(LoopSource *source)
{
    if (!source || source->dead)
        return;
    if (source->fd >= 0)
        epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    source->due_ns = 0;
    source->dead = true;
}

static LoopSource *
first_timer(Loop *loop)
{
    LoopSource *first = NULL;

    for (LoopSource *source = loop->sources; source; source = source->next) {
        if (source->due_ns && (!first || source->due_ns < first->due_ns))
            first = source;
    }
    return first;
}

/* Milliseconds until the first timer, rounded up so that it is due on waking; -1: no timer. */
static int
wait_ms(Loop *loop)
{
    LoopSource *timer = first_timer(loop);
    uint64_t now = loop_now_ns(), ms;

    if (!timer)
        return -1;
    if (timer->due_ns <= now)
        return 0;
    ms = (timer->due_ns - now + 999999) / 1000000;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static void
serve_timers(Loop *loop)
{
    uint64_t now = loop_now_ns();
    LoopSource *timer;

    /* A timer that its function sets again is due later than @now: the loop ends. */
    while (!loop->quit && (timer = first_timer(loop)) && timer->due_ns <= now) {
        timer->due_ns = 0;
        timer->fn(timer->data, 0);
    }
}

static int
look(Loop *loop, struct epoll_event *events)
{
    uint64_t end = loop_now_ns() + loop->poll.ns;
    int n;

    do
        n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_WAIT, 0);
    while (n == 0 && loop_now_ns() < end);
    busy_poll_looked(&loop->poll, n > 0);
    return n;
}

static bool
has_quick(const struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        if (((const LoopSource *)events[i].data.ptr)->quick)
            return true;
    }
    return false;
}

/* Waits for events, as epoll_wait(2) gives them. */
static int
await(Loop *loop, struct epoll_event *events)
{
    int n = loop->poll.ns && loop->after_quick ? look(loop, events) : 0;
    uint64_t begin = loop_now_ns();
    bool sleeps = n == 0;

    if (sleeps)
        n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_WAIT, wait_ms(loop));
    loop->after_quick = has_quick(events, n);
    if (sleeps && loop->after_quick)
        busy_poll_slept(&loop->poll, loop_now_ns() - begin);
    return n;
}

void
loop_run(Loop *loop)
{
    struct epoll_event events[EVENTS_PER_WAIT];

    while (!loop->quit) {
        int n = await(loop, events);

        if (n < 0 && errno != EINTR)
            abort();
        for (int i = 0; i < n && !loop->quit; i++) {
            LoopSource *source = events[i].data.ptr;

            if (!source->dead)
                source->fn(source->data, events[i].events);
        }
        serve_timers(loop);
        sweep(loop, false);
    }
    loop->quit = false;
}

void
loop_quit(Loop *loop)
{
    loop->quit = true;
}

static void
append_call(Loop *loop, Call *call)
{
    Call **at = &loop->calls;

    while (*at)
        at = &(*at)->next;
    *at = call;
    eventfd_write(loop->calls_fd, 1);
}

void
loop_run_in(Loop *loop, void (*fn)(void *data), void *data)
{
    Call call = { .fn = fn, .data = data };

    if (pthread_equal(loop->thread, pthread_self())) {
        fn(data);
        return;
    }
    pthread_mutex_lock(&loop->calls_lock);
    append_call(loop, &call);
    while (!call.done)
        pthread_cond_wait(&loop->calls_done, &loop->calls_lock);
    pthread_mutex_unlock(&loop->calls_lock);
}
