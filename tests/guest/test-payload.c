/* Payload guests on the host's KVM: what the VMM does from the first message to the last. Its parts are listed in
 * payload-tests.h; what a guest finds is here. */
#include "tests/guest/payload-tests.h"
#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1ull << 20)

static gboolean
has_tsc_scaling(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int has = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL);

    close(kvm);
    return has > 0;
}

static void
test_hello(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *said = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(1, "hello 7");
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "7");
    said = vmm_serial(vmm);
    g_assert_cmpstr(said, ==, "hello from the payload\n");
}

static VmmMsg *
peek_at(Vmm *vmm, guint64 address, guint64 size, gboolean virtual, int file)
{
    VmmMsg *msg = vmm_request(vmm, VMM_PEEK);

    vmm_msg_put_u64(msg, "address", address);
    vmm_msg_put_u64(msg, "size", size);
    vmm_msg_put_bool(msg, "virtual", virtual);
    vmm_msg_put_fd(msg, "to", dup(file));
    return vmm_call(vmm, msg);
}

/* The payload is at 1 MiB, mapped where it is; beyond a page's end, too. */
static void
test_peek(void)
{
    static char seen[2][16384]; /* all of it */
    g_autoptr(Vmm) vmm = NULL;
    int file = memfd_create("peek", MFD_CLOEXEC);

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(2, "nmi");
    vmm_wait_serial(vmm, "waiting for an NMI\n");
    for (int virtual = 0; virtual < 2; virtual ++) {
        vmm_accept(peek_at(vmm, (1 << 20) + 0x801, sizeof(seen[0]), virtual, file));
        g_assert_cmpint(pread(file, seen[virtual], sizeof(seen[0]), 0), ==, sizeof(seen[0]));
    }
    g_assert_cmpmem(seen[0], sizeof(seen[0]), seen[1], sizeof(seen[1]));
    g_assert_nonnull(memmem(seen[0], sizeof(seen[0]), "waiting for an NMI", 18));
    vmm_reject(peek_at(vmm, (16 << 20) - 4, 8, FALSE, file), VMM_ERROR_FAILED, "no RAM");
    vmm_reject(peek_at(vmm, G_MAXUINT64 - 3, 8, FALSE, file), VMM_ERROR_FAILED, "no RAM");
    vmm_reject(peek_at(vmm, 0, VMM_PEEK_MAX + 1, FALSE, file), VMM_ERROR_INVALID, "size");
    vmm_do(vmm, VMM_PAUSE);
    vmm_accept(peek_at(vmm, 0, 0, FALSE, file));
    vmm_do(vmm, VMM_RUN);
    vmm_do(vmm, VMM_INJECT_NMI); /* it is as it was */
    vmm_wait_serial(vmm, "NMI\n");
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    close(file);
}

static void
test_smp(gconstpointer data)
{
    guint vcpus = GPOINTER_TO_UINT(data);
    g_autofree char *cmdline = g_strdup_printf("smp %u", vcpus);
    g_autofree char *expected = g_strdup_printf("vCPUs: %u, APIC ids: %u\n", vcpus, vcpus);
    g_autofree char *said = NULL;
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(vcpus, cmdline);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    said = vmm_serial(vmm);
    g_assert_cmpstr(said, ==, expected);
}

/* What a guest reads in leaf @leaf of a machine that was made to measure. */
static char *
read_cpuid(guint32 leaf)
{
    g_autofree char *scene = g_strdup_printf("cpuid %u", leaf);
    g_autoptr(Vmm) vmm = vmm_spawn();
    VmmMsg *create = vmm_create_request(vmm, 16 * MIB, 1, scene);

    vmm_msg_put_string(create, "cpuid",
                       "0.0:eax=d/ffffffff 1.0:eax=206a1/ffffffff "
                       "80000002.0:eax=6c746d76/ffffffff");
    vmm_msg_put_string(create, "cpu-cache", "emulated");
    vmm_msg_put_bool(create, "kvm-leaves", FALSE);
    vmm_msg_put_bool(create, "pmu", FALSE);
    vmm_msg_put_bool(create, "pit-reinject", FALSE);
    vmm_accept(vmm_call(vmm, create));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    return vmm_serial(vmm);
}

static void
test_cpuid(void)
{
    g_autofree char *limit = NULL, *features = NULL, *kvm = NULL, *brand = NULL;

    if (!vmm_have_kvm())
        return;
    limit = read_cpuid(0);
    features = read_cpuid(1);
    kvm = read_cpuid(0x40000000);
    brand = read_cpuid(0x80000002);
    g_assert_true(g_str_has_prefix(limit, "0000000d "));
    g_assert_true(g_str_has_prefix(features, "000206a1 "));
    g_assert_null(strstr(kvm, "4b4d564b"));
    g_assert_true(g_str_has_prefix(brand, "6c746d76 "));
}

/* A guest in a file of ours, all of it there from the start and locked: the kernel that was loaded into it is
 * in the file. */
static void
test_memory_file(void)
{
    static const guint32 magic = 0x1badb002; /* the payload's multiboot header, at 1 MiB */
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *create;
    guint32 found = 0;
    int fd;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    create = vmm_create_request(vmm, 4 * MIB, 1, "hello 7");
    fd = memfd_create("ram", MFD_CLOEXEC);
    g_assert_no_errno(ftruncate(fd, 4 * MIB));
    vmm_msg_put_fd(create, "ram", fcntl(fd, F_DUPFD_CLOEXEC, 0));
    vmm_msg_put_bool(create, "ram-shared", TRUE);
    vmm_msg_put_bool(create, "ram-locked", TRUE);
    vmm_msg_put_u64(create, "ram-threads", 2);
    vmm_accept(vmm_call(vmm, create));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "7");
    for (off_t at = MIB; at < (off_t)(MIB + 8192) && found != magic; at += 4)
        g_assert_cmpint(pread(fd, &found, sizeof(found), at), ==, sizeof(found));
    g_assert_cmphex(found, ==, magic);
    close(fd);
}

