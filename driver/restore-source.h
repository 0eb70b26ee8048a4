/* restore-source: an image that a guest can be made of, and what is asked of images without one: virDomainSaveImage*.
 *
 * A simulated guest's is a test-image.h, any other one a save-image.h.
 */
#pragma once

#include "driver/domain.h"
#include "driver/domain-def.h"
#include "driver/env.h"

typedef struct RestoreSource {
    DomainDef *def; /* as it will run */
    int fd;         /* stands where the VMM's stream begins */
    gboolean running;
} RestoreSource;
void restore_source_clear(RestoreSource *source);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RestoreSource, restore_source_clear)

/* Opens @image, with @xml for its document where it is not NULL. @flags: VIR_DOMAIN_SAVE_RUNNING and
 * _PAUSED. @ret_torn, which may be NULL: it was never finished, and there is nothing in it to lose. */
gboolean restore_source_open(const DriverEnv *env, const SavedImage *image, const char *xml, guint flags,
                             RestoreSource *ret, gboolean *ret_torn, GError **error);
/* That a caller may give another document than the image's. */
gboolean restore_source_check_xml(const DriverEnv *env, const char *xml, GError **error);

/* The document of @image; @flags: VIR_DOMAIN_SAVE_IMAGE_XML_SECURE. For g_free(). */
char *restore_image_xml(const DriverEnv *env, const SavedImage *image, guint flags, GError **error);
/* Another document, @flags as in restore_source_open(). */
gboolean restore_image_define(const DriverEnv *env, const SavedImage *image, const char *xml, guint flags,
                              GError **error);
