/* A stock kernel, from the start of the process to its init. BENCH_VMLINUZ and BENCH_INITRAMFS (see
 * tests/guest/make-initramfs) name it. */
#include "tests/bench/figures.h"

static void
measure(const Contender *contender, const void *what, double values[QUANTITIES_MAX])
{
    const GuestSpec spec = {
        .kernel = g_getenv("BENCH_VMLINUZ"),
        .initrd = g_getenv("BENCH_INITRAMFS"),
        .cmdline = "console=ttyS0 quiet vmctl.test=poweroff",
        .memory_mib = 192,
    };
    g_autoptr(Guest) guest = NULL;

    if (!spec.kernel || !spec.initrd)
        g_error("BENCH_VMLINUZ or BENCH_INITRAMFS is not set");
    guest = guest_start(contender, &spec);
    values[0] = (guest_wait_text(guest, "vmctl-guest: ready") - guest->started_us) / 1e6;
}

const Experiment bzimage_to_init = {
    .quantities = { { "bzimage-to-init", "s" } },
    .contenders = { &contender_vmctl, &contender_qemu_q35, &contender_qemu_microvm,
                    &contender_qemu_microvm_qboot },
    .kernel = TRUE,
    .runs_max = 3,
    .run = measure,
};

const Experiment bzimage_to_init_microvm = {
    .quantities = { { "bzimage-to-init-microvm", "s" } },
    .contenders = { &contender_vmctl_microvm, &contender_qemu_microvm,
                    &contender_qemu_microvm_qboot },
    .kernel = TRUE,
    .runs_max = 3,
    .run = measure,
};
