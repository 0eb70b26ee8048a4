/* file: what an open file or block device is, in which a disk has its contents. */
#pragma once

#include "qemu-kvm-backend/block/format.h"
#include "qemu-kvm-backend/error.h"

/* Fills in @file, of which there is the descriptor so far, that of the disk named @disk. False with @err where it is
 * neither of both, or not open for what is wanted. */
bool block_file_inspect(BlockFile *file, const char *disk, bool wants_write, VmmError *err);
/* In bytes, as it is now. */
uint64_t block_file_size(const BlockFile *file);
