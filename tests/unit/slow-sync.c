#include "tests/unit/slow-sync.h"

#include "qemu-kvm-backend/device.h"

#define PATIENCE (5 * G_TIME_SPAN_SECOND) /* a test that waits for the sync fails then, rather than for ever */

static GMutex lock;
static GCond changed;
static gboolean held, waits;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int
__wrap_fdatasync(int fd)
{
    gint64 until = g_get_monotonic_time() + PATIENCE;

    g_mutex_lock(&lock);
    waits = held;
    g_cond_broadcast(&changed);
    while (waits && held)
        waits = g_cond_wait_until(&changed, &lock, until);
    g_mutex_unlock(&lock);
    return __real_fdatasync(fd);
}

void
slow_sync_hold(void)
{
    g_mutex_lock(&lock);
    held = TRUE;
    g_mutex_unlock(&lock);
}

void
slow_sync_await(void)
{
    gint64 until = g_get_monotonic_time() + PATIENCE;

    g_mutex_lock(&lock);
    while (!waits)
        g_assert_true(g_cond_wait_until(&changed, &lock, until));
    g_mutex_unlock(&lock);
}

void
slow_sync_release(void)
{
    g_mutex_lock(&lock);
    g_assert_true(waits);
    held = FALSE;
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

gpointer
slow_sync_flush(gpointer dev)
{
    VmmError err;

    if (!device_flush(dev, &err))
        g_error("%s", err.text);
    return NULL;
}
