/* replay: what the program around a fuzz target does for it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* For targets whose input is something to warn of: warnings are not written, and are no failure. What is critical stays
 * one. To be called with each input. */
void replay_allow_warnings(void);

/* The path of a regular file with the @size bytes of @data, until the next call. The file has no name of its own, so that
 * nothing stays when a target crashes. */
const char *replay_file(const uint8_t *data, size_t size);
