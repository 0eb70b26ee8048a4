/* chardev: where a serial port's bytes go to and come from: a pty, a socket, a file or nowhere.
 *
 * A guest never waits for a reader: what a pty or a socket cannot take now is kept, the newest 64 KiB of it, and
 * given to whoever opens it next, so that a console shows the boot that nobody watched.
 */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/loop.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Chardev Chardev;

/* What the owner gets, in the main thread with @lock held. @room says how many bytes it takes now;
 * when it has room again after having said 0 it calls chardev_accept(). */
typedef struct ChardevOwner {
    const char *name; /* for the log; lives as long as the owner */
    pthread_mutex_t *lock;
    size_t (*room)(void *data);
    void (*receive)(void *data, const uint8_t *bytes, size_t size);
    void *data;
} ChardevOwner;

/* Reads kind, fd, watch and log (see vmm-proto.h) of @params. NULL with @err. */
Chardev *chardev_new(Loop *loop, VmmMsg *params, const ChardevOwner *owner, VmmError *err);
void chardev_free(Chardev *chardev);

/* Any thread, with the owner's lock held. Never blocks. */
void chardev_write(Chardev *chardev, const uint8_t *bytes, size_t size);
void chardev_accept(Chardev *chardev);
