/* qcow2-resize: the disk gets another size while it is in use.
 *
 * It grows in three steps, each of which ends with a commit: a larger L1 table takes the place of the one that is too
 * small; what comes is made to read as zeros, where it would not; and the header says the new size. It shrinks in two:
 * what goes is discarded, and the header says so. Whatever a power cut lets through, the image has one of the sizes
 * and nothing but clusters that are lost; after an error it has the old one.
 */
#pragma once

#include "qemu-kvm-backend/block/qcow2-image.h"

/* BlockFormat's set_size(). */
bool qcow2_set_size(BlockImage *image, BlockRequest *req, uint64_t size, VmmError *err);
