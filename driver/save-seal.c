#include "driver/save-seal.h"

#include "driver/save-image.h"

#include <fcntl.h>
#include <unistd.h>

struct SaveSeal {
    int fd;
    gboolean running, bypass_cache;
    GError *error;
    SaveSealDone done; /* NULL: nobody waits any more */
    gpointer data;
};

static gboolean
tell(gpointer data)
{
    SaveSeal *seal = data;

    if (seal->done)
        seal->done(seal->data, seal->error);
    close(seal->fd);
    g_clear_error(&seal->error);
    g_free(seal);
    return G_SOURCE_REMOVE;
}

static gpointer
run(gpointer data)
{
    SaveSeal *seal = data;

    save_image_seal(seal->fd, seal->running, &seal->error);
    /* It is on the disk now: whoever bypasses the cache does not want it there as well. */
    if (seal->bypass_cache)
        posix_fadvise(seal->fd, 0, 0, POSIX_FADV_DONTNEED);
    g_idle_add(tell, seal);
    return NULL;
}

SaveSeal *
save_seal_start(int fd, gboolean running, gboolean bypass_cache, SaveSealDone done, gpointer data)
{
    SaveSeal *seal = g_new0(SaveSeal, 1);

    seal->fd = fd;
    seal->running = running;
    seal->bypass_cache = bypass_cache;
    seal->done = done;
    seal->data = data;
    g_thread_unref(g_thread_new("seal", run, seal));
    return seal;
}

void
save_seal_forget(SaveSeal *seal)
{
    if (seal)
        seal->done = NULL;
}
