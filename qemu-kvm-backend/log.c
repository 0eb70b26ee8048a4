#include "qemu-kvm-backend/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_SIZE 1024
#define WINDOW_NS     5000000000ull
#define WINDOW_LINES  10

static pthread_mutex_t limit_lock = PTHREAD_MUTEX_INITIALIZER; /* guards every LogLimit */

static size_t
put_time(char *line, size_t size)
{
    struct timespec now;
    struct tm tm;
    size_t used;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    used = strftime(line, size, "%Y-%m-%d %H:%M:%S", &tm);
    return used + snprintf(line + used, size - used, ".%03ld+0000: ", now.tv_nsec / 1000000);
}

/* One write a line, so that lines of several threads do not mix. */
static void
write_line(const char *format, va_list args)
{
    char line[LINE_MAX_SIZE];
    size_t used = put_time(line, sizeof(line));
    int wanted = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
    ssize_t n;

    if (wanted > 0)
        used += (size_t)wanted < sizeof(line) - used - 1 ? (size_t)wanted : sizeof(line) - used - 2;
    line[used++] = '\n';
    do
        n = write(STDERR_FILENO, line, used);
    while (n < 0 && errno == EINTR);
}

void
log_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_line(format, args);
    va_end(args);
}

static uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static bool
admit(LogLimit *limit, unsigned *ret_dropped)
{
    uint64_t now = now_ns();
    bool admitted;

    *ret_dropped = 0;
    pthread_mutex_lock(&limit_lock);
    if (limit->window_ns == 0 || now - limit->window_ns > WINDOW_NS) {
        *ret_dropped = limit->dropped;
        *limit = (LogLimit){ .window_ns = now };
    }
    admitted = limit->count < WINDOW_LINES;
    if (admitted)
        limit->count++;
    else
        limit->dropped++;
    pthread_mutex_unlock(&limit_lock);
    return admitted;
}

void
log_limited(LogLimit *limit, const char *format, ...)
{
    unsigned dropped;
    va_list args;

    if (!admit(limit, &dropped))
        return;
    if (dropped)
        log_line("%u lines like the next were left out", dropped);
    va_start(args, format);
    write_line(format, args);
    va_end(args);
}
