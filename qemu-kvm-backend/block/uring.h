/* uring: one io_uring of the kernel, for a few files and a few kinds of operation.
 *
 * The three system calls are made here rather than by liburing: the VMM links to the C library alone, and
 * what this needs is little. One thread at a time.
 */
#pragma once

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct Uring {
    int fd; /* readable while there are completions */
    void *rings, *sqes_map;
    size_t rings_size, sqes_size;
    unsigned entries;
    unsigned *sq_head, *sq_tail, *cq_head, *cq_tail;
    unsigned sq_mask, cq_mask;
    unsigned unsubmitted; /* filled in, not seen by the kernel */
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
} Uring;

/* A ring of @entries (a power of two) that can do the @n operations @ops, with the @n_fds descriptors @fds as fixed
 * files from 0 on, and nothing else ever, whoever gets hold of it. False with errno: ENOSYS, EPERM where
 * kernel.io_uring_disabled is set, EINVAL where the kernel is older than 5.10. */
bool uring_open(Uring *ring, unsigned entries, const int *fds, unsigned n_fds,
                const unsigned char *ops, unsigned n);
void uring_close(Uring *ring);

/* An entry to fill in, zeroed; NULL where the ring is full until uring_enter(). */
struct io_uring_sqe *uring_get(Uring *ring);
/* Hands what was filled in to the kernel and waits until @wait completions are there. */
void uring_enter(Uring *ring, unsigned wait);
/* The oldest completion; false where there is none. */
bool uring_take(Uring *ring, struct io_uring_cqe *ret);
