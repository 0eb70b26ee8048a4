/* vmm-run: one guest of vmctl-vmm, without a daemon: what it says on COM1 comes out here.
 *
 *   vmm-run KERNEL INITRAMFS CMDLINE [DEVICE...]
 *
 * A DEVICE is "key=value,key=value..." with the keys of "add-device": "@path" is a descriptor of the file at
 * path, opened for reading and writing, "tap:NAME" one of the tap of that name, a value of digits a number,
 * "true" what it says, any other a string. "wait=TEXT" waits until the guest has said TEXT, and starts it
 * before that where it does not run yet: what comes after it is plugged in while the guest runs; "remove=ID"
 * takes a device away. "save=S" saves the guest, ends its VMM, waits S seconds and restores it in another one. "kill" ends the VMM as a power cut ends a machine, and with it the run, which else
 * ends when the guest powers itself off.
 */
#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY (192ull << 20)

static int
open_file(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);

    if (fd < 0)
        g_error("%s: %s", path, g_strerror(errno));
    return fd;
}

static int
open_tap(const char *name)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int fd = open_file("/dev/net/tun", O_RDWR);

    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    if (ioctl(fd, TUNSETIFF, &request) < 0)
        g_error("tap %s: %s", name, g_strerror(errno));
    return fd;
}

static void
put_key(VmmMsg *msg, const char *key, const char *value)
{
    if (value[0] == '@')
        vmm_msg_put_fd(msg, key, open_file(value + 1, O_RDWR));
    else if (g_str_has_prefix(value, "tap:"))
        vmm_msg_put_fd(msg, key, open_tap(value + strlen("tap:")));
    else if (value[0] && strspn(value, "0123456789") == strlen(value))
        vmm_msg_put_u64(msg, key, g_ascii_strtoull(value, NULL, 10));
    else if (strcmp(value, "true") == 0)
        vmm_msg_put_bool(msg, key, true);
    else
        vmm_msg_put_string(msg, key, value);
}

static void
add_device(Vmm *vmm, const char *text)
{
    g_auto(GStrv) pairs = g_strsplit(text, ",", -1);
    VmmMsg *msg = vmm_request(vmm, VMM_ADD_DEVICE);

    for (char **pair = pairs; *pair; pair++) {
        char *value = strchr(*pair, '=');

        g_assert_nonnull(value);
        *value++ = 0;
        put_key(msg, *pair, value);
    }
    vmm_accept(vmm_call(vmm, msg));
}

static VmmMsg *
create_request(Vmm *vmm, char **argv)
{
    VmmMsg *msg = vmm_request(vmm, VMM_CREATE);

    vmm_msg_put_fd(msg, "kvm", open_file("/dev/kvm", O_RDWR));
    vmm_msg_put_u64(msg, "memory", MEMORY);
    vmm_msg_put_u64(msg, "vcpus", 2);
    vmm_msg_put_fd(msg, "kernel", open_file(argv[1], O_RDONLY));
    vmm_msg_put_fd(msg, "record", vmm_record_fd(vmm));
    vmm_msg_put_fd(msg, "initrd", open_file(argv[2], O_RDONLY));
    vmm_msg_put_string(msg, "cmdline", argv[3]);
    return msg;
}

static void
remove_device(Vmm *vmm, const char *id)
{
    VmmMsg *msg = vmm_request(vmm, VMM_REMOVE_DEVICE);

    vmm_msg_put_string(msg, "id", id);
    vmm_accept(vmm_call(vmm, msg));
}

/* A machine as the arguments say, with the devices of @steps up to @until. */
static void
build(Vmm *vmm, char **argv, char **until)
{
    vmm_accept(vmm_call(vmm, create_request(vmm, argv)));
    vmm_add_devices(vmm);
    for (char **step = argv + 4; step < until; step++) {
        if (g_str_has_prefix(*step, "class="))
            add_device(vmm, *step);
    }
}

static void
call_with_file(Vmm *vmm, const char *verb, int fd)
{
    VmmMsg *msg = vmm_request(vmm, verb);
    const char *outcome = NULL, *text = "";

    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    vmm_msg_put_fd(msg, "fd", fcntl(fd, F_DUPFD_CLOEXEC, 0));
    vmm_accept(vmm_call(vmm, msg));
    vmm_msg_auto event = vmm_wait_event(vmm, VMM_EVENT_JOB_ENDED);
    vmm_msg_get_string(event, "text", &text);
    g_assert_true(vmm_msg_get_string(event, "outcome", &outcome));
    if (strcmp(outcome, "completed") != 0)
        g_error("%s: %s: %s", verb, outcome, text);
}

/* The first VMM is gone before the second one is built, for it holds taps and disks. */
static Vmm *
save_and_restore(Vmm *vmm, char **argv, char **step)
{
    int fd = memfd_create("state", MFD_CLOEXEC), serial = vmm_serial_fd(vmm);
    guint64 seconds = g_ascii_strtoull(*step + strlen("save="), NULL, 10);
    gint64 began = g_get_monotonic_time();
    Vmm *next;

    vmm_do(vmm, VMM_PAUSE);
    call_with_file(vmm, VMM_SAVE, fd);
    printf("vmm-run: saved %jd bytes in %.3f s\n", (intmax_t)lseek(fd, 0, SEEK_END),
           (g_get_monotonic_time() - began) / 1e6);
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
    vmm_free(vmm);
    g_usleep(seconds * G_USEC_PER_SEC);
    began = g_get_monotonic_time();
    next = vmm_spawn();
    vmm_set_serial(next, serial);
    close(serial);
    build(next, argv, step);
    call_with_file(next, VMM_RESTORE, fd);
    printf("vmm-run: restored in %.3f s\n", (g_get_monotonic_time() - began) / 1e6);
    close(fd);
    vmm_do(next, VMM_RUN);
    return next;
}

static void
take_step(Vmm *vmm, const char *step)
{
    if (g_str_has_prefix(step, "wait=")) {
        vmm_do(vmm, VMM_RUN);
        vmm_wait_serial(vmm, step + strlen("wait="));
    } else if (g_str_has_prefix(step, "remove=")) {
        remove_device(vmm, step + strlen("remove="));
    } else {
        add_device(vmm, step);
    }
}

static bool
is_kill(const char *step)
{
    return strcmp(step, "kill") == 0;
}

int
main(int argc, char **argv)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *serial = NULL;

    g_test_init(&argc, &argv, NULL);
    if (argc < 4)
        g_error("usage: vmm-run KERNEL INITRAMFS CMDLINE [DEVICE...]");
    vmm = vmm_spawn();
    build(vmm, argv, argv);
    for (int i = 4; i < argc && !is_kill(argv[i]); i++) {
        if (g_str_has_prefix(argv[i], "save="))
            vmm = save_and_restore(vmm, argv, &argv[i]);
        else
            take_step(vmm, argv[i]);
    }
    if (is_kill(argv[argc - 1])) {
        kill(vmm_pid(vmm), SIGKILL);
    } else {
        vmm_do(vmm, VMM_RUN);
        vmm_wait_stopped(vmm, VMM_REASON_POWEROFF, NULL);
    }
    serial = vmm_serial(vmm);
    fputs(serial, stdout);
    return 0;
}
