/* agent-info: what a guest agent says of file systems, disks and network interfaces, read once for all who need it. Any
 * of it may be made up by the guest; texts are UTF-8, numbers in range, and that is all.
 */
#pragma once

#include "driver/domain-def.h"

/* A disk of a file system, or a block device. */
typedef struct AgentDisk {
    char *device, *serial, *bus;            /* "/dev/vda1"; NULL: not said */
    gint64 domain, pci_bus, slot, function; /* of its PCI controller */
} AgentDisk;

typedef struct AgentFilesystem {
    char *mountpoint, *name, *type;
    gint64 total, used; /* bytes; -1: not said */
    GPtrArray *disks;   /* of AgentDisk */
} AgentFilesystem;

/* In the order in which they were mounted. NULL with @error where @returned, what guest-get-fsinfo returned, is
 * nothing of the kind. */
GPtrArray *agent_filesystems_read(GVariant *returned, GError **error);
/* The target ("vda") of the disk of @def that it is by its address; NULL: of none. */
const char *agent_disk_target(const AgentDisk *disk, const DomainDef *def);
/* Adds a guest's disk and file systems to libvirt's typed parameters. */
void agent_filesystems_describe(const GPtrArray *all, const DomainDef *def,
                                GVariantBuilder *params);
/* What guest-get-disks returned, added likewise; FALSE with @error. */
gboolean agent_disks_describe(GVariant *returned, const DomainDef *def, GVariantBuilder *params,
                              GError **error);

/* What guest-network-get-interfaces returned, as a(ssa(isu)): see domain-agent.h; floating, NULL with @error. */
GVariant *agent_interfaces_read(GVariant *returned, GError **error);

/* A guest's text, for an error: not too long for a message on the bus, and without control characters. */
char *agent_text_readable(const char *text);

/* Adds one parameter, whose name is made from @format; @value is taken over where floating. */
void agent_param_add(GVariantBuilder *params, GVariant *value, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
