/* restore: a guest that was saved goes on (virDomainRestore, and the start of a domain with a managed save). And
 * what an image says, and may be made to say instead.
 */
#pragma once

#include "driver/verb.h"

/* An image, opened: what a guest can be made of. */
typedef struct RestoreSource {
    DomainDef *def; /* as it will run */
    int fd;         /* stands where the VMM's stream begins */
    gboolean running;
} RestoreSource;
void restore_source_clear(RestoreSource *source);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RestoreSource, restore_source_clear)

/* Opens the image @path, with @xml for its document where it is not NULL. @flags: VIR_DOMAIN_SAVE_RUNNING and
 * _PAUSED. */
gboolean restore_open(const char *path, const char *xml, guint flags, RestoreSource *ret,
                      GError **error);
/* virDomainRestoreFlags: starts @domain, which does not run, of @source, which it takes over. */
void restore_domain(Domain *domain, RestoreSource *source, guint flags, DomainDone done,
                    gpointer data);
/* The start of a domain, which is not active: FALSE where it is to boot instead; else it sees to @verb. */
gboolean restore_managed(Verb *verb);

/* The document of the image @path; @flags: VIR_DOMAIN_SAVE_IMAGE_XML_SECURE. For g_free(). */
char *restore_image_xml(const char *path, guint flags, GError **error);
/* Another document, @flags as in restore_open(). */
gboolean restore_image_define(const char *path, const char *xml, guint flags, GError **error);
