/* iothread-pool: the I/O threads of a guest, by their numbers. The main thread's.
 *
 * The driver adds threads, and removes those that no device uses; one that a device names and nobody has added is there
 * for as long as devices use it.
 */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/iothread.h"

#include <stdbool.h>
#include <stdint.h>

/* Who asked before may not have lived to hear of it: it is no error that it is there already, or gone. */
/* False with @err: the host has refused it. */
bool iothread_pool_add(uint64_t number, VmmError *err);
/* False with @err: it is in use. */
bool iothread_pool_remove(uint64_t number, VmmError *err);
/* The thread with @number; NULL: none. */
IoThread *iothread_pool_find(uint64_t number);
/* All end. No device is left. */
void iothread_pool_clear(void);

/* The thread with @number for one more device, started where there is none. NULL with @err. */
IoThread *iothread_pool_get(uint64_t number, VmmError *err);
/* Gives it back. NULL is allowed. */
void iothread_pool_put(IoThread *thread);
