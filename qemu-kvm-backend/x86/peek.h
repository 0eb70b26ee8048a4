/* peek: a look at the guest's memory from outside.
 */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/memory.h"

/* Writes [@address, @address + @size) to the start of the file @to. @vcpu_fd: whose page tables make physical addresses
 * of virtual ones, which does not run; -1: they are physical. */
bool peek(const Memory *memory, int vcpu_fd, uint64_t address, uint64_t size, int to, VmmError *err);
