/* What an idle guest with a serial port costs beyond its RAM, and what one with a disk and a card that it does not use. */
#include "tests/bench/figures.h"
#include "tests/bench/process.h"
#include "tests/bench/tap.h"

#define RAM_MIB   128
#define SETTLE_US 200000 /* for what a monitor still does after its guest has halted */

static void
measure(const Contender *contender, const void *with_devices, double values[QUANTITIES_MAX])
{
    g_autofree char *kernel = guest_payload("payload.elf");
    const GuestSpec spec = {
        .kernel = kernel,
        .cmdline = "idle",
        .memory_mib = RAM_MIB,
        .disk = with_devices ? figure_disk() : NULL,
        .tap = with_devices ? tap_make() : NULL,
    };
    g_autoptr(Guest) guest = guest_start(contender, &spec);
    Overhead overhead;

    guest_wait_text(guest, "idle\n");
    g_usleep(SETTLE_US);
    overhead = process_overhead(guest->pid, RAM_MIB * 1024);
    values[0] = overhead.pss_kib;
    values[1] = overhead.private_dirty_kib;
}

const Experiment memory_overhead = {
    .quantities = { { "vmm-overhead-kib", "KiB" }, { "vmm-private-dirty-kib", "KiB" } },
    .contenders = { &contender_vmctl, &contender_qemu_q35, &contender_qemu_microvm },
    .runs_max = 3,
    .run = measure,
};

const Experiment memory_overhead_devices = {
    .quantities = { { "vmm-overhead-devices-kib", "KiB" },
                    { "vmm-private-dirty-devices-kib", "KiB" } },
    .contenders = { &contender_vmctl, &contender_qemu_q35 },
    .runs_max = 3,
    .run = measure,
    .what = "with devices",
};
