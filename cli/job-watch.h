/* job-watch: a call that takes long, because it is a job of a domain: its progress is shown, and Ctrl-C aborts it.
 */
#pragma once

#include "cli/domain.h"

/* Calls a method of org.libvirt.Domain that answers nothing. @label, "Save", begins the line that shows how far it
 * is; when not @verbose, only a person at a terminal sees it, and only of what takes more than a second. */
gboolean job_watch(Domain *domain, const char *method, GVariant *parameters, const char *label,
                   gboolean verbose, GError **error);
