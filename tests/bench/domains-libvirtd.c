/* The peer: libvirtd with its QEMU driver, as its own client library speaks to it. tests/bench/run-domains has made its
 * directories private before.
 */
#include "tests/bench/domains.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_S 60

static GPid daemon_pid;
static virConnectPtr conn;

static void
ignore(void *data, virErrorPtr error)
{
}

static void
begin(void)
{
    virSetErrorFunc(NULL, ignore);
}

static void
die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void
start(void)
{
    g_autofree char *command = g_strdup_printf("libvirtd -f %s", g_getenv("BENCH_LIBVIRTD_CONF"));
    g_auto(GStrv) argv = g_strsplit(command, " ", 0);
    gint64 end = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
    g_autoptr(GError) error = NULL;

    g_spawn_async(NULL, argv, NULL,
                  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                      G_SPAWN_STDERR_TO_DEV_NULL,
                  die_with_parent, NULL, &daemon_pid, &error);
    g_assert_no_error(error);
    while (!(conn = virConnectOpen("qemu:///system"))) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(500);
    }
}

static void
stop(void)
{
    virConnectClose(conn);
    kill(daemon_pid, SIGTERM);
    waitpid(daemon_pid, NULL, 0);
}

static GPid
pid(void)
{
    return daemon_pid;
}

static void
define(const char *xml)
{
    virDomainPtr domain = virDomainDefineXML(conn, xml);

    if (!domain)
        g_error("libvirtd does not define it: %s", virGetLastErrorMessage());
    virDomainFree(domain);
}

static guint
list(void)
{
    virDomainPtr *domains = NULL;
    int n = virConnectListAllDomains(conn, &domains, 0);

    g_assert_cmpint(n, >=, 0);
    for (int i = 0; i < n; i++)
        virDomainFree(domains[i]);
    free(domains);
    return n;
}

static guint
stats(guint groups)
{
    virDomainStatsRecordPtr *records = NULL;
    int n = virConnectGetAllDomainStats(conn, groups, &records, 0);

    g_assert_cmpint(n, >=, 0);
    virDomainStatsRecordListFree(records);
    return n;
}

static void
lookup(const char *name)
{
    virDomainPtr domain = virDomainLookupByName(conn, name);

    g_assert_nonnull(domain);
    virDomainFree(domain);
}

static void
undefine(const char *name)
{
    virDomainPtr domain = virDomainLookupByName(conn, name);

    g_assert_nonnull(domain);
    g_assert_cmpint(virDomainUndefine(domain), ==, 0);
    virDomainFree(domain);
}

static char *
command(const char *const *words)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    char *said;
    int status;

    g_ptr_array_add(argv, (gpointer)"virsh");
    g_ptr_array_add(argv, (gpointer)"-c");
    g_ptr_array_add(argv, (gpointer)"qemu:///system");
    for (; *words; words++)
        g_ptr_array_add(argv, (gpointer)*words);
    g_ptr_array_add(argv, NULL);
    g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &said, NULL,
                 &status, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
    return said;
}

static void
end(void)
{
}

const Manager manager_libvirtd = {
    "libvirtd", begin,  start,    stop, pid,   define,  list,
    stats,      lookup, undefine, list, stats, command, end,
};
