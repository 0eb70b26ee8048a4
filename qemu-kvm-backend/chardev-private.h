/* chardev-private: what the files of character devices share: chardev.c has the table of kinds and what is common to them,
 * the others, chardev-pty.c and so on, a kind or two each.
 */
#pragma once

#include "qemu-kvm-backend/backlog.h"
#include "qemu-kvm-backend/chardev.h"
#include "qemu-kvm-backend/sink.h"

/* Reads in a row, then other sources get their turn: a guest may make room as fast as somebody types. */
#define CHARDEV_READS_MAX 64

typedef struct ChardevKind {
    const char *name;
    size_t size; /* of the instance, which begins with a Chardev */
    bool (*open)(Chardev *chardev, VmmMsg *params, VmmError *err);
    void (*write)(Chardev *chardev, const uint8_t *bytes, size_t size);
    void (*close)(Chardev *chardev); /* what open() made, half of it where that failed; NULL: nothing */
} ChardevKind;

/* Everything is guarded by the owner's lock. Sources of the loop are the main thread's alone. */
struct Chardev {
    const ChardevKind *kind;
    Loop *loop;
    ChardevOwner owner;
    Sink out;
    Sink log;
    Backlog backlog; /* for whoever reads next */
    int wake_fd;     /* an eventfd: a vCPU's word to the main thread; -1: nothing is done there */
    bool woken;      /* the word is on its way */
    LoopFn serve;    /* what it is woken for */
    LoopSource *wake_source;
};

extern const ChardevKind chardev_pty;
extern const ChardevKind chardev_socket, chardev_connection, chardev_broker;
extern const ChardevKind chardev_stream, chardev_datagram;

bool chardev_take_fd(Chardev *chardev, VmmMsg *params, int *ret_fd, VmmError *err);
/* Has chardev_wake() call @serve in the main thread, without the lock, with events 0. */
bool chardev_add_wake(Chardev *chardev, LoopFn serve, VmmError *err);
void chardev_wake(Chardev *chardev);
/* Gives the owner what @fd has, as far as there is room; goes on in another turn where there is much. False where @fd has
 * ended. */
bool chardev_receive(Chardev *chardev, int fd);
/* Writes the backlog to @out; false where that is broken, not just full. */
bool chardev_flush(Chardev *chardev);
/* Says what was lost of the backlog, once it is read. */
void chardev_report_dropped(Chardev *chardev);
