/* sysinfo: <sysinfo> of the domain document: what firmware says of the machine to people (SMBIOS), and files
 * that it hands to what runs in the guest.
 */
#pragma once

#include <glib.h>

struct VmmMsg;

typedef enum SysinfoMode {
    SYSINFO_MODE_NONE, /* not said: the machine's own words, as with ... */
    SYSINFO_MODE_EMULATE,
    SYSINFO_MODE_HOST,    /* the host's */
    SYSINFO_MODE_SYSINFO, /* those of the document */
} SysinfoMode;

#define SYSINFO_TEXTS_MAX 8 /* in a block */
#define SYSINFO_N_BLOCKS  4
#define SYSINFO_OEM_MAX   64
#define SYSINFO_FILES_MAX 16

/* An element of <sysinfo type='smbios'>, and the names of its entries. */
typedef struct SysinfoBlock {
    const char *element;
    const char *key; /* to the VMM, in whose keys there are no capitals */
    const struct {
        const char *name;
        const char *host; /* the file in the host's sysfs; NULL: none */
    } entries[SYSINFO_TEXTS_MAX];
} SysinfoBlock;

extern const SysinfoBlock sysinfo_blocks[SYSINFO_N_BLOCKS];

typedef struct SysinfoFile {
    char *name;
    char *value, *path; /* one of them */
} SysinfoFile;

typedef struct Sysinfo {
    gboolean has_smbios, has_fwcfg;
    gboolean fwcfg_first; /* in the document */
    char *texts[SYSINFO_N_BLOCKS][SYSINFO_TEXTS_MAX];
    GPtrArray *oem;   /* of texts */
    GPtrArray *files; /* of SysinfoFile */
} Sysinfo;

void sysinfo_init(Sysinfo *sysinfo);
void sysinfo_clear(Sysinfo *sysinfo);
/* Gives @sysinfo, a plain copy of another one, contents of its own. */
void sysinfo_own(Sysinfo *sysinfo);

/* The <system>'s uuid, or NULL. */
const char *sysinfo_uuid(const Sysinfo *sysinfo);

/* @uuid is the domain's, "" where it has none yet. */
gboolean sysinfo_check(const Sysinfo *sysinfo, int mode, const char *domain_name, const char *uuid,
                       gboolean has_firmware, GError **error);
/* What the host's firmware says, into @ret, which is empty; what this user may not read, such as serial numbers, is
 * left out. FALSE: there is nothing. */
gboolean sysinfo_read_host(Sysinfo *ret);

/* Tells firmware, in a "create". */
gboolean sysinfo_put(const Sysinfo *sysinfo, int mode, struct VmmMsg *create, GError **error);

extern const char *const sysinfo_mode_words[]; /* the first is none's */
extern const char *const sysinfo_type_words[];
