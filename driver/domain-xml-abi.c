#include "driver/domain-xml-abi.h"

#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/xml-read.h"

#include <string.h>

/* What a guest cannot see, as paths in its document: an element with all in it, or an attribute. Everything else
 * must be the same, also what is yet to be invented. */
static const char *const unseen[] = {
    "domain/name",
    "domain/title",
    "domain/description",
    "domain/metadata",
    "domain/memoryBacking",
    "domain/memtune",
    "domain/blkiotune",
    "domain/cputune",
    "domain/numatune",
    "domain/resource",
    "domain/iothreads",
    "domain/iothreadids",
    "domain/defaultiothread",
    "domain/os/kernel",
    "domain/os/initrd",
    "domain/os/cmdline",
    "domain/os/loader",
    "domain/os/nvram",
    "domain/on_poweroff",
    "domain/on_reboot",
    "domain/on_crash",
    "domain/on_lockfailure",
    "domain/seclabel",
    "domain/devices/emulator",
    "domain/devices/disk/@type",
    "domain/devices/disk/source",
    "domain/devices/interface/@type",
    "domain/devices/interface/source",
    "domain/devices/serial/@type",
    "domain/devices/serial/source",
    "domain/devices/console/@type",
    "domain/devices/console/source",
    "domain/devices/channel/@type",
    "domain/devices/channel/source",
    "domain/devices/console/@tty",
    "domain/devices/serial/protocol",
    "domain/devices/serial/log",
    "domain/devices/console/protocol",
    "domain/devices/console/log",
    "domain/devices/channel/protocol",
    "domain/devices/channel/log",
    "domain/devices/interface/backend",
    "domain/devices/rng/backend",
    "domain/devices/disk/driver/@type",
    "domain/devices/disk/driver/@cache",
    "domain/devices/disk/driver/@io",
    "domain/devices/disk/driver/@error_policy",
    "domain/devices/disk/driver/@rerror_policy",
    "domain/devices/disk/driver/@iothread",
    "domain/devices/disk/backingStore",
    "domain/devices/disk/iotune",
    "domain/devices/interface/target",
    "domain/devices/interface/script",
    "domain/devices/interface/bandwidth",
    "domain/devices/interface/link",
    "domain/devices/interface/ip",
    "domain/devices/interface/portForward",
    "domain/devices/interface/driver/@name",
    "domain/devices/rng/rate",
    "domain/devices/memballoon/stats",
    "domain/devices/watchdog/@action",
};

/* One comparison: two places in two documents, under the same path. */
typedef struct Place {
    const XmlNode *from, *to;
    const char *path;
} Place;

