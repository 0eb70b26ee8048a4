#include "driver/core-dump.h"

#include "driver/error.h"
#include "driver/test-image.h"
#include "driver/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Dump {
    char *path;
    guint format;
} Dump;

static void
dump_free(gpointer data)
{
    Dump *dump = data;

    g_free(dump->path);
    g_free(dump);
}

static gboolean
write_file(const char *path, const char *name, GError **error)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
    gboolean written;

    if (fd < 0)
        return driver_error_errno(error, errno, "domain '%s' coredump: failed to open %s", name, path);
    written = test_image_write_magic(fd);
    close(fd);
    return written || driver_error_errno(error, errno,
                                         "domain '%s' coredump: failed to write header to %s", name, path);
}

/* libvirt's test driver looks at the format when the file is there already. */
static void
dump_begin(Verb *verb)
{
    const Dump *dump = verb->detail;
    g_autoptr(GError) error = NULL;

    if (!verb_link(verb))
        return;
    if (!write_file(dump->path, domain_name(verb->domain), &error)) {
        verb_finish(verb, error);
    } else if (dump->format != VIR_DOMAIN_CORE_DUMP_FORMAT_RAW) {
        verb_fail(verb, VIR_ERR_OPERATION_UNSUPPORTED,
                  "kdump-compressed format is not supported here");
    } else if (verb->flags & VIR_DUMP_CRASH) {
        verb->domain->ending = DOMAIN_ENDS_CRASHED;
        guest_kill(verb->domain->guest);
        domain_wait_end(verb->domain, verb_finished, verb);
    } else {
        verb_finish(verb, NULL);
    }
}

/* What libvirt looks at before any driver does. */
static gboolean
check(guint format, guint flags, GError **error)
{
    static const struct {
        guint one, other;
        const char *one_name, *other_name;
    } exclusive[] = {
        { VIR_DUMP_CRASH, VIR_DUMP_LIVE, "VIR_DUMP_CRASH", "VIR_DUMP_LIVE" },
        { VIR_DUMP_CRASH, VIR_DUMP_RESET, "VIR_DUMP_CRASH", "VIR_DUMP_RESET" },
        { VIR_DUMP_LIVE, VIR_DUMP_RESET, "VIR_DUMP_LIVE", "VIR_DUMP_RESET" },
    };

    if (format > VIR_DOMAIN_CORE_DUMP_FORMAT_WIN_DMP)
        return driver_error_argument(error, "dumpformat '%u' is not supported", format);
    for (gsize i = 0; i < G_N_ELEMENTS(exclusive); i++) {
        if (flags & exclusive[i].one && flags & exclusive[i].other)
            return driver_error_argument(error, "Flags '%s' and '%s' are mutually exclusive",
                                         exclusive[i].one_name, exclusive[i].other_name);
    }
    return TRUE;
}

void
domain_core_dump(Domain *domain, const char *path, guint format, guint flags, DomainDone done,
                 gpointer data)
{
    g_autoptr(GError) error = NULL;
    Verb verb = {
        .domain = domain,
        .flags = flags,
        .detail_free = dump_free,
        .begin = dump_begin,
        .done = done,
        .data = data,
    };
    Dump *dump;

    if (!check(format, flags, &error)) {
        done(data, error);
        return;
    }
    verb.detail = dump = g_new(Dump, 1);
    *dump = (Dump){ g_strdup(path), format };
    verb_start_checked("core-dump", &verb, "virDomainCoreDumpWithFormat", VIR_DUMP_CRASH);
}
