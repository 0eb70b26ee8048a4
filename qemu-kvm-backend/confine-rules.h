/* confine-rules: every system call that a VMM may make, by role, with the reason for it.
 *
 * The table is for the build, which makes the filters from it (confine-compile), and for tests. It is
 * not part of vmctl-vmm: the filters are.
 *
 * To give a device a right that is missing: add a row with the reason. What is missing shows itself:
 * the kernel ends the process, and the driver says which system call it was.
 */
#pragma once

#include "qemu-kvm-backend/confine-role.h"

#include <stddef.h>
#include <stdint.h>

#define CONFINE_ROLE(role) (1u << CONFINE_##role)

/* Stands in a filter for the process' own id, which only the running process can fill in. */
#define CONFINE_OWN_PID 0x4f574e50u

/* A condition on the low 32 bits of an argument, which are all that the kernel reads of those that are
 * tested here: argument & mask == value. A mask of 0 is no condition. */
typedef struct ConfineArg {
    unsigned index;
    uint32_t mask;
    uint32_t value;
} ConfineArg;

typedef struct ConfineRule {
    unsigned roles; /* CONFINE_ROLE()s */
    int syscall;
    const char *name;
    ConfineArg args[2];
    int error; /* the call is answered with this errno, and not made; 0: allowed */
    const char *reason;
} ConfineRule;

extern const ConfineRule confine_rules[];
extern const size_t confine_n_rules;
