/* figures: all that is compared, a row each. A new figure is a function that takes it from one
 * contender, and a row in the table of its file. */
#pragma once

#include "tests/bench/contender.h"

#define QUANTITIES_MAX 2
#define CONTENDERS_MAX 4

/* What one value of an experiment means. */
typedef struct Quantity {
    const char *name; /* NULL: there is none */
    const char *unit;
    gboolean more; /* is better */
} Quantity;

typedef struct Experiment {
    Quantity quantities[QUANTITIES_MAX];
    /* Ours first; one that takes part alone is measured alone. */
    const Contender *contenders[CONTENDERS_MAX];
    gboolean kernel; /* wants a KVM that runs a kernel at the speed of the processor */
    guint runs_max;  /* 0: as many as are asked for */
    /* One run: a value for each quantity. @what is the experiment's. */
    void (*run)(const Contender *contender, const void *what, double values[QUANTITIES_MAX]);
    const void *what;
} Experiment;

/* The path of a raw image of arbitrary contents, made once; nobody frees it. */
const char *figure_disk(void);

/* NULL ends each. */
extern const Experiment *const figures[];

extern const Experiment exec_to_control;
extern const Experiment start_to_first_instruction;
extern const Experiment start_to_first_instruction_microvm;
extern const Experiment memory_overhead;
extern const Experiment memory_overhead_devices;
extern const Experiment pio_exit;
extern const Experiment pio_exit_unclaimed;
extern const Experiment mmio_exit;
extern const Experiment domain_life;
extern const Experiment idle_guests;
extern const Experiment blk_random_1;
extern const Experiment blk_random_32;
extern const Experiment blk_sequence_1;
extern const Experiment blk_sequence_32;
extern const Experiment blk_direct_random_1;
extern const Experiment blk_direct_random_32;
extern const Experiment blk_direct_sequence_1;
extern const Experiment blk_direct_sequence_32;
extern const Experiment net_send_packets;
extern const Experiment net_send_bytes;
extern const Experiment net_receive_packets;
extern const Experiment net_receive_bytes;
extern const Experiment bzimage_to_init;
extern const Experiment bzimage_to_init_microvm;
