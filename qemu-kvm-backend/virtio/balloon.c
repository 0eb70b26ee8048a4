/* virtio-balloon (virtio 1.2, section 5.5): the guest gives pages of its RAM back to the host, because our
 * driver asked it to (inflating), or because it does not use them at the moment (reporting).
 *
 * A page that was given back reads as zeros from then on; the guest may use any page at any time, so nothing
 * is kept of which ones they were.
 */
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <endian.h>
#include <linux/virtio_balloon.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define QUEUE_SIZE   128
#define PAGE_SHIFT   12 /* of the balloon's pages, whatever the guest's are (5.5.6) */
#define PAGE_BYTES   ((size_t)1 << PAGE_SHIFT)
#define PFNS_AT_ONCE 256
#define TURN                                                                                       \
    32768 /* pages that a turn of the loop gives back; a buffer may name a thousand million */
#define STATS_MAX    32 /* in a report */
#define PERIOD_MAX_S 86400
#define NEWS_MS      1000 /* at least, between two events about the balloon's size */

enum { INFLATE, DEFLATE, STATS, FREE_PAGES, REPORTING, N_QUEUES };

#define BIT(feature) (1ull << (feature))

/* Statistics by their tag (5.5.6.3), with their key in replies. */
static const char *const stat_keys[] = {
    [VIRTIO_BALLOON_S_SWAP_IN] = "swap-in",
    [VIRTIO_BALLOON_S_SWAP_OUT] = "swap-out",
    [VIRTIO_BALLOON_S_MAJFLT] = "major-faults",
    [VIRTIO_BALLOON_S_MINFLT] = "minor-faults",
    [VIRTIO_BALLOON_S_MEMFREE] = "free",
    [VIRTIO_BALLOON_S_MEMTOT] = "total",
    [VIRTIO_BALLOON_S_AVAIL] = "available",
    [VIRTIO_BALLOON_S_CACHES] = "caches",
    [VIRTIO_BALLOON_S_HTLB_PGALLOC] = "hugetlb-allocations",
    [VIRTIO_BALLOON_S_HTLB_PGFAIL] = "hugetlb-failures",
};

#define N_STATS (sizeof(stat_keys) / sizeof(stat_keys[0]))

typedef struct Balloon {
    VirtioDevice vdev;
    struct virtio_balloon_config config;
    uint32_t target;    /* num_pages of the configuration, whatever the driver writes there */
    uint64_t period_ms; /* between two reports of statistics; 0: none are asked for */
    LoopSource *timer;
    uint64_t left;   /* pages of the turn */
    size_t inflated; /* bytes of the chain to inflate by next that were served before */
    bool has_stats;  /* the driver's buffer is with us, popped last of its queue */
    uint16_t stats_head;
    bool known[N_STATS];
    uint64_t stats[N_STATS];
    uint64_t stats_time; /* s since 1970; 0: no report yet */
    /* News of the balloon's size, which a vCPU writes at any time. */
    int written_fd; /* eventfd: "actual" was written */
    LoopSource *written;
    LoopSource *news; /* a timer: news may go out again */
    bool news_wait;
    uint32_t reported; /* "actual" as our driver knows it */
} Balloon;

/* Giving back */

/* A row of pages that follow each other, upwards or downwards, is given back in one call. */
typedef struct Run {
    uint64_t first;
    uint64_t n;
} Run;

static void
discard(Balloon *balloon, const Run *run)
{
    Memory *memory = balloon->vdev.dev->board->memory;
    void *at = memory_at(memory, run->first << PAGE_SHIFT, run->n << PAGE_SHIFT);

    if (at)
        memory_discard(memory, at, run->n << PAGE_SHIFT);
}

static void
add_page(Balloon *balloon, Run *run, uint64_t pfn)
{
    if (run->n > 0 && pfn == run->first + run->n) {
        run->n++;
        return;
    }
    if (run->n > 0 && pfn + 1 == run->first) {
        run->first--;
        run->n++;
        return;
    }
    if (run->n > 0)
        discard(balloon, run);
    *run = (Run){ pfn, 1 };
}

/* Page numbers that are not RAM's are passed over, each by itself: else one would spare its neighbours. Goes on
 * where the last turn ended; false where the next one has to. */
