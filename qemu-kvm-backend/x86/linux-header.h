/* linux-header: what a Linux kernel's file, a bzImage, says of itself (Documentation/arch/x86/boot.rst). */
#pragma once

#include "qemu-kvm-backend/error.h"

#include <asm/bootparam.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether these are the first @size bytes of one. */
bool linux_header_probe(const uint8_t *head, size_t size);
/* The header of the file, and of @ret nothing else: what the file does not have of it is zero. */
bool linux_header_read(int fd, struct boot_params *ret, VmmError *err);

/* It is one of a bzImage at all. */
bool linux_header_is_marked(const struct setup_header *header);
/* Bytes at the file's beginning that run in real mode; the kernel is behind them. */
uint64_t linux_header_setup_size(const struct setup_header *header);
