/* fw-cfg-guest: how a guest reads fw-cfg, by its ports. */
#pragma once

#include "tests/unit/test-board.h"

#include <glib.h>

void fw_cfg_guest_read(TestBoard *test, uint16_t key, void *to, size_t size);
uint64_t fw_cfg_guest_number(TestBoard *test, uint16_t key, size_t size);

bool fw_cfg_guest_find(TestBoard *test, const char *name, uint16_t *ret_key, uint32_t *ret_size);
/* Fails the test where there is none. */
GBytes *fw_cfg_guest_file(TestBoard *test, const char *name);
