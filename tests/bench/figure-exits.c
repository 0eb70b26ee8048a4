/* One access that leaves the guest, is served by the monitor, and returns: the payload makes many,
 * and says when it begins and ends. It is the monitor's CPU time that is taken, in the kernel and
 * outside, so that what else the host runs does not count. QEMU serves exits alike whatever its
 * machine, so one of them is enough. */
#include "tests/bench/figures.h"
#include "tests/bench/process.h"

#define N_EXITS 32000 /* a multiple of the payload's round of 16 */

static void
measure(const Contender *contender, const void *scene, double values[QUANTITIES_MAX])
{
    g_autofree char *kernel = guest_payload("payload.elf");
    g_autofree char *cmdline = g_strdup_printf("%s %d", (const char *)scene, N_EXITS);
    const GuestSpec spec = { .kernel = kernel, .cmdline = cmdline, .memory_mib = 128 };
    g_autoptr(Guest) guest = guest_start(contender, &spec);
    gint64 before;

    guest_wait_text(guest, "begin\n");
    before = process_cpu_ns(guest->pid);
    guest_wait_text(guest, "end\n");
    values[0] = (double)(process_cpu_ns(guest->pid) - before) / N_EXITS;
}

#define EXIT(figure, scene)                                                                        \
    {                                                                                              \
        .quantities = { { figure, "ns" } },                                                        \
        .contenders = { &contender_vmctl, &contender_qemu_microvm }, .run = measure,               \
        .what = scene,                                                                             \
    }

/* The serial port's scratch register: a device that there is on each side. */
const Experiment pio_exit = EXIT("pio-exit", "pio-exits");
const Experiment pio_exit_unclaimed = EXIT("pio-exit-unclaimed", "unclaimed-pio-exits");
/* An address that nobody claims. */
const Experiment mmio_exit = EXIT("mmio-exit", "mmio-exits");
