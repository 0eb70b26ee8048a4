#include "tests/bench/figures.h"

const Experiment *const figures[] = {
    &exec_to_control,    &start_to_first_instruction,
    &memory_overhead,    &pio_exit,
    &pio_exit_unclaimed, &mmio_exit,
    &domain_life,        &idle_guests,
    &bzimage_to_init,    NULL,
};
