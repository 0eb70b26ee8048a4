#include "driver/disk-resize.h"

#include "driver/device-disk.h"
#include "driver/disk.h"
#include "driver/error.h"
#include "driver/raw-image.h"
#include "driver/verb.h"

#include <errno.h>
#include <string.h>

#define SECTOR 512 /* a qcow2 image's size is a multiple of it */
#define ASK_MS                                                                                     \
    1000 /* how often the VMM is asked whether it is still at it: its event may get lost */
#define ANSWER_MAX_MS 60000 /* a guest that is paused gets its new size before the answer */

/* What the call wants. */
typedef struct ResizeWish {
    char *disk;
    guint64 size; /* bytes */
} ResizeWish;

/* A disk that the VMM is giving another size. It lasts until @verb has been told and no answer is to come. */
typedef struct DiskResize {
    Verb *verb; /* NULL: it has been told */
    Domain *domain;
    char *alias, *source, *target;
    guint64 size;
    gboolean asked; /* an answer is to come */
    guint timer;
} DiskResize;

static void
wish_free(gpointer data)
{
    ResizeWish *wish = data;

    g_free(wish->disk);
    g_free(wish);
}

static void
let_go(DiskResize *resize)
{
    if (resize->verb || resize->asked)
        return;
    g_free(resize->alias);
    g_free(resize->source);
    g_free(resize->target);
    g_free(resize);
}

static void
finish(DiskResize *resize, const GError *error)
{
    Verb *verb = g_steal_pointer(&resize->verb);

    g_clear_handle_id(&resize->timer, g_source_remove);
    resize->domain->resize = NULL;
    let_go(resize);
    verb_finish(verb, error);
}

static gboolean
cannot(GError **error, const char *source, const char *target, const char *why)
{
    return driver_error(error, VIR_ERR_SYSTEM_ERROR,
                        "cannot resize '%s', the source of disk '%s': %s", source, target, why);
}

static void
fail(DiskResize *resize, const char *why)
{
    g_autoptr(GError) error = NULL;

    cannot(&error, resize->source, resize->target, why);
    finish(resize, error);
}

void
disk_resized(Domain *domain, VmmMsg *event)
{
    DiskResize *resize = domain->resize;
    const char *alias = "", *text;

    vmm_msg_get_string(event, "device", &alias);
    if (!resize || strcmp(resize->alias, alias) != 0)
        return;
    if (vmm_msg_get_string(event, "text", &text))
        fail(resize, text);
    else
        finish(resize, NULL);
}

void
disk_resize_forget(Domain *domain)
{
    g_autoptr(GError) error = NULL;

    if (!domain->resize)
        return;
    driver_error(&error, VIR_ERR_OPERATION_FAILED, "domain is not running");
    finish(domain->resize, error);
}

static gboolean ask_again(gpointer data);

/* An answer to the request, or to the question how far it is. */
static void
answered(gpointer data, VmmMsg *reply, const GError *error)
{
    DiskResize *resize = data;
    bool goes_on = false;
    guint64 size = 0;

    resize->asked = FALSE;
    if (!resize->verb) {
        let_go(resize);
        return;
    }
    if (error) {
        finish(resize, error);
        return;
    }
    vmm_msg_get_bool(reply, "resizing", &goes_on);
    vmm_msg_get_u64(reply, "size", &size);
    if (goes_on)
        resize->timer = g_timeout_add(ASK_MS, ask_again, resize);
    else if (size == resize->size)
        finish(resize, NULL);
    else
        fail(resize, "the guest's process has not said why");
}

static void
ask(DiskResize *resize, VmmLink *link, gboolean begin)
{
    VmmMsg *request = vmm_link_request(link, VMM_TELL_DEVICE);

    vmm_msg_put_string(request, "id", resize->alias);
    if (begin)
        vmm_msg_put_u64(request, "new-size", resize->size);
    resize->asked = TRUE;
    vmm_link_send(link, request, ANSWER_MAX_MS, answered, resize);
}

static gboolean
ask_again(gpointer data)
{
    DiskResize *resize = data;
    VmmLink *link = guest_link(resize->domain->guest);

    resize->timer = 0;
    if (link)
        ask(resize, link, FALSE);
    else
        fail(resize, "the guest's process does not answer");
    return G_SOURCE_REMOVE;
}

static void
let_vmm_resize(Verb *verb, VmmLink *link, const Disk *disk, guint64 size)
{
    DiskResize *resize = g_new0(DiskResize, 1);

    resize->verb = verb;
    resize->domain = verb->domain;
    resize->alias = g_strdup(disk->dev.alias);
    resize->source = g_strdup(disk->source);
    resize->target = g_strdup(disk->target);
    resize->size = size;
    verb->domain->resize = resize;
    ask(resize, link, TRUE);
}

static void
look_again(Verb *verb, VmmLink *link, const Disk *disk)
{
    VmmMsg *request = vmm_link_request(link, VMM_TELL_DEVICE);

    vmm_msg_put_string(request, "id", disk->dev.alias);
    vmm_msg_put_bool(request, "resize", TRUE);
    vmm_link_send(link, request, VMM_LINK_TIMEOUT_MS, verb_answered, verb);
}

/* The call */

static gboolean
check(const Disk *disk, const ResizeWish *wish, GError **error)
{
    if (!disk)
        return driver_error(error, VIR_ERR_INVALID_ARG, "invalid path: %s", wish->disk);
    if (!disk->source || disk->readonly)
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "can't resize empty or readonly disk '%s'", disk->target);
    return wish->size <= G_MAXINT64 - SECTOR ||
           cannot(error, disk->source, disk->target, g_strerror(EFBIG));
}

static void
resize_begin(Verb *verb)
{
    const ResizeWish *wish = verb->detail;
    g_autoptr(GError) error = NULL;
    VmmLink *link = verb_link(verb);
    const Disk *disk;

    if (!link)
        return;
    disk = (const Disk *)device_disk_find(verb->domain->live->devices, wish->disk);
    if (!check(disk, wish, &error))
        verb_finish(verb, error);
    else if (disk->format == IMAGE_QCOW2)
        let_vmm_resize(verb, link, disk, (wish->size + SECTOR - 1) / SECTOR * SECTOR);
    else if (domain_is_simulated(verb->domain) ||
             raw_image_resize(disk->source, disk->target, wish->size, &error))
        look_again(verb, link, disk);
    else
        verb_finish(verb, error);
}

void
domain_block_resize(Domain *domain, const char *disk, guint64 size, guint flags, DomainDone done,
                    gpointer data)
{
    Verb verb = {
        .domain = domain, .flags = flags, .begin = resize_begin, .done = done, .data = data
    };
    g_autoptr(GError) error = NULL;
    ResizeWish *wish;

    if (!*disk)
        driver_error(&error, VIR_ERR_INVALID_ARG, "empty path");
    else if (!(flags & VIR_DOMAIN_BLOCK_RESIZE_BYTES) && !g_uint64_checked_mul(&size, size, 1024))
        driver_error(&error, VIR_ERR_OVERFLOW, "size must be less than %" G_GUINT64_FORMAT,
                     G_MAXUINT64 / 1024);
    if (error) {
        done(data, error);
        return;
    }
    wish = g_new0(ResizeWish, 1);
    wish->disk = g_strdup(disk);
    wish->size = size;
    verb.detail = wish;
    verb.detail_free = wish_free;
    verb_start_checked("block-resize", &verb, "virDomainBlockResize",
                       VIR_DOMAIN_BLOCK_RESIZE_BYTES);
}