static gboolean
is_unseen(const char *path)
{
    for (gsize i = 0; i < G_N_ELEMENTS(unseen); i++) {
        if (strcmp(unseen[i], path) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
differs(const char *path, const char *from, const char *to, GError **error)
{
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "Target domain %s %s does not match source %s",
                        strchr(path, '/') ? strchr(path, '/') + 1 : path, to ? to : "(none)",
                        from ? from : "(none)");
}

/* Attributes of one side, which the other must have as well. */
typedef struct AttrCheck {
    const Place *place;
    const XmlNode *other;
    gboolean swapped; /* it is @to's that are visited */
    GError **error;
} AttrCheck;

static gboolean
check_attr(gpointer data, const char *name, const char *value)
{
    const AttrCheck *check = data;
    g_autofree char *path = g_strconcat(check->place->path, "/@", name, NULL);
    g_autofree char *other = xml_attr(check->other, name);

    if (is_unseen(path) || g_strcmp0(other, value) == 0)
        return TRUE;
    return differs(path, check->swapped ? other : value, check->swapped ? value : other,
                   check->error);
}

static gboolean
check_attrs(const Place *place, GError **error)
{
    AttrCheck there = { place, place->to, FALSE, error };
    AttrCheck back = { place, place->from, TRUE, error };

    return xml_visit_attrs(place->from, check_attr, &there) &&
           xml_visit_attrs(place->to, check_attr, &back);
}

/* The first of @node and its siblings after it that a guest can see something of. */
static const XmlNode *
next_seen(const XmlNode *node, const char *parent)
{
    for (; node; node = xml_next(node)) {
        g_autofree char *path = g_strconcat(parent, "/", xml_name(node), NULL);

        if (!is_unseen(path))
            return node;
    }
    return NULL;
}

static gboolean
check_text(const Place *place, GError **error)
{
    g_autofree char *from = NULL, *to = NULL;

    if (xml_first(place->from) || xml_first(place->to))
        return TRUE;
    from = xml_text(place->from);
    to = xml_text(place->to);
    return strcmp(from, to) == 0 || differs(place->path, from, to, error);
}

static gboolean check(const Place *place, GError **error);

static gboolean
check_pair(const Place *parent, const XmlNode *from, const XmlNode *to, GError **error)
{
    const char *from_name = from ? xml_name(from) : NULL, *to_name = to ? xml_name(to) : NULL;
    g_autofree char *path = g_strconcat(parent->path, "/", from_name ? from_name : to_name, NULL);
    const Place place = { from, to, path };

    if (g_strcmp0(from_name, to_name) != 0)
        return differs(parent->path, from_name, to_name, error);
    return check(&place, error);
}

static gboolean
check(const Place *place, GError **error)
{
    const XmlNode *from = next_seen(xml_first(place->from), place->path);
    const XmlNode *to = next_seen(xml_first(place->to), place->path);

    if (!check_attrs(place, error) || !check_text(place, error))
        return FALSE;
    while (from || to) {
        if (!check_pair(place, from, to, error))
            return FALSE;
        from = next_seen(xml_next(from), place->path);
        to = next_seen(xml_next(to), place->path);
    }
    return TRUE;
}

/* What people get wrong, in libvirt's words for it. */
static gboolean
check_numbers(const DomainDef *from, const DomainDef *to, GError **error)
{
    if (strcmp(from->uuid, to->uuid) != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Target domain uuid %s does not match source %s", to->uuid, from->uuid);
    if (from->memory_kib != to->memory_kib)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Target domain max memory %" G_GUINT64_FORMAT
                            " does not match source %" G_GUINT64_FORMAT,
                            to->memory_kib, from->memory_kib);
    if (from->vcpus != to->vcpus)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Target domain vCPU max %u does not match source %u", to->vcpus,
                            from->vcpus);
    return TRUE;
}

static guint
count(const DomainDef *def, const DeviceKind *kind)
{
    guint n = 0;

    for (guint i = 0; i < def->devices->len; i++)
        n += ((const Device *)g_ptr_array_index(def->devices, i))->kind == kind;
    return n;
}

static gboolean
check_counts(const DomainDef *from, const DomainDef *to, GError **error)
{
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++) {
        guint have = count(from, *kind), want = count(to, *kind);

        if (have != want)
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                "Target domain %s count %u does not match source %u",
                                (*kind)->element, want, have);
    }
    return TRUE;
}

static gboolean
check_documents(const DomainDef *from, const DomainDef *to, GError **error)
{
    g_autofree char *from_xml = domain_xml_format(from, -1, DOMAIN_FORMAT_SECURE);
    g_autofree char *to_xml = domain_xml_format(to, -1, DOMAIN_FORMAT_SECURE);
    g_autoptr(XmlDoc) from_doc = xml_doc_parse(from_xml, "(domain_definition)", "domain", error);
    g_autoptr(XmlDoc) to_doc =
        from_doc ? xml_doc_parse(to_xml, "(domain_definition)", "domain", error) : NULL;
    Place place = { NULL, NULL, "domain" };

    if (!to_doc)
        return FALSE;
    place.from = xml_doc_root(from_doc);
    place.to = xml_doc_root(to_doc);
    return check(&place, error);
}

/* The devices are in the same order, because they are the same devices. */
static void
carry_aliases(const DomainDef *from, DomainDef *to)
{
    for (guint i = 0; i < to->devices->len; i++) {
        const Device *old = g_ptr_array_index(from->devices, i);
        Device *new = g_ptr_array_index(to->devices, i);

        g_free(new->alias);
        new->alias = g_strdup(old->alias);
    }
}

gboolean
domain_xml_carry_over(const DomainDef *from, DomainDef *to, GError **error)
{
    if (!check_numbers(from, to, error) || !check_counts(from, to, error) ||
        !check_documents(from, to, error))
        return FALSE;
    carry_aliases(from, to);
    return TRUE;
}
