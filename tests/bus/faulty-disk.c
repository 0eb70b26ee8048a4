/* The preloaded part: the C library alone. */
#include "tests/bus/faulty-disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static FaultyDisk *disk;
static char *dir;

__attribute__((constructor)) static void
begin(void)
{
    const char *path = getenv("FAULTY_DISK"), *below = getenv("FAULTY_DIR");
    int fd = path && below ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *mapped =
        fd >= 0 ? mmap(NULL, sizeof(*disk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (mapped == MAP_FAILED)
        abort();
    close(fd);
    disk = mapped;
    dir = strdup(below);
    unsetenv("LD_PRELOAD");
}

/* The next number of Knuth's multiplicative hash decides. */
static bool
fails(int call)
{
    unsigned one_in = __atomic_load_n(&disk->one_in, __ATOMIC_RELAXED);
    uint32_t n;

    if (one_in == 0 || (disk->only && !(disk->only & 1u << call)))
        return false;
    n = __atomic_add_fetch(&disk->calls, 1, __ATOMIC_RELAXED) * 2654435761u;
    if ((n >> 8) % one_in != 0)
        return false;
    __atomic_add_fetch(&disk->failed[call], 1, __ATOMIC_RELAXED);
    errno = disk->error;
    return true;
}

static bool
is_below(const char *path)
{
    return strncmp(path, dir, strlen(dir)) == 0;
}

static bool
is_file_below(int fd)
{
    char link[32], path[4096];
    int saved = errno;
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    errno = saved;
    if (n < 0)
        return false;
    path[n] = '\0';
    return is_below(path);
}

static bool
is_dir(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

#define REAL(call, type) ((type)dlsym(RTLD_NEXT, #call))

EXPORT ssize_t
write(int fd, const void *bytes, size_t size)
{
    if (is_file_below(fd) && fails(FAULTY_WRITE))
        return -1;
    return REAL(write, ssize_t(*)(int, const void *, size_t))(fd, bytes, size);
}

EXPORT int
fsync(int fd)
{
    if (is_file_below(fd) && fails(is_dir(fd) ? FAULTY_FSYNC_DIR : FAULTY_FSYNC))
        return -1;
    return REAL(fsync, int (*)(int))(fd);
}

EXPORT int
rename(const char *from, const char *to)
{
    if (is_below(to) && fails(FAULTY_RENAME))
        return -1;
    return REAL(rename, int (*)(const char *, const char *))(from, to);
}

EXPORT int
link(const char *from, const char *to)
{
    if (is_below(to) && fails(FAULTY_LINK))
        return -1;
    return REAL(link, int (*)(const char *, const char *))(from, to);
}

EXPORT int
unlink(const char *path)
{
    if (is_below(path) && fails(FAULTY_UNLINK))
        return -1;
    return REAL(unlink, int (*)(const char *))(path);
}
