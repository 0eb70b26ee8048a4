/* domain-brief: what is known of a definition that rests in its file.
 *
 * Most domains of a host are looked at in lists only, and a parsed definition is many times as large as its file. So
 * a domain keeps it no longer than it is of use, and then this: what lists and statistics tell.
 */
#pragma once

#include "driver/domain-def.h"
#include "driver/image-header.h"

typedef struct DomainFigures {
    guint64 memory_kib, current_memory_kib;
    guint vcpus, current_vcpus;
    gboolean nvram; /* its firmware has a file of variables, of which undefine must know */
} DomainFigures;

typedef struct DomainBrief {
    DomainFigures figures;
    char uuid[DOMAIN_UUID_SIZE];
    const char *words; /* the title and the disks, in few bytes and without a tab or the end of a line */
    char name[];
} DomainBrief;

/* The caller's: g_free(). @words are another brief's. */
DomainBrief *domain_brief_new(const char *uuid, const char *name, const char *words,
                              const DomainFigures *figures);
DomainBrief *domain_brief_of(const DomainDef *def);
/* The caller's; "" where there is none. */
char *domain_brief_title(const DomainBrief *brief);
/* @source is the path, or NULL. */
typedef void (*DomainBriefDisk)(gpointer data, const char *target, const char *source,
                                ImageFormat format);
guint domain_brief_count_disks(const DomainBrief *brief);
void domain_brief_visit_disks(const DomainBrief *brief, DomainBriefDisk visit, gpointer data);
DomainFigures domain_def_figures(const DomainDef *def);

/* The definition, from its file; one that cannot be read, or is another's, is an error that names it. */
DomainDef *domain_brief_read(const DomainBrief *brief, const char *config_dir, GError **error);
/* No more of a definition than is known here, for who only reads. */
DomainDef *domain_brief_stand_in(const DomainBrief *brief);
