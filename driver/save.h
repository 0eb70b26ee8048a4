/* save: a guest becomes a file and ends (virDomainSave, virDomainManagedSave).
 *
 * The guest is paused, its VMM writes it to a file that has another name yet, the file is synced and gets its name,
 * and the guest ends. Until it has the name everything can be undone: where that is needed, because a step fails,
 * somebody aborts the job or the daemon is killed, the file goes and the guest runs on as it did before.
 */
#pragma once

#include "driver/domain-private.h"
#include "driver/job-info.h"

/* What the VMM tells of a save's end. */
void save_job_ended(Domain *domain, VmmMsg *event);
/* The guest is over. */
void save_guest_gone(Domain *domain);
/* The daemon stops: the next one lets the guest run on. */
void save_drop(Domain *domain);

/* How far the save of the domain is; NULL: none is under way. */
const JobInfo *save_info(const Domain *domain);
/* Asks for the end of the save that is under way. */
void save_abort(Domain *domain);
