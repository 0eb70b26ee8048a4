#include "driver/peek.h"

#include "driver/domain-private.h"
#include "driver/error.h"
#include "driver/flags.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the guest has comes in a file, of which the VMM has a descriptor, too: it may do with it what it likes, and what
 * it says is believed as far as the file goes. */
typedef struct Peek {
    int file;
    guint64 size;
    DomainReply done;
    gpointer data;
} Peek;

static void
peek_finish(Peek *peek, GVariant *bytes, const GError *error)
{
    peek->done(peek->data, bytes, error);
    close(peek->file);
    g_free(peek);
}

static GVariant *
read_file(const Peek *peek, GError **error)
{
    g_autofree guint8 *bytes = g_malloc(MAX(peek->size, 1));

    for (guint64 done = 0; done < peek->size;) {
        gssize n = pread(peek->file, bytes + done, peek->size - done, done);

        if (n <= 0) {
            driver_error(error, VIR_ERR_OPERATION_FAILED,
                         "the guest's process did not tell all of the memory");
            return NULL;
        }
        done += n;
    }
    return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes, peek->size, 1);
}

static void
answered(gpointer data, VmmMsg *reply, const GError *failed)
{
    Peek *peek = data;
    g_autoptr(GError) error = failed ? g_error_copy(failed) : NULL;
    GVariant *bytes = error ? NULL : read_file(peek, &error);

    peek_finish(peek, bytes, error);
}

/* libvirt's checks, in its order. */
static gboolean
check(Domain *domain, guint64 size, guint flags, GError **error)
{
    const guint known = VIR_MEMORY_VIRTUAL | VIR_MEMORY_PHYSICAL;

    if (!driver_check_peek_flags(flags, error) ||
        !driver_check_flags(flags, known, "virDomainMemoryPeek", error))
        return FALSE;
    if (size > MEMORY_PEEK_MAX)
        return driver_error(error, VIR_ERR_INVALID_ARG,
                            "size too large for a peek: at most %u bytes", MEMORY_PEEK_MAX);
    if (!flags)
        return driver_error(error, VIR_ERR_INVALID_ARG,
                            "flags parameter must be VIR_MEMORY_VIRTUAL or VIR_MEMORY_PHYSICAL");
    if (!domain_is_active(domain))
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
    return guest_link(domain->guest) || driver_error(error, VIR_ERR_OPERATION_FAILED,
                                                     "the guest's process cannot be reached");
}

void
domain_memory_peek(Domain *domain, guint64 address, guint64 size, guint flags, DomainReply done,
                   gpointer data)
{
    g_autoptr(GError) error = NULL;
    VmmLink *link;
    VmmMsg *msg;
    Peek *peek;
    int file;

    if (!check(domain, size, flags, &error)) {
        done(data, NULL, error);
        return;
    }
    file = memfd_create("vmctl-peek", MFD_CLOEXEC);
    if (file < 0) {
        driver_error_errno(&error, errno, "cannot make a file for the guest's memory");
        done(data, NULL, error);
        return;
    }
    peek = g_new(Peek, 1);
    *peek = (Peek){ file, size, done, data };
    link = guest_link(domain->guest);
    msg = vmm_link_request(link, VMM_PEEK);
    vmm_msg_put_u64(msg, "address", address);
    vmm_msg_put_u64(msg, "size", size);
    vmm_msg_put_bool(msg, "virtual", flags == VIR_MEMORY_VIRTUAL);
    vmm_msg_put_fd(msg, "to", fcntl(file, F_DUPFD_CLOEXEC, 0));
    vmm_link_send(link, msg, VMM_LINK_TIMEOUT_MS, answered, peek);
}
