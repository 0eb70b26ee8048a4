/* One access that leaves the guest, is served by the monitor, and returns: the payload makes many,
 * and says when it begins and ends. It is the monitor's CPU time that is taken, in the kernel and
 * outside, so that what else the host runs does not count. QEMU serves exits alike whatever its
 * machine, so one of them is enough. */
#include "tests/bench/figures.h"
#include "tests/bench/process.h"

#define N_EXITS 32000 /* a multiple of the payload's round of 16 */

static double
measure(const Contender *contender, const char *scene)
{
    g_autofree char *kernel = guest_payload("payload.elf");
    g_autofree char *cmdline = g_strdup_printf("%s %d", scene, N_EXITS);
    const GuestSpec spec = { .kernel = kernel, .cmdline = cmdline, .memory_mib = 128 };
    g_autoptr(Guest) guest = guest_start(contender, &spec);
    gint64 before;

    guest_wait_text(guest, "begin\n");
    before = process_cpu_ns(guest->pid);
    guest_wait_text(guest, "end\n");
    return (double)(process_cpu_ns(guest->pid) - before) / N_EXITS;
}

static void
measure_pio(const Contender *contender, double values[QUANTITIES_MAX])
{
    values[0] = measure(contender, "pio-exits");
}

static void
measure_unclaimed_pio(const Contender *contender, double values[QUANTITIES_MAX])
{
    values[0] = measure(contender, "unclaimed-pio-exits");
}

static void
measure_mmio(const Contender *contender, double values[QUANTITIES_MAX])
{
    values[0] = measure(contender, "mmio-exits");
}

/* The serial port's scratch register: a device that there is on each side. */
const Experiment pio_exit = {
    .quantities = { { "pio-exit", "ns" } },
    .contenders = { &contender_vmctl, &contender_qemu_microvm },
    .run = measure_pio,
};

const Experiment pio_exit_unclaimed = {
    .quantities = { { "pio-exit-unclaimed", "ns" } },
    .contenders = { &contender_vmctl, &contender_qemu_microvm },
    .run = measure_unclaimed_pio,
};

/* An address that nobody claims. */
const Experiment mmio_exit = {
    .quantities = { { "mmio-exit", "ns" } },
    .contenders = { &contender_vmctl, &contender_qemu_microvm },
    .run = measure_mmio,
};
