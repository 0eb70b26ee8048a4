#include "driver/image-wait.h"

#include "driver/error.h"
#include "driver/image-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Mostly there is no write but a kernel that clears up, for some 20 ms, which should not become many more: from one look to
 * the next it takes an eighth of the time that was waited. */
#define LOOK_MAX_MS 64
#define LOOK_PART   8

/* An image with writes on their way. */
typedef struct Image {
    int fd;
    gboolean readonly, shareable;
    char *path;
} Image;

struct ImageWait {
    GQueue images; /* of Image */
    guint timer;
    gint64 begun, deadline;
    ImageWaitDone done;
    gpointer data;
};

static void
image_free(Image *image)
{
    close(image->fd);
    g_free(image->path);
    g_free(image);
}

ImageWait *
image_wait_new(void)
{
    return g_new0(ImageWait, 1);
}

void
image_wait_free(ImageWait *wait)
{
    if (!wait)
        return;
    g_clear_handle_id(&wait->timer, g_source_remove);
    g_queue_clear_full(&wait->images, (GDestroyNotify)image_free);
    g_free(wait);
}

gboolean
image_wait_add(ImageWait *wait, int fd, gboolean readonly, gboolean shareable, const char *path,
               GError **error)
{
    const Image image = { fcntl(fd, F_DUPFD_CLOEXEC, 0), readonly, shareable, g_strdup(path) };

    if (image.fd < 0) {
        g_free(image.path);
        return driver_error_errno(error, errno, "Cannot lock the image '%s'", path);
    }
    g_queue_push_tail(&wait->images, g_memdup2(&image, sizeof(image)));
    return readonly || image_claim_writes(fd, shareable, path, error);
}

/* The first that is not ready; NULL: all are. No write begins any more, so each is looked at until there is none. */
static const Image *
find_late(ImageWait *wait)
{
    Image *image;

    while ((image = g_queue_peek_head(&wait->images))) {
        if (image_has_late_writes(image->fd, image->readonly, image->shareable))
            return image;
        image_free(g_queue_pop_head(&wait->images));
    }
    return NULL;
}

static void
give_up(ImageWait *wait, const Image *late)
{
    g_autoptr(GError) error = NULL;

    driver_error(&error, VIR_ERR_RESOURCE_BUSY,
                 "Failed to get \"write\" lock: writes of a process that has ended are still on "
                 "their way to the image '%s'",
                 late->path);
    wait->done(wait->data, error);
}

static gboolean
look(gpointer data)
{
    ImageWait *wait = data;
    const Image *late = find_late(wait);
    gint64 now = g_get_monotonic_time();

    wait->timer = 0;
    if (!late) {
        wait->done(wait->data, NULL);
    } else if (now >= wait->deadline) {
        give_up(wait, late);
    } else {
        gint64 pause_ms = 1 + (now - wait->begun) / 1000 / LOOK_PART;

        wait->timer = g_timeout_add(MIN(pause_ms, LOOK_MAX_MS), look, wait);
    }
    return G_SOURCE_REMOVE;
}

void
image_wait_begin(ImageWait *wait, guint timeout_ms, ImageWaitDone done, gpointer data)
{
    wait->done = done;
    wait->data = data;
    wait->begun = g_get_monotonic_time();
    wait->deadline = wait->begun + timeout_ms * (gint64)1000;
    look(wait);
}
