/* managed-save: the image that a domain starts from, STATE_DIR/save/UUID.save.
 *
 * A domain that runs has none: what it does would make the image a past that its disks have not. So an image is
 * set aside, as UUID.save.used, before the guest that was made of it runs on, and one that is found beside a guest
 * that has run is removed; what is found beside one that has not is all that there is of it.
 *
 * While its domain is undefined it is UUID.save.leaving: the image of a domain that is there after all.
 *
 * Where a disk does not let an image have its name back, it is the domain's all the same, and whoever wants it next tries
 * again.
 */
#pragma once

#include "driver/domain-private.h"

/* Where it is, or would be. For g_free(). */
char *managed_save_path(const Domain *domain);
/* The same, with the directory made. */
char *managed_save_path_for_writing(const Domain *domain, GError **error);
/* Gives it its name, where it has another. FALSE with @error. */
gboolean managed_save_make_ready(Domain *domain, GError **error);
/* One was written there, in the place of any other. */
void managed_save_was_written(Domain *domain);
/* After an error it is there as before. */
gboolean managed_save_remove(Domain *domain, GError **error);

/* Before the guest runs on, MANAGED_SAVE_USED, or its definition goes, MANAGED_SAVE_LEAVING; when it does; where it
 * could not. */
gboolean managed_save_set_aside(Domain *domain, ManagedSaveName name, GError **error);
void managed_save_drop(Domain *domain);
void managed_save_take_back(Domain *domain);

/* Finds the images of the domains that there are, and clears away what a daemon that was killed left: of domains without a
 * guest. */
void managed_save_scan(DomainHost *host);
/* Whether its file has the name that it gets right before a guest of it is told to run. */
gboolean managed_save_is_used(const Domain *domain);
/* Of one with a guest, once it is known whether that @ran since it was made of an image, or saved to one. */
void managed_save_settle(Domain *domain, gboolean ran);
