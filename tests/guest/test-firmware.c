/* Firmware as distributions ship it, on KVM, without a disk: how far does it get? SeaBIOS takes some ten
 * seconds where KVM is software. OVMF needs more of a CPU than such a KVM and the lab's emulator have, so it
 * runs where VMCTL_OVMF_DIR names the directory of its images. */
#include "tests/guest/payload-boot.h"
#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEABIOS   "/usr/share/seabios/bios-256k.bin"
#define OVMF_CODE "OVMF_CODE_4M.fd"
#define OVMF_VARS "OVMF_VARS_4M.fd"

static char *
ovmf_file(const char *name)
{
    return g_build_filename(g_getenv("VMCTL_OVMF_DIR"), name, NULL);
}

static VmmMsg *
create_request(Vmm *vmm, const char *firmware, guint vcpus)
{
    VmmMsg *msg = vmm_request(vmm, VMM_CREATE);

    vmm_msg_put_fd(msg, "kvm", open("/dev/kvm", O_RDWR | O_CLOEXEC));
    vmm_msg_put_fd(msg, "firmware", open(firmware, O_RDONLY | O_CLOEXEC));
    vmm_msg_put_fd(msg, "record", vmm_record_fd(vmm));
    vmm_msg_put_u64(msg, "firmware-port", 0x3f8);
    vmm_msg_put_u64(msg, "memory", 256 << 20);
    vmm_msg_put_u64(msg, "vcpus", vcpus);
    return msg;
}

static gboolean
can_run(const char *file)
{
    if (!vmm_have_kvm())
        return FALSE;
    if (g_access(file, R_OK) == 0)
        return TRUE;
    g_test_skip("the firmware is not installed");
    return FALSE;
}

/* How often the guest has said @text. */
static guint
count(Vmm *vmm, const char *text)
{
    g_autofree char *said = vmm_serial(vmm);
    g_auto(GStrv) parts = g_strsplit(said, text, -1);

    return g_strv_length(parts) - 1;
}

/* Reaches the end of its self-test; after a reset it begins anew. */
static void
test_seabios(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!can_run(SEABIOS))
        return;
    vmm = vmm_spawn();
    vmm_accept(vmm_call(vmm, create_request(vmm, SEABIOS, 2)));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "SeaBIOS (version");
    vmm_wait_serial(vmm, "No bootable device.");
    vmm_do(vmm, VMM_RESET);
    for (guint i = 0; count(vmm, "SeaBIOS (version") < 2; i++) {
        g_assert_cmpuint(i, <, 600);
        g_usleep(100000);
    }
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
}

static int
new_file(const char *content)
{
    int fd = memfd_create("file", MFD_CLOEXEC);

    g_assert_cmpint(write(fd, content, strlen(content)), ==, strlen(content));
    return fd;
}

/* A guest whose kernel SeaBIOS boots, whatever disk there is, and whose boot order is the disk's. */
static Vmm *
run_kernel(const char *cmdline, const char *initrd)
{
    Vmm *vmm = vmm_spawn();
    VmmMsg *msg = create_request(vmm, SEABIOS, 1);

    vmm_msg_put_fd(msg, "kernel", payload_kernel());
    if (initrd)
        vmm_msg_put_fd(msg, "initrd", new_file(initrd));
    vmm_msg_put_string(msg, "cmdline", cmdline);
    vmm_msg_put_string(msg, "boot-order", "HALT");
    vmm_accept(vmm_call(vmm, msg));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    return vmm;
}

static void
test_seabios_kernel(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *said = NULL;

    if (!can_run(SEABIOS))
        return;
    vmm = run_kernel("payload module 42", "what the initrd has");
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "42");
    said = vmm_serial(vmm);
    g_assert_nonnull(strstr(said, "SeaBIOS (version"));
    g_assert_true(g_str_has_suffix(said, "module: what the initrd has\n"));
}

/* It comes back after each reset. */
static void
test_seabios_kernel_reset(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!can_run(SEABIOS))
        return;
    vmm = run_kernel("payload cf9 2", NULL);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    g_assert_cmpuint(count(vmm, "SeaBIOS (version"), ==, 2);
    g_assert_cmpuint(count(vmm, "boot 2"), ==, 1);
}

/* A guest that SeaBIOS boots from a disk, with @words, and that has fallen asleep. */
static Vmm *
asleep(guint vcpus, const char *words)
{
    Vmm *vmm = vmm_spawn();
    VmmMsg *msg;

    vmm_accept(vmm_call(vmm, create_request(vmm, SEABIOS, vcpus)));
    vmm_add_devices(vmm);
    msg = vmm_request(vmm, VMM_ADD_DEVICE);
    vmm_msg_put_string(msg, "class", VMM_CLASS_VIRTIO_PCI);
    vmm_msg_put_string(msg, "id", "disk");
    vmm_msg_put_string(msg, "device", "blk");
    vmm_msg_put_fd(msg, "fd", payload_disk(words));
    vmm_accept(vmm_call(vmm, msg));
    vmm_do(vmm, VMM_RUN);
    vmm_msg_free(vmm_wait_event(vmm, VMM_EVENT_SUSPENDED));
    vmm_assert_state(vmm, VMM_STATE_SUSPENDED, VMM_REASON_SLEEP);
    return vmm;
}

