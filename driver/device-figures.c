#include "driver/device-figures.h"

#include "driver/device-disk.h"
#include "driver/device-interface.h"
#include "driver/device-memballoon.h"
#include "driver/domain-private.h"
#include "driver/error.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define DUE_MAX 128

static const char *const keys[N_FIGURES] = {
    [FIGURE_RD_REQUESTS] = "rd-requests",
    [FIGURE_RD_BYTES] = "rd-bytes",
    [FIGURE_RD_TIME_NS] = "rd-time",
    [FIGURE_WR_REQUESTS] = "wr-requests",
    [FIGURE_WR_BYTES] = "wr-bytes",
    [FIGURE_WR_TIME_NS] = "wr-time",
    [FIGURE_FL_REQUESTS] = "fl-requests",
    [FIGURE_FL_TIME_NS] = "fl-time",
    [FIGURE_CAPACITY] = "size",
    [FIGURE_FILE_SIZE] = "file-size",
    [FIGURE_ALLOCATED] = "allocated",
    [FIGURE_WRITTEN_TO] = "written-to",
    [FIGURE_THRESHOLD] = "threshold",
    [FIGURE_RX_BYTES] = "rx-bytes",
    [FIGURE_RX_PACKETS] = "rx-packets",
    [FIGURE_RX_DROPPED] = "rx-dropped",
    [FIGURE_TX_BYTES] = "tx-bytes",
    [FIGURE_TX_PACKETS] = "tx-packets",
    [FIGURE_TX_DROPPED] = "tx-dropped",
    [FIGURE_SWAP_IN] = "stat-swap-in",
    [FIGURE_SWAP_OUT] = "stat-swap-out",
    [FIGURE_MAJOR_FAULTS] = "stat-major-faults",
    [FIGURE_MINOR_FAULTS] = "stat-minor-faults",
    [FIGURE_FREE] = "stat-free",
    [FIGURE_TOTAL] = "stat-total",
    [FIGURE_AVAILABLE] = "stat-available",
    [FIGURE_CACHES] = "stat-caches",
    [FIGURE_HUGETLB_ALLOCATIONS] = "stat-hugetlb-allocations",
    [FIGURE_HUGETLB_FAILURES] = "stat-hugetlb-failures",
    [FIGURE_TOLD_AT] = "stats-time",
};

/* One call, which waits for a number of answers. */
typedef struct Refresh {
    guint left; /* answers, and the asking itself */
    GDestroyNotify done;
    gpointer data;
} Refresh;

typedef struct Question {
    Refresh *refresh;
    Domain *domain;
    char *alias;
} Question;

static void
release(Refresh *refresh)
{
    if (--refresh->left > 0)
        return;
    refresh->done(refresh->data);
    g_free(refresh);
}

static int
error_code(const char *status)
{
    if (g_strcmp0(status, "nospace") == 0)
        return VIR_DOMAIN_DISK_ERROR_NO_SPACE;
    return g_strcmp0(status, "failed") == 0 ? VIR_DOMAIN_DISK_ERROR_UNSPEC
                                            : VIR_DOMAIN_DISK_ERROR_NONE;
}

static void
take_figures(Domain *domain, const char *alias, VmmMsg *reply)
{
    DeviceFigures *figures = g_new0(DeviceFigures, 1);
    const char *status = NULL;

    for (int i = 0; i < N_FIGURES; i++) {
        uint64_t value;

        figures->known[i] = vmm_msg_get_u64(reply, keys[i], &value);
        if (figures->known[i])
            figures->values[i] = value;
    }
    vmm_msg_get_string(reply, "io-status", &status);
    figures->error = error_code(status);
    g_hash_table_replace(domain->figures, g_strdup(alias), figures);
}

/* A device that was refused has gone meanwhile; only silence makes figures stale. */
static void
answered(gpointer data, VmmMsg *reply, const GError *error)
{
    Question *question = data;
    Domain *domain = question->domain;

    if (reply && domain_is_active(domain) && domain->figures)
        take_figures(domain, question->alias, reply);
    domain->figures_stale |=
        error && g_error_matches(error, DRIVER_ERROR, VIR_ERR_OPERATION_TIMEOUT);
    release(question->refresh);
    domain_unref(domain);
    g_free(question->alias);
    g_free(question);
}

static void
ask(Refresh *refresh, Domain *domain, VmmLink *link, const Device *dev)
{
    Question *question = g_new(Question, 1);
    VmmMsg *request = vmm_link_request(link, VMM_TELL_DEVICE);

    *question = (Question){ refresh, domain_ref(domain), g_strdup(dev->alias) };
    refresh->left++;
    vmm_msg_put_string(request, "id", dev->alias);
    vmm_link_send(link, request, DEVICE_FIGURES_TIMEOUT_MS, answered, question);
}

/* A process that owes an answer for so long, or so many of them, would owe these, too. */
static gboolean
is_behind(const VmmLink *link)
{
    gint64 since = vmm_link_waits_since_us(link);

    return vmm_link_n_waiting(link) > DUE_MAX ||
           (since && g_get_monotonic_time() - since > DEVICE_FIGURES_TIMEOUT_MS * (gint64)1000);
}

static void
ask_domain(Refresh *refresh, Domain *domain)
{
    VmmLink *link = guest_link(domain->guest);
    const GPtrArray *devices = domain->live->devices;

    domain->figures_stale = !link || is_behind(link);
    if (domain->figures_stale)
        return;
    if (!domain->figures)
        domain->figures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);

        if (dev->kind == &device_disk || dev->kind == &device_interface ||
            dev == device_memballoon_find(devices))
            ask(refresh, domain, link, dev);
    }
}

void
device_figures_refresh(const GPtrArray *domains, GDestroyNotify done, gpointer data)
{
    Refresh *refresh = g_new(Refresh, 1);

    *refresh = (Refresh){ 1, done, data };
    for (guint i = 0; i < domains->len; i++) {
        Domain *domain = g_ptr_array_index(domains, i);

        if (domain_is_active(domain) && domain->guest)
            ask_domain(refresh, domain);
    }
    release(refresh);
}

const DeviceFigures *
device_figures_of(const Domain *domain, const char *alias)
{
    return domain->figures && alias ? g_hash_table_lookup(domain->figures, alias) : NULL;
}

gboolean
device_figures_stale(const Domain *domain)
{
    return domain_is_active(domain) && domain->figures_stale;
}
