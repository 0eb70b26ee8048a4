/* disk-verbs: what libvirt lets a client do to one disk of a domain, which it names by target or source.
 */
#pragma once

#include "driver/domain.h"

/* virDomainSetBlockThreshold(): the event block-threshold tells when something is written behind that byte of the
 * image's file; 0: nobody asks any more. */
void domain_set_block_threshold(Domain *domain, const char *disk, guint64 threshold, guint flags,
                                DomainDone done, gpointer data);
/* virDomainBlockPeek(): bytes of the image's file as they are there, as ay; zeros behind its end. */
#define BLOCK_PEEK_MAX (4u << 20) /* libvirt's limit on the wire */
GVariant *domain_block_peek(Domain *domain, const char *disk, guint64 offset, guint64 size,
                            guint flags, GError **error);
