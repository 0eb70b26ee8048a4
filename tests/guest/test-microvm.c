/* What a payload guest finds on the board of a microvm, and beside it on that of a PC. */
#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>

#define MIB (1ull << 20)

static VmmMsg *
create_request(Vmm *vmm, const char *machine)
{
    VmmMsg *msg = vmm_create_request(vmm, 16 * MIB, 1, "functions 7");

    vmm_msg_put_string(msg, "machine", machine);
    return msg;
}

static Vmm *
build(const char *machine)
{
    Vmm *vmm = vmm_spawn();

    vmm_accept(vmm_call(vmm, create_request(vmm, machine)));
    vmm_add_devices(vmm);
    return vmm;
}

static void
add(Vmm *vmm, const char *class, const char *id, const char *device, const char *bus)
{
    VmmMsg *msg = vmm_request(vmm, VMM_ADD_DEVICE);

    vmm_msg_put_string(msg, "class", class);
    vmm_msg_put_string(msg, "id", id);
    if (device)
        vmm_msg_put_string(msg, "device", device);
    if (bus)
        vmm_msg_put_string(msg, "bus", bus);
    vmm_accept(vmm_call(vmm, msg));
}

static void
assert_finds(Vmm *vmm, const char *functions)
{
    g_autofree char *said = NULL;

    vmm_do(vmm, VMM_RUN);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "7");
    said = vmm_serial(vmm);
    g_assert_cmpstr(said, ==, functions);
}

/* Nothing is on PCI, and so there is none. */
static void
test_bare(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = build(VMM_MACHINE_MICROVM);
    assert_finds(vmm, "");
}

/* The host bridge comes with the first device that needs it, and nothing else does. */
static void
test_devices(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = build(VMM_MACHINE_MICROVM);
    add(vmm, VMM_CLASS_VIRTIO_PCI, "balloon0", "balloon", NULL);
    add(vmm, VMM_CLASS_PVPANIC_PCI, "panic0", NULL, NULL);
    assert_finds(vmm, "0.0 8086:29c0\n1.0 1af4:1045\n2.0 1b36:0011\n");
}

/* A root port is there for who asks for it. */
static void
test_root_port(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = build(VMM_MACHINE_MICROVM);
    add(vmm, VMM_CLASS_ROOT_PORT, "pci.1", NULL, NULL);
    add(vmm, VMM_CLASS_VIRTIO_PCI, "balloon0", "balloon", "pci.1");
    assert_finds(vmm, "0.0 8086:29c0\n1.0 1b36:000c\n");
}

/* A PC has both bridges even if there is nothing else. */
static void
test_pc(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = build(VMM_MACHINE_Q35);
    assert_finds(vmm, "0.0 8086:29c0\n31.0 8086:2918\n");
}

static void
test_no_firmware(void)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *msg;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    msg = create_request(vmm, VMM_MACHINE_MICROVM);
    vmm_msg_put_fd(msg, "firmware", vmm_record_fd(vmm));
    vmm_reject(vmm_call(vmm, msg), VMM_ERROR_UNSUPPORTED, "no firmware");
    vmm_reject(vmm_call(vmm, create_request(vmm, "pc-98")), VMM_ERROR_UNSUPPORTED, "'pc-98'");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/microvm/bare", test_bare);
    g_test_add_func("/microvm/devices", test_devices);
    g_test_add_func("/microvm/root-port", test_root_port);
    g_test_add_func("/microvm/pc", test_pc);
    g_test_add_func("/microvm/no-firmware", test_no_firmware);
    return g_test_run();
}
