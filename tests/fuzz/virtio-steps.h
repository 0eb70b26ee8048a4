/* virtio-steps: a guest that does anything to the queues of a virtio device, in steps read from a fuzzer's
 * input, while the host's side of the device does what it can. */
#pragma once

#include "tests/unit/virtio-guest.h"

#define VIRTIO_STEP_SIZE 8

typedef struct VirtioSteps {
    VirtioGuest *guest;
    /* Something on the host's side; @step has VIRTIO_STEP_SIZE bytes, of which the first is spent. */
    void (*host)(void *data, const uint8_t *step);
    void *data;
} VirtioSteps;

/* The steps: what (1 byte), queue, descriptor, flags (1 byte each), address and length (2 bytes each). */
void virtio_steps_run(const VirtioSteps *steps, const uint8_t *data, size_t size);
