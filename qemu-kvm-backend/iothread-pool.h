/* iothread-pool: the I/O threads of a guest, by their numbers. The main thread's. */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/iothread.h"

#include <stdint.h>

/* The thread with @number, which is started where nobody uses it yet. NULL with @err. */
IoThread *iothread_pool_get(uint64_t number, VmmError *err);
/* Gives it back: with its last user it ends. NULL is allowed. */
void iothread_pool_put(IoThread *thread);
