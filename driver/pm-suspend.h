/* pm-suspend: a guest suspends itself, is asked to by its agent, and is woken (S3). What the guest's process tells of it;
 * the verbs are in domain.h.
 */
#pragma once

#include "driver/domain-private.h"

/* The guest has suspended itself to memory; it goes on; it has saved itself to its disk, and powers off. */
void pm_suspended(Domain *domain);
void pm_woken(Domain *domain);
void pm_hibernated(Domain *domain);
