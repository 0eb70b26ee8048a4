/* domain-memory: what a guest's RAM is made of on the host: <memoryBacking>; and how sizes are written. */
#pragma once

#include <glib.h>

struct DriverEnv;
struct VmmMsg;
struct XmlWriter;
struct _xmlNode;

typedef enum DomainMemorySource {
    DOMAIN_MEMORY_FILE, /* of the host's, without a name */
    DOMAIN_MEMORY_ANONYMOUS,
    DOMAIN_MEMORY_MEMFD,
} DomainMemorySource;

/* Numbers that are -1 were not said. */
typedef struct DomainMemory {
    gboolean backed; /* there is a <memoryBacking> to format again */
    gboolean hugepages;
    guint64 page_kib; /* 0: what the host uses for huge pages */
    gboolean nosharepages, locked, discard;
    int source;     /* DomainMemorySource */
    int access;     /* 0 shared, 1 private */
    int allocation; /* 0 immediate, 1 ondemand */
    guint threads;  /* of an immediate allocation; 0: not said */
} DomainMemory;

/* The child @name of @root, a size with a unit, in KiB, rounded up. A missing or empty element leaves
 * @ret_kib as it is. */
gboolean domain_memory_parse_size(const struct _xmlNode *root, const char *name, guint64 *ret_kib,
                                  GError **error);

void domain_memory_init(DomainMemory *memory);
/* The <memoryBacking> child of @root, if there is one. */
gboolean domain_memory_parse(DomainMemory *memory, const struct _xmlNode *root, GError **error);
/* For a guest of @kib. */
gboolean domain_memory_check(const DomainMemory *memory, guint64 kib, GError **error);
void domain_memory_format(const DomainMemory *memory, struct XmlWriter *out);

/* Opens what RAM of @kib is made of, in @dir where that takes a file, and puts the keys of "create" about
 * memory into @msg. */
gboolean domain_memory_lower(const DomainMemory *memory, guint64 kib, const char *dir,
                             struct VmmMsg *msg, GError **error);
/* The locked memory that the process of a guest of @kib must be allowed, in bytes; 0: none. */
guint64 domain_memory_locked(const DomainMemory *memory, guint64 kib);