/* It wakes to the BIOS, which neither tests nor boots the machine, but goes where the guest wants it to. */
static void
test_seabios_sleep(gconstpointer vcpus)
{
    g_autofree char *words = g_strdup_printf("sleep %u", GPOINTER_TO_UINT(vcpus));
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *said = NULL;

    if (!can_run(SEABIOS))
        return;
    vmm = asleep(GPOINTER_TO_UINT(vcpus), words);
    vmm_do(vmm, VMM_WAKEUP);
    vmm_msg_free(vmm_wait_event(vmm, VMM_EVENT_WOKEN));
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    said = vmm_serial(vmm);
    g_assert_true(g_str_has_suffix(said, "asleep\nawake\n"));
    g_assert_cmpuint(count(vmm, "SeaBIOS (version"), ==, 1);
}

/* Nobody has said where: it starts over. */
static void
test_seabios_lost(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *said = NULL;

    if (!can_run(SEABIOS))
        return;
    vmm = asleep(1, "sleep-lost");
    vmm_do(vmm, VMM_WAKEUP);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    said = vmm_serial(vmm);
    g_assert_true(g_str_has_suffix(said, "it started over\n"));
    g_assert_cmpuint(count(vmm, "SeaBIOS (version"), ==, 2);
}

/* A CD-ROM that UEFI boots, and a BIOS by the boot sector that it has for disks; without that as old ones are. */
static int
new_cdrom(gboolean for_disks)
{
    static const char nothing[512];
    g_autofree char *program = vmm_built("tests/lab/boot-disk");
    g_autofree char *application = vmm_built("tests/lab/boot/app.efi");
    g_autofree char *path = g_strdup("/tmp/vmctl-cdrom-XXXXXX");
    const char *argv[] = { program, path, application, "cdrom", "iso", NULL };
    int fd = g_mkstemp(path), status = -1;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL,
                               &status, NULL));
    g_assert_cmpint(status, ==, 0);
    unlink(path);
    if (!for_disks)
        g_assert_cmpint(pwrite(fd, nothing, sizeof(nothing), 0), ==, sizeof(nothing));
    return fd;
}

static void
test_seabios_cdrom(gconstpointer for_disks)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *msg;

    if (!can_run(SEABIOS))
        return;
    vmm = vmm_spawn();
    vmm_accept(vmm_call(vmm, create_request(vmm, SEABIOS, 1)));
    vmm_add_devices(vmm);
    msg = vmm_request(vmm, VMM_ADD_DEVICE);
    vmm_msg_put_string(msg, "class", VMM_CLASS_VIRTIO_PCI);
    vmm_msg_put_string(msg, "id", "cdrom");
    vmm_msg_put_string(msg, "device", "blk");
    vmm_msg_put_bool(msg, "read-only", true);
    vmm_msg_put_fd(msg, "fd", new_cdrom(for_disks != NULL));
    vmm_accept(vmm_call(vmm, msg));
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, for_disks ? "cdrom: started by a BIOS" : "No bootable device.");
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
}

/* A copy of the variables as they are delivered. */
static int
new_variables(void)
{
    g_autofree char *path = ovmf_file(OVMF_VARS);
    g_autofree char *data = NULL;
    g_autoptr(GError) error = NULL;
    int fd = memfd_create("variables", MFD_CLOEXEC);
    gsize size;

    g_file_get_contents(path, &data, &size, &error);
    g_assert_no_error(error);
    g_assert_cmpint(write(fd, data, size), ==, size);
    return fd;
}

static void
test_ovmf(void)
{
    g_autofree char *code = ovmf_file(OVMF_CODE);
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *msg;

    if (!can_run(code))
        return;
    vmm = vmm_spawn();
    msg = create_request(vmm, code, 1);
    vmm_msg_put_fd(msg, "nvram", new_variables());
    vmm_accept(vmm_call(vmm, msg));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "BdsDxe");
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/firmware/seabios", test_seabios);
    g_test_add_func("/firmware/seabios-kernel", test_seabios_kernel);
    g_test_add_func("/firmware/seabios-kernel-reset", test_seabios_kernel_reset);
    g_test_add_data_func("/firmware/seabios-sleep", GUINT_TO_POINTER(1), test_seabios_sleep);
    g_test_add_data_func("/firmware/seabios-sleep-smp", GUINT_TO_POINTER(2), test_seabios_sleep);
    g_test_add_func("/firmware/seabios-lost", test_seabios_lost);
    g_test_add_data_func("/firmware/seabios-cdrom", "for disks, too", test_seabios_cdrom);
    g_test_add_data_func("/firmware/seabios-cdrom-alone", NULL, test_seabios_cdrom);
    if (g_getenv("VMCTL_OVMF_DIR"))
        g_test_add_func("/firmware/ovmf", test_ovmf);
    return g_test_run();
}