static bool
inflate(Balloon *balloon, const VirtChain *chain)
{
    const Memory *memory = balloon->vdev.dev->board->memory;
    uint32_t pfns[PFNS_AT_ONCE];
    Run run = { 0, 0 };
    size_t size = 0;

    while (balloon->left > 0 && (size = iov_read(chain->out, chain->n_out, balloon->inflated, pfns,
                                                 sizeof(pfns))) >= sizeof(pfns[0])) {
        for (size_t i = 0; i < size / sizeof(pfns[0]); i++) {
            uint64_t pfn = le32toh(pfns[i]);

            if (memory_at(memory, pfn << PAGE_SHIFT, PAGE_BYTES))
                add_page(balloon, &run, pfn);
        }
        balloon->inflated += size;
        balloon->left -= PFNS_AT_ONCE;
    }
    if (run.n > 0)
        discard(balloon, &run);
    if (balloon->left == 0)
        return false;
    balloon->inflated = 0;
    return true;
}

/* 5.5.6.7: what the buffers themselves lie in is free. */
static bool
report_pages(Balloon *balloon, const VirtChain *chain)
{
    for (unsigned i = 0; i < chain->n_in; i++)
        memory_discard(balloon->vdev.dev->board->memory, chain->in[i].iov_base,
                       chain->in[i].iov_len);
    return true;
}

static bool
deflate(Balloon *balloon, const VirtChain *chain)
{
    return true;
}

/* Serves a queue whose chains are given back at once, those that @use is done with. */
static void
serve(Balloon *balloon, unsigned index, bool (*use)(Balloon *balloon, const VirtChain *chain))
{
    VirtQueue *queue = balloon->vdev.queues[index];
    VirtChain chain;
    unsigned n = 0;
    bool done = true;

    balloon->left = TURN;
    while (n < QUEUE_SIZE && done && queue_pop(queue, &chain)) {
        done = use(balloon, &chain);
        if (done)
            queue_push(queue, chain.head, 0);
        else
            queue_unpop(queue);
        n++;
    }
    queue_flush(queue);
    if (n == QUEUE_SIZE || !done)
        virtio_kick(&balloon->vdev, index);
}

/* Statistics, 5.5.6.3: the driver hands in a buffer, and fills it anew whenever it gets it back. */

static void
read_stats(Balloon *balloon, const VirtChain *chain)
{
    struct virtio_balloon_stat report[STATS_MAX];
    size_t size = iov_read(chain->out, chain->n_out, 0, report, sizeof(report));
    struct timespec now;

    for (size_t i = 0; i < size / sizeof(report[0]); i++) {
        uint16_t tag = le16toh(report[i].tag);

        if (tag < N_STATS) {
            balloon->known[tag] = true;
            balloon->stats[tag] = le64toh(report[i].val);
        }
    }
    if (size == 0) /* as the first buffer may be */
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    balloon->stats_time = now.tv_sec;
}

static void
give_back_stats(Balloon *balloon)
{
    VirtQueue *queue = balloon->vdev.queues[STATS];

    if (!balloon->has_stats)
        return;
    balloon->has_stats = false;
    queue_push(queue, balloon->stats_head, 0);
    queue_flush(queue);
}

/* A driver has one buffer; of one that has more the newest is kept. */
static void
take_stats(Balloon *balloon)
{
    VirtQueue *queue = balloon->vdev.queues[STATS];
    VirtChain chain;

    for (unsigned n = 0; n < QUEUE_SIZE && queue_pop(queue, &chain); n++) {
        read_stats(balloon, &chain);
        give_back_stats(balloon);
        balloon->stats_head = chain.head;
        balloon->has_stats = true;
    }
}

static void
on_timer(void *data, uint32_t events)
{
    Balloon *balloon = data;

    pthread_mutex_lock(&balloon->vdev.dev->lock);
    give_back_stats(balloon);
    loop_timer_set(balloon->timer, balloon->period_ms);
    pthread_mutex_unlock(&balloon->vdev.dev->lock);
}

/* The balloon's size */

static void
report_size(Balloon *balloon)
{
    Device *dev = balloon->vdev.dev;
    VmmMsg *event;

    if (balloon->news_wait || balloon->reported == balloon->config.actual)
        return;
    event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_BALLOON);
    balloon->reported = balloon->config.actual;
    vmm_msg_put_string(event, "id", dev->id);
    vmm_msg_put_u64(event, "size", (uint64_t)le32toh(balloon->reported) << PAGE_SHIFT);
    dev->board->notify(dev->board, event);
    balloon->news_wait = true;
    loop_timer_set(balloon->news, NEWS_MS);
}

