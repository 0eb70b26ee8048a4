/* Ours: what the driver does, by way of the harness of the payload tests. */
#include "tests/bench/contender.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "tests/bench/tap.h"
#include "tests/guest/vmm-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

typedef struct VmctlGuest {
    Guest guest;
    Vmm *vmm;
} VmctlGuest;

static Vmm *
vmm_of(const Guest *guest)
{
    return ((const VmctlGuest *)guest)->vmm;
}

static void
vmctl_spawn(Guest *guest, int serial)
{
    Vmm *vmm = vmm_spawn();

    ((VmctlGuest *)guest)->vmm = vmm;
    vmm_set_serial(vmm, serial);
    guest->pid = vmm_pid(vmm);
}

static void
vmctl_wait_control(Guest *guest)
{
    vmm_do(vmm_of(guest), VMM_HELLO);
}

static VmmMsg *
virtio_request(Vmm *vmm, const char *device)
{
    VmmMsg *request = vmm_request(vmm, VMM_ADD_DEVICE);

    vmm_msg_put_string(request, "class", VMM_CLASS_VIRTIO_PCI);
    vmm_msg_put_string(request, "id", device);
    vmm_msg_put_string(request, "device", device);
    return request;
}

static void
add_disk(Vmm *vmm, const GuestSpec *spec)
{
    int fd = open(spec->disk, O_RDWR | O_CLOEXEC | (spec->direct ? O_DIRECT : 0));
    VmmMsg *request = virtio_request(vmm, "blk");

    if (fd < 0)
        g_error("%s: %s", spec->disk, g_strerror(errno));
    vmm_msg_put_fd(request, "fd", fd);
    vmm_msg_put_string(request, "cache", spec->direct ? "none" : "writeback");
    vmm_accept(vmm_call(vmm, request));
}

static void
add_card(Vmm *vmm, const GuestSpec *spec)
{
    VmmMsg *request = virtio_request(vmm, "net");

    vmm_msg_put_string(request, "backend", "tap");
    vmm_msg_put_fd(request, "fd", tap_open(spec->tap));
    vmm_msg_put_string(request, "mac", "52:54:00:00:00:01");
    vmm_accept(vmm_call(vmm, request));
}

static void
vmctl_boot(Guest *guest)
{
    const GuestSpec *spec = guest->spec;
    Vmm *vmm = vmm_of(guest);
    VmmMsg *create = vmm_create_kernel_request(
        vmm, spec->kernel, spec->initrd, (guint64)spec->memory_mib << 20, 1, spec->cmdline);

    vmm_msg_put_string(create, "machine", guest->contender->machine);
    vmm_accept(vmm_call(vmm, create));
    vmm_add_serial(vmm);
    if (spec->disk)
        add_disk(vmm, spec);
    if (spec->tap)
        add_card(vmm, spec);
    vmm_do(vmm, VMM_RUN);
}

static void
vmctl_end(Guest *guest)
{
    vmm_free(vmm_of(guest));
}

static char *
vmctl_log(const Guest *guest)
{
    return vmm_log(vmm_of(guest));
}

#define VMCTL                                                                                      \
    .guest_size = sizeof(VmctlGuest), .spawn = vmctl_spawn, .wait_control = vmctl_wait_control,    \
    .boot = vmctl_boot, .end = vmctl_end, .log = vmctl_log

const Contender contender_vmctl = { .name = "vmctl", .machine = VMM_MACHINE_Q35, VMCTL };
const Contender contender_vmctl_microvm = {
    .name = "vmctl-microvm",
    .machine = VMM_MACHINE_MICROVM,
    VMCTL,
};
