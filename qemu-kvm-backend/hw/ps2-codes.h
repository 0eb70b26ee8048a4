/* ps2-codes: the scan codes of keys. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PS2_CODE_MAX 8 /* bytes */

typedef struct Ps2Code {
    uint8_t bytes[PS2_CODE_MAX];
    uint8_t n; /* 0: the set has no such key */
} Ps2Code;

/* Key @key goes down, or comes up, in scan code set @set. */
Ps2Code ps2_code(unsigned set, uint8_t key, bool down);
/* Its code in set 3, 0: none. */
uint8_t ps2_code_set3(uint8_t key);
/* What the controller makes of a byte of set 2: the one of set 1. */
uint8_t ps2_code_translate(uint8_t byte);
