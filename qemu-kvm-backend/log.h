/* log: lines on descriptor 2, which the driver has made the guest's log file. */
#pragma once

#include <stdint.h>

/* One line, with a time stamp before and a newline after. Safe from any thread. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for lines whose number a guest decides: at most 10 in 5 seconds a place, then one line
 * that says how many were left out. */
typedef struct LogLimit {
    uint64_t window_ns;
    unsigned count;
    unsigned dropped;
} LogLimit;
void log_limited(LogLimit *limit, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_guest(...)                                                                             \
    do {                                                                                           \
        static LogLimit log_limit_here;                                                            \
        log_limited(&log_limit_here, __VA_ARGS__);                                                 \
    } while (0)
