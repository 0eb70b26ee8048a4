/* state-fixture: what a device saves, loaded into another one and compared.
 *
 * tests/data/state has what version 1 of each table wrote; STATE_GOLDEN_WRITE=DIR writes them anew.
 */
#pragma once

#include "tests/unit/test-board.h"

#include <glib.h>

#define MIB (1ull << 20)

/* A file in memory, of @size bytes. */
int new_file(uint64_t size);
/* What a device is added with; @device: the kind of a virtio device, or NULL. */
VmmMsg *device_params(const char *device);

/* The section of the stream that has the device's state. */
GBytes *save_device(Device *dev);
bool load_device(Device *dev, GBytes *bytes, VmmError *err);
void must_load_device(Device *dev, GBytes *bytes);
/* A byte of a device's state after another is changed: loading ends in one way or the other, and what it
 * ends in can be saved and run. In the end it has what was saved. */
void load_damaged(Device *dev, GBytes *bytes);
/* BARs go where they were saved. */
void remap_bars(TestBoard *test);

void assert_same_state(const char *what, GBytes *a, GBytes *b);
GBytes *read_state_golden(const char *file);
/* What version @version wrote when it was new is what it writes, and is read, for good. */
void check_state_golden(const char *name, unsigned version, GBytes *bytes);
