/* adopt: finds the guests that went on while no daemon was there. */
#pragma once

#include "driver/domain-private.h"

/* Looks through RUN_DIR/guests: a guest whose process lives becomes its domain's again, with its id; of
 * one that ended meanwhile the end is told. What cannot be read is reported and left alone. */
void adopt_guests(DomainHost *host);
/* Asks a guest that has done something unseen what it does now, and tells of it where that is something else. */
void adopt_anew(Domain *domain);
