/* How long a monitor takes until it can be talked to, and until its guest runs. */
#include "tests/bench/figures.h"

static void
measure_control(const Contender *contender, const void *what, double values[QUANTITIES_MAX])
{
    g_autofree char *kernel = guest_payload("first.elf");
    const GuestSpec spec = { .kernel = kernel, .cmdline = "", .memory_mib = 128 };
    g_autoptr(Guest) guest = guest_spawn(contender, &spec);

    guest_wait_control(guest);
    values[0] = (g_get_monotonic_time() - guest->started_us) / 1000.0;
}

const Experiment exec_to_control = {
    .quantities = { { "exec-to-control", "ms" } },
    .contenders = { &contender_vmctl, &contender_qemu_q35, &contender_qemu_microvm },
    .run = measure_control,
};

static void
measure_first_instruction(const Contender *contender, const void *what,
                          double values[QUANTITIES_MAX])
{
    g_autofree char *kernel = guest_payload("first.elf");
    const GuestSpec spec = { .kernel = kernel, .cmdline = "", .memory_mib = 128 };
    g_autoptr(Guest) guest = guest_start(contender, &spec);

    values[0] = (guest_wait_text(guest, "!") - guest->started_us) / 1000.0;
}

const Experiment start_to_first_instruction = {
    .quantities = { { "start-to-first-instruction", "ms" } },
    .contenders = { &contender_vmctl, &contender_qemu_q35, &contender_qemu_microvm },
    .run = measure_first_instruction,
};

const Experiment start_to_first_instruction_microvm = {
    .quantities = { { "start-to-first-instruction-microvm", "ms" } },
    .contenders = { &contender_vmctl_microvm, &contender_qemu_microvm },
    .run = measure_first_instruction,
};
