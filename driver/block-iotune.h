/* block-iotune: the limits of one disk, which the client names by target or source. */
#pragma once

#include "driver/domain.h"

/* virDomainGetBlockIoTune(): a{sv}; NULL with an error. */
GVariant *domain_block_iotune(const Domain *domain, const char *disk, guint flags, GError **error);
/* virDomainSetBlockIoTune(): what @params (a{sv}) does not speak of stays; all disks of a group get the same. */
void domain_set_block_iotune(Domain *domain, const char *disk, GVariant *params, guint flags,
                             DomainDone done, gpointer data);
