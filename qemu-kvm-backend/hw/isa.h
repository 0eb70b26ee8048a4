/* isa: wide accesses to devices whose ports are a byte wide.
 *
 * The ISA bus turns an access of 2, 4 or 8 bytes into as many cycles of one byte at ascending
 * ports.
 */
#pragma once

#include "qemu-kvm-backend/device.h"

#include <stdint.h>

static inline uint64_t
isa_read(Device *dev, uint64_t offset, unsigned size, uint8_t (*read)(Device *dev, unsigned port))
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)read(dev, offset + i) << (8 * i);
    return value;
}

static inline void
isa_write(Device *dev, uint64_t offset, unsigned size, uint64_t value,
          void (*write)(Device *dev, unsigned port, uint8_t value))
{
    for (unsigned i = 0; i < size; i++)
        write(dev, offset + i, value >> (8 * i));
}
