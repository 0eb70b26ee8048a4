/* disk-limits: <iotune>: how many bytes and operations a second a disk may do, and how many more in a burst.
 * The names are those of its elements, of libvirt's parameters, and with other hyphens of the VMM's keys.
 *
 * The two directions together and each of them exclude each other; disks that name the same group share their
 * limits, which are the same in all of them.
 */
#pragma once

#include <glib.h>

struct Device;
struct VmmMsg;
struct XmlWriter;
struct _xmlNode;

/* Rates of bytes and of operations: in both directions, of reads, of writes. The same for bursts, and the seconds
 * that those may last. */
enum {
    DISK_LIMIT_RATE = 0,
    DISK_LIMIT_BURST = 6,
    DISK_LIMIT_SIZE = 12, /* operations of more bytes count as several */
    DISK_LIMIT_LENGTH = 13,
    DISK_N_LIMITS = 19
};

/* libvirt's QEMU driver's. */
#define DISK_LIMIT_MAX G_GUINT64_CONSTANT(1000000000000000)

typedef struct DiskLimits {
    guint64 values[DISK_N_LIMITS]; /* 0: none */
    char *group;                   /* NULL: none */
} DiskLimits;

/* In libvirt's order, in which @group comes behind DISK_LIMIT_SIZE. */
extern const char *const disk_limit_names[DISK_N_LIMITS];

/* Of the element <disk>. */
gboolean disk_limits_parse(DiskLimits *limits, const struct _xmlNode *disk, GError **error);
void disk_limits_format(const DiskLimits *limits, struct XmlWriter *out);
void disk_limits_copy(DiskLimits *to, const DiskLimits *from); /* what @to had is freed */
void disk_limits_clear(DiskLimits *limits);

gboolean disk_limits_any(const DiskLimits *limits);
/* What libvirt refuses in a definition. */
gboolean disk_limits_check(const DiskLimits *limits, GError **error);
/* Which family has both directions together and one of them: "bytes_sec", ...; NULL: none. */
const char *disk_limits_conflict(const DiskLimits *limits);
gboolean disk_limits_equal(const DiskLimits *a, const DiskLimits *b);
/* Where the two groups are the same, the limits must be. */
gboolean disk_limits_agree(const DiskLimits *a, const DiskLimits *b);
/* For the VMM's disk; nothing where there are none, unless @always. */
void disk_limits_put(const DiskLimits *limits, gboolean always, struct VmmMsg *msg);
