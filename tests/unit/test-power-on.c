/* power-on: vCPUs are put back to the power-on state, whatever their guest was at. */
#include "qemu-kvm-backend/x86/power-on.h"
#include "tests/unit/fake-kvm.h"

#define CR4_VMXE (1u << 13)

/* A hypervisor in the guest, as Linux is with kvm_intel loaded and a guest of its own running. */
static void
test_leave_vmx(void)
{
    Kvm *kvm = fake_kvm_new();
    int fd = fake_kvm_vcpu(kvm);
    VmmError err = { .text = "" };
    PowerOn *power_on = power_on_capture(kvm, &fd, 1, false, &err);

    g_assert_nonnull(power_on);
    fake_kvm.sregs.cr4 = CR4_VMXE;
    fake_kvm.vmxon = true;
    if (!power_on_restore(power_on, kvm, &fd, &err))
        g_error("%s", err.text);
    g_assert_false(fake_kvm.vmxon);
    g_assert_cmphex(fake_kvm.sregs.cr4, ==, 0);
    power_on_free(power_on);
    kvm_free(kvm);
}

/* Firmware enables memory types itself, and looks whether they are as the power has left them; a kernel finds them on. */
static void
test_memory_types(void)
{
    Kvm *kvm = fake_kvm_new();
    int fd = fake_kvm_vcpu(kvm);
    VmmError err;

    g_assert_true(power_on_prepare(fd, 0, true, &err));
    g_assert_cmphex(fake_kvm.memory_types, ==, 0);
    g_assert_true(power_on_prepare(fd, 0, false, &err));
    g_assert_cmphex(fake_kvm.memory_types, ==, 0x806);
    kvm_free(kvm);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/power-on/leave-vmx", test_leave_vmx);
    g_test_add_func("/power-on/memory-types", test_memory_types);
    return g_test_run();
}