static void
on_news(void *data, uint32_t events)
{
    Balloon *balloon = data;

    pthread_mutex_lock(&balloon->vdev.dev->lock);
    balloon->news_wait = false;
    report_size(balloon);
    pthread_mutex_unlock(&balloon->vdev.dev->lock);
}

static void
on_written(void *data, uint32_t events)
{
    Balloon *balloon = data;
    eventfd_t n;

    pthread_mutex_lock(&balloon->vdev.dev->lock);
    eventfd_read(balloon->written_fd, &n);
    report_size(balloon);
    pthread_mutex_unlock(&balloon->vdev.dev->lock);
}

/* Of the configuration "actual" alone is the driver's (5.5.4). */
static void
balloon_config_written(VirtioDevice *vdev, unsigned offset, unsigned size)
{
    Balloon *balloon = (Balloon *)vdev;

    balloon->config.num_pages = balloon->target;
    eventfd_write(balloon->written_fd, 1);
}

/* The device */

/* Drivers do not agree on where a queue is when one before it was not negotiated: by 5.5.2 each has a number of
 * its own; Linux before 6.11 leaves no gaps, as QEMU does, and newer ones try both. Hints of free pages
 * (FREE_PAGES) are never offered, so that what is neither of the first two, nor statistics, is reporting. */
static void
balloon_kick(VirtioDevice *vdev, unsigned index)
{
    Balloon *balloon = (Balloon *)vdev;

    if (index == INFLATE)
        serve(balloon, index, inflate);
    else if (index == DEFLATE)
        serve(balloon, index, deflate);
    else if (index == STATS && virtio_has(vdev, VIRTIO_BALLOON_F_STATS_VQ))
        take_stats(balloon);
    else if (virtio_has(vdev, VIRTIO_BALLOON_F_REPORTING))
        serve(balloon, index, report_pages);
}

static void
balloon_start(VirtioDevice *vdev)
{
    Balloon *balloon = (Balloon *)vdev;

    loop_timer_set(balloon->timer, balloon->period_ms);
}

/* The driver fills its buffer again when it runs again. */
static void
balloon_stop(VirtioDevice *vdev)
{
    Balloon *balloon = (Balloon *)vdev;

    loop_timer_set(balloon->timer, 0);
    give_back_stats(balloon);
}

/* A vCPU may have called: the news is left to the loop. */
static void
balloon_reset(VirtioDevice *vdev)
{
    Balloon *balloon = (Balloon *)vdev;

    balloon->config.actual = 0;
    balloon->inflated = 0;
    balloon->stats_time = 0;
    memset(balloon->known, 0, sizeof(balloon->known));
    eventfd_write(balloon->written_fd, 1);
}

static bool
set_target(Balloon *balloon, uint64_t bytes, VmmError *err)
{
    uint64_t ram = memory_size(balloon->vdev.dev->board->memory);
    uint32_t pages = htole32(bytes >> PAGE_SHIFT);

    if (bytes > ram || bytes % PAGE_BYTES)
        return vmm_error(
            err, VMM_ERROR_INVALID,
            "A balloon's size is not in pages of 4096 bytes, or beyond the guest's memory");
    if (balloon->target == pages)
        return true;
    balloon->config.num_pages = balloon->target = pages;
    virtio_config_changed(&balloon->vdev);
    return true;
}

static bool
set_period(Balloon *balloon, uint64_t seconds, VmmError *err)
{
    if (seconds > PERIOD_MAX_S)
        return vmm_error(err, VMM_ERROR_INVALID, "A period of statistics is at most %u s",
                         PERIOD_MAX_S);
    balloon->period_ms = seconds * 1000;
    if (balloon->vdev.started)
        loop_timer_set(balloon->timer, balloon->period_ms);
    return true;
}

static void
reply_stats(const Balloon *balloon, VmmMsg *reply)
{
    char key[32];

    vmm_msg_put_u64(reply, "stats-time", balloon->stats_time);
    for (unsigned i = 0; i < N_STATS; i++) {
        snprintf(key, sizeof(key), "stat-%s", stat_keys[i]);
        if (balloon->known[i])
            vmm_msg_put_u64(reply, key, balloon->stats[i]);
    }
}

