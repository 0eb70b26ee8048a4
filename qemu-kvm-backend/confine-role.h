/* confine-role: what the threads of a VMM are there for, which decides what they may ask of the kernel. */
#pragma once

typedef enum ConfineRole {
    CONFINE_START, /* the process from its first moment: builds a machine, makes threads */
    CONFINE_MAIN,  /* the main thread once a guest is to run */
    CONFINE_VCPU,  /* runs guest code and serves its exits */
    CONFINE_IO,    /* an I/O thread or a worker of one: devices' queues, disks, network */
    CONFINE_N_ROLES,
} ConfineRole;
