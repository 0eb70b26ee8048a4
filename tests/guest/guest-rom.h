/* guest-rom: firmware that starts the guest in ring 3 (ring3/rom.S), in a ROM. */
#pragma once

#include <glib.h>

/* With @words as the guest's command line: a descriptor, the caller's. */
int guest_rom(const char *words);
