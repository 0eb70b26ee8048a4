/* managed-save: the image that a domain starts from, STATE_DIR/save/UUID.save.
 *
 * A domain that runs has none: what it does would make the image a past that its disks have not. So an image is
 * set aside, as UUID.save.used, before the guest that was made of it runs on, and one that is found beside a guest
 * that has run is removed; what is found beside one that has not is all that there is of it.
 */
#pragma once

#include "driver/domain-private.h"

/* Where it is, or would be. For g_free(). */
char *managed_save_path(const Domain *domain);
/* The same, with the directory made. */
char *managed_save_path_for_writing(const Domain *domain, GError **error);
/* After an error it is there as before. */
gboolean managed_save_remove(Domain *domain, GError **error);

/* Before the guest runs on, or whatever else will do without it; when it does; where it could not. */
gboolean managed_save_set_aside(Domain *domain, GError **error);
void managed_save_drop(Domain *domain);
void managed_save_take_back(Domain *domain);

/* Finds the images of the domains that there are, and clears away what a daemon that was killed left: of domains without a
 * guest. */
void managed_save_scan(DomainHost *host);
/* Of one with a guest, once it is known whether that @ran since it was made of an image, or saved to one. */
void managed_save_settle(Domain *domain, gboolean ran);