/* Whether the process has pages under @policy, as numa_maps words it. */
static gboolean
has_policy(Vmm *vmm, const char *policy)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/numa_maps", vmm_pid(vmm));
    g_autofree char *maps = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &maps, NULL, &error);
    g_assert_no_error(error);
    return strstr(maps, policy) != NULL;
}

static VmmMsg *
put_nodes(VmmMsg *msg, const char *policy, guint8 nodes)
{
    vmm_msg_put_string(msg, "ram-policy", policy);
    vmm_msg_put_bytes(msg, "ram-nodes", &nodes, sizeof(nodes));
    return msg;
}

/* Node 0 is on every host that has any, and node 7 on few: RAM is there from the start, and later where it was not. */
static void
test_memory_nodes(void)
{
    g_autoptr(Vmm) vmm = NULL, other = NULL;
    VmmMsg *other_type;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    vmm_accept(
        vmm_call(vmm, put_nodes(vmm_create_request(vmm, 64 * MIB, 1, "wait"), VMM_NODES_BIND, 1)));
    g_assert_true(has_policy(vmm, " bind:0"));
    vmm_reject(vmm_call(vmm, put_nodes(vmm_request(vmm, VMM_SET_MEMORY_NODES), "elsewhere", 1)),
               VMM_ERROR_INVALID, "elsewhere");
    vmm_reject(vmm_call(vmm, put_nodes(vmm_request(vmm, VMM_SET_MEMORY_NODES), VMM_NODES_BIND, 0)),
               VMM_ERROR_INVALID, "none is named");
    vmm_refuses(vmm, VMM_SET_MEMORY_NODES, VMM_ERROR_INVALID);
    other_type = vmm_request(vmm, VMM_SET_MEMORY_NODES);
    vmm_msg_put_u64(other_type, "ram-nodes", 1);
    vmm_reject(vmm_call(vmm, other_type), VMM_ERROR_INVALID, "missing");
    g_assert_true(has_policy(vmm, " bind:0"));
    vmm_accept(
        vmm_call(vmm, put_nodes(vmm_request(vmm, VMM_SET_MEMORY_NODES), VMM_NODES_INTERLEAVE, 1)));
    g_assert_true(has_policy(vmm, " interleave:0"));
    g_assert_false(has_policy(vmm, " bind:0"));
    other = vmm_spawn();
    if (!g_file_test("/sys/devices/system/node/node7", G_FILE_TEST_EXISTS))
        vmm_reject(vmm_call(other, put_nodes(vmm_create_request(other, 64 * MIB, 1, "wait"),
                                             VMM_NODES_BIND, 128)),
                   VMM_ERROR_FAILED, "on those nodes of the host");
}

/* While a guest runs, under the filters of its threads; four steps each, one begun anew before the last. */
static void
test_memory_moved(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *log = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    vmm_accept(vmm_call(vmm, vmm_create_request(vmm, 64 * MIB, 1, "power-button")));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "waiting for the button");
    for (int i = 0; i < 3; i++) {
        vmm_accept(
            vmm_call(vmm, put_nodes(vmm_request(vmm, VMM_SET_MEMORY_NODES), VMM_NODES_BIND, 1)));
        g_usleep(i * 20000);
        vmm_do(vmm, VMM_PAUSE);
        vmm_do(vmm, VMM_RUN);
    }
    g_assert_true(has_policy(vmm, " bind:0"));
    vmm_do(vmm, VMM_POWER_BUTTON);
    vmm_wait_stopped(vmm, VMM_REASON_POWEROFF, NULL);
    log = vmm_log(vmm);
    g_assert_null(strstr(log, "stays there"));
}

/* A clock that this host has, and one that takes scaling: where there is none, nobody pretends. */
static void
test_tsc(void)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *create;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    create = vmm_create_request(vmm, 16 * MIB, 1, "hello 7");
    vmm_msg_put_u64(create, "tsc-khz", 123456);
    if (has_tsc_scaling()) {
        vmm_accept(vmm_call(vmm, create));
        return;
    }
    vmm_reject(vmm_call(vmm, create), VMM_ERROR_UNSUPPORTED,
               "and TSC scaling is not supported by the host CPU");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/payload/hello", test_hello);
    g_test_add_func("/payload/peek", test_peek);
    g_test_add_data_func("/payload/smp/2", GUINT_TO_POINTER(2), test_smp);
    g_test_add_data_func("/payload/smp/4", GUINT_TO_POINTER(4), test_smp);
    g_test_add_data_func("/payload/smp/16", GUINT_TO_POINTER(16), test_smp);
    g_test_add_func("/payload/cpu/cpuid", test_cpuid);
    g_test_add_func("/payload/cpu/tsc", test_tsc);
    g_test_add_func("/payload/memory/file", test_memory_file);
    g_test_add_func("/payload/memory/nodes", test_memory_nodes);
    g_test_add_func("/payload/memory/moved", test_memory_moved);
    add_power_tests();
    add_guards_tests();
    add_control_tests();
    return g_test_run();
}
