#include "qemu-kvm-backend/memory-map.h"

#include "qemu-kvm-backend/confine.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define PAGE        4096ull
#define HUGE_PAGE   (2ull << 20)

/* A block of hugetlbfs is one of its pages (inode.c there). Others tell of large blocks, too: tmpfs does where it has
 * huge pages when it can, and takes any size. */
static bool
inspect(const MemoryBacking *backing, MemoryMap *map, VmmError *err)
{
    struct statfs fs;

    map->page = PAGE;
    map->sparse = false;
    if (backing->fd < 0)
        return true;
    if (fstatfs(backing->fd, &fs) < 0)
        return vmm_error_errno(err, "Cannot look at the file of guest memory");
    if (fs.f_type == HUGETLBFS_MAGIC)
        map->page = fs.f_bsize;
    map->sparse = fs.f_type == TMPFS_MAGIC;
    return true;
}

/* Address space first, then the RAM in it, on a boundary where the host can back it with huge pages. RAM is
 * not reserved: whether the host may promise more than it has is its overcommit policy for pages that guests
 * touch, not for what they might. But for hugetlbfs', where a page that is not there would be the guest's
 * end (SIGBUS). */
static bool
map_ram(const MemoryBacking *backing, uint64_t size, MemoryMap *map)
{
    int flags = MAP_FIXED | (backing->shared ? MAP_SHARED : MAP_PRIVATE);
    uint64_t boundary = map->page > HUGE_PAGE ? map->page : HUGE_PAGE;

    if (backing->fd < 0)
        flags |= MAP_ANONYMOUS;
    if (map->page == PAGE)
        flags |= MAP_NORESERVE;
    if (__builtin_add_overflow(size, boundary, &map->mapping_size))
        return errno = ENOMEM, false;
    map->mapping = mmap(NULL, map->mapping_size, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map->mapping == MAP_FAILED)
        return false;
    map->host = (uint8_t *)(((uintptr_t)map->mapping + boundary - 1) & ~(uintptr_t)(boundary - 1));
    if (mmap(map->host, size, PROT_READ | PROT_WRITE, flags, backing->fd, 0) != MAP_FAILED)
        return true;
    munmap(map->mapping, map->mapping_size);
    return false;
}

/* A kernel without huge pages or with core dumps of its own mind still runs guests. */
static void
advise(const MemoryMap *map, uint64_t size, int advice, const char *name)
{
    if (madvise(map->host, size, advice) < 0)
        log_line("madvise(%s) on guest RAM: %s", name, strerrordesc_np(errno));
}

/* A thread's share of the pages to fetch. */
typedef struct Share {
    pthread_t thread;
    uint8_t *from;
    size_t len;
    uint64_t page;
    int error;
} Share;

/* Older kernels are asked page by page. Nobody else is there yet, so what is read is what is written. */
static void
touch(Share *share)
{
    for (volatile uint8_t *at = share->from; at < share->from + share->len; at += share->page)
        *at = *at;
}

static void *
fetch(void *data)
{
    Share *share = data;

    confine_thread(CONFINE_IO);
    if (share->len == 0 || madvise(share->from, share->len, MADV_POPULATE_WRITE) == 0)
        return NULL;
    if (errno == EINVAL)
        touch(share);
    else
        share->error = errno;
    return NULL;
}

static bool
populate(const MemoryMap *map, uint64_t size, unsigned n, VmmError *err)
{
    uint64_t each = (size / n + map->page) / map->page * map->page;
    Share shares[MEMORY_THREADS_MAX] = { 0 };
    unsigned started = 0;
    int error = 0;

    for (uint64_t at = 0; started < n && at < size; at += each) {
        Share *share = &shares[started];

        *share = (Share){ .from = map->host + at,
                          .len = size - at < each ? size - at : each,
                          .page = map->page };
        error = pthread_create(&share->thread, NULL, fetch, share);
        if (error)
            break;
        started++;
    }
    for (unsigned i = 0; i < started; i++) {
        pthread_join(shares[i].thread, NULL);
        error = error ? error : shares[i].error;
    }
    errno = error;
    return error == 0 || vmm_error_errno(err, "Cannot have all of the guest's memory at the start");
}

static bool
lock(const MemoryMap *map, uint64_t size, VmmError *err)
{
    return mlock(map->host, size) == 0 ||
           vmm_error_errno(err,
                           "Cannot lock %" PRIu64 " bytes of guest memory; more may be wanted than "
                           "the limit for locked memory (RLIMIT_MEMLOCK)",
                           size);
}

static bool
cannot_map(const MemoryMap *map, uint64_t size, VmmError *err)
{
    if (map->page > PAGE)
        return vmm_error_errno(err,
                               "Cannot map %" PRIu64 " bytes of guest memory in huge pages of "
                               "%" PRIu64 " KiB, of which the host may have too few free",
                               size, map->page / 1024);
    return vmm_error_errno(err, "Cannot map %" PRIu64 " bytes of guest memory", size);
}

bool
memory_map(const MemoryBacking *backing, uint64_t size, MemoryMap *ret, VmmError *err)
{
    MemoryMap map;

    if (!inspect(backing, &map, err))
        return false;
    if (size % map.page)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Guest memory of %" PRIu64 " bytes is not a multiple of huge pages of "
                         "%" PRIu64 " KiB",
                         size, map.page / 1024);
    if (!map_ram(backing, size, &map))
        return cannot_map(&map, size, err);
    if (map.page == PAGE)
        advise(&map, size, MADV_HUGEPAGE, "MADV_HUGEPAGE");
    advise(&map, size, MADV_DONTDUMP, "MADV_DONTDUMP");
    if (!memory_nodes_bind(&backing->nodes, map.host, size, err) ||
        (backing->threads && !populate(&map, size, backing->threads, err)) ||
        (backing->locked && !lock(&map, size, err))) {
        memory_unmap(&map);
        return false;
    }
    *ret = map;
    return true;
}

void
memory_unmap(const MemoryMap *map)
{
    munmap(map->mapping, map->mapping_size);
}