static bool
read_wishes(Balloon *balloon, VmmMsg *msg, VmmError *err)
{
    uint64_t value;

    if (vmm_msg_get_u64(msg, "target", &value) && !set_target(balloon, value, err))
        return false;
    return !vmm_msg_get_u64(msg, "stats-period", &value) || set_period(balloon, value, err);
}

static bool
balloon_tell(VirtioDevice *vdev, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    Balloon *balloon = (Balloon *)vdev;

    if (!read_wishes(balloon, request, err))
        return false;
    vmm_msg_put_u64(reply, "target", (uint64_t)le32toh(balloon->target) << PAGE_SHIFT);
    vmm_msg_put_u64(reply, "size", (uint64_t)le32toh(balloon->config.actual) << PAGE_SHIFT);
    reply_stats(balloon, reply);
    return true;
}

static bool
open_events(Balloon *balloon, VmmError *err)
{
    Loop *loop = balloon->vdev.loop;

    balloon->timer = loop_add_timer(loop, on_timer, balloon);
    balloon->news = loop_add_timer(loop, on_news, balloon);
    balloon->written_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (balloon->written_fd >= 0)
        balloon->written = loop_add_fd(loop, balloon->written_fd, EPOLLIN, on_written, balloon);
    return balloon->written ||
           vmm_error_errno(err, "Device '%s': there is no descriptor for its news",
                           balloon->vdev.dev->id);
}

static bool
balloon_create(VirtioDevice *vdev, VmmMsg *params, VmmError *err)
{
    Balloon *balloon = (Balloon *)vdev;
    bool on_oom = false, reporting = false;

    balloon->written_fd = -1;
    vdev->n_queues = N_QUEUES;
    vdev->queue_size = QUEUE_SIZE;
    vdev->config = &balloon->config;
    vdev->config_size = offsetof(struct virtio_balloon_config, free_page_hint_cmd_id);
    vmm_msg_get_bool(params, "deflate-on-oom", &on_oom);
    vmm_msg_get_bool(params, "reporting", &reporting);
    vdev->features = BIT(VIRTIO_BALLOON_F_STATS_VQ) |
                     (on_oom ? BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) : 0) |
                     (reporting ? BIT(VIRTIO_BALLOON_F_REPORTING) : 0);
    return open_events(balloon, err) && read_wishes(balloon, params, err);
}

static void
balloon_destroy(VirtioDevice *vdev)
{
    Balloon *balloon = (Balloon *)vdev;

    loop_source_free(balloon->timer);
    loop_source_free(balloon->news);
    loop_source_free(balloon->written);
    if (balloon->written_fd >= 0)
        close(balloon->written_fd);
}

/* The size that the saved guest was asked for counts, until somebody asks for another. */
static bool
balloon_loaded(void *object, VmmError *err)
{
    Balloon *balloon = object;

    if (le32toh(balloon->target) > memory_size(balloon->vdev.dev->board->memory) >> PAGE_SHIFT)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The saved balloon '%s' was to be larger than the guest's memory",
                         balloon->vdev.dev->id);
    balloon->config.num_pages = balloon->target;
    report_size(balloon);
    return true;
}

static const StateField balloon_fields[] = {
    STATE_NUMBER(Balloon, target),     STATE_NUMBER(Balloon, config.actual),
    STATE_NUMBERS(Balloon, known),     STATE_NUMBERS(Balloon, stats),
    STATE_NUMBER(Balloon, stats_time), STATE_END,
};

static const StateTable balloon_state = { .version = 1,
                                          .fields = balloon_fields,
                                          .loaded = balloon_loaded };

const VirtioClass virtio_balloon_class = {
    .name = "balloon",
    .id = 5,
    .pci_class = 0x00ff00, /* none of those that are defined */
    .size = sizeof(Balloon),
    .create = balloon_create,
    .config_written = balloon_config_written,
    .start = balloon_start,
    .stop = balloon_stop,
    .reset = balloon_reset,
    .kick = balloon_kick,
    .tell = balloon_tell,
    .destroy = balloon_destroy,
    .state = &balloon_state,
};
