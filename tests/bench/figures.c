#include "tests/bench/figures.h"

const Experiment *const figures[] = {
    &exec_to_control,       &start_to_first_instruction,
    &memory_overhead,       &pio_exit,
    &pio_exit_unclaimed,    &mmio_exit,
    &blk_random_1,          &blk_random_32,
    &blk_sequence_1,        &blk_sequence_32,
    &blk_direct_random_1,   &blk_direct_random_32,
    &blk_direct_sequence_1, &blk_direct_sequence_32,
    &net_send_packets,      &net_send_bytes,
    &net_receive_packets,   &net_receive_bytes,
    &domain_life,           &idle_guests,
    &bzimage_to_init,       NULL,
};
