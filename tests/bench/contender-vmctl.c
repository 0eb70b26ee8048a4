/* Ours: what the driver does, by way of the harness of the payload tests. */
#include "tests/bench/contender.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "tests/guest/vmm-harness.h"

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

static void
vmctl_boot(Guest *guest)
{
    const GuestSpec *spec = guest->spec;
    Vmm *vmm = vmm_of(guest);

    vmm_accept(vmm_call(vmm, vmm_create_kernel_request(vmm, spec->kernel, spec->initrd,
                                                       (guint64)spec->memory_mib << 20, 1,
                                                       spec->cmdline)));
    vmm_add_serial(vmm);
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

const Contender contender_vmctl = {
    .name = "vmctl",
    .guest_size = sizeof(VmctlGuest),
    .spawn = vmctl_spawn,
    .wait_control = vmctl_wait_control,
    .boot = vmctl_boot,
    .end = vmctl_end,
    .log = vmctl_log,
};
