/* Twenty guests that do nothing, together. QEMU's is the microvm, which has the least to do. */
#include "tests/bench/figures.h"
#include "tests/bench/process.h"

#define N_GUESTS  20
#define RAM_MIB   128
#define SETTLE_US 500000
#define WATCH_S   2

static gint64
cpu_of_all(Guest *const *guests)
{
    gint64 sum = 0;

    for (guint i = 0; i < N_GUESTS; i++)
        sum += process_cpu_ns(guests[i]->pid);
    return sum;
}

static void
measure(const Contender *contender, const void *what, double values[QUANTITIES_MAX])
{
    g_autofree char *kernel = guest_payload("payload.elf");
    const GuestSpec spec = { .kernel = kernel, .cmdline = "idle", .memory_mib = RAM_MIB };
    Guest *guests[N_GUESTS];
    gint64 before;

    for (guint i = 0; i < N_GUESTS; i++)
        guests[i] = guest_start(contender, &spec);
    for (guint i = 0; i < N_GUESTS; i++)
        guest_wait_text(guests[i], "idle\n");
    g_usleep(SETTLE_US);
    before = cpu_of_all(guests);
    g_usleep(WATCH_S * G_USEC_PER_SEC);
    values[1] = (cpu_of_all(guests) - before) / 1000.0 / WATCH_S;
    values[0] = 0;
    for (guint i = 0; i < N_GUESTS; i++)
        values[0] += process_overhead(guests[i]->pid, RAM_MIB * 1024).pss_kib;
    for (guint i = 0; i < N_GUESTS; i++)
        guest_free(guests[i]);
}

const Experiment idle_guests = {
    .quantities = { { "idle-20-overhead-kib", "KiB" }, { "idle-20-cpu", "us/s" } },
    .contenders = { &contender_vmctl, &contender_qemu_microvm },
    .runs_max = 3,
    .run = measure,
};
