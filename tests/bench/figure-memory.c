/* What an idle guest with a serial port costs beyond its RAM. */
#include "tests/bench/figures.h"
#include "tests/bench/process.h"

#define RAM_MIB   128
#define SETTLE_US 200000 /* for what a monitor still does after its guest has halted */

static void
measure(const Contender *contender, const void *what, double values[QUANTITIES_MAX])
{
    g_autofree char *kernel = guest_payload("payload.elf");
    const GuestSpec spec = { .kernel = kernel, .cmdline = "idle", .memory_mib = RAM_MIB };
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
