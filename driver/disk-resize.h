/* disk-resize: virDomainBlockResize(): a disk gets another size while the guest uses it.
 *
 * A raw image is as long as its file, which is made longer or shorter here; the VMM looks again. One of format qcow2
 * says its size itself: the VMM, which has it in use, sees to it, and tells when that is done.
 */
#pragma once

#include "driver/domain.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

/* @size in KiB, or in bytes with VIR_DOMAIN_BLOCK_RESIZE_BYTES. The guest is told. */
void domain_block_resize(Domain *domain, const char *disk, guint64 size, guint flags,
                         DomainDone done, gpointer data);

/* The VMM's event "resized". */
void disk_resized(Domain *domain, VmmMsg *event);
/* The guest is gone, or nobody's any more: who waits fails. */
void disk_resize_forget(Domain *domain);
