#include "driver/snapshot-xml.h"

#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/xml-limits.h"
#include "driver/xml-read.h"
#include "driver/xml-validate.h"

#include <string.h>

#define ORIGIN    "(domain_snapshot)" /* what libvirt calls such a document */
#define DISKS_MAX 1024                /* far more than any machine has room for */

/* Words */

static gboolean
parse_location(const XmlNode *node, SnapshotLocation *ret, GError **error)
{
    int word = SNAPSHOT_UNSAID;

    if (!xml_attr_word(node, "snapshot", XML_OPTIONAL, snapshot_location_words + 1, &word, error))
        return FALSE;
    if (xml_has_attr(node, "snapshot"))
        *ret = word + 1;
    return TRUE;
}

static gboolean
fail_unsupported(GError **error, const char *kind, const char *name)
{
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "%s of a disk's snapshot is not supported yet by this machine: '%s'", kind,
                        name);
}

/* A disk */

static gboolean
parse_type(SnapshotDisk *disk, const XmlNode *node, GError **error)
{
    /* What libvirt has no snapshots on, and what it has and this machine has no disks on. */
    static const char *const never[] = { "dir", "volume", NULL };
    static const char *const other[] = { "network", "nvme", "vhostuser", "vhostvdpa", NULL };
    g_autofree char *type = xml_attr(node, "type");

    if (type && g_strv_contains(never, type))
        return driver_error(error, VIR_ERR_XML_ERROR, "unsupported disk snapshot type '%s'", type);
    if (type && g_strv_contains(other, type))
        return fail_unsupported(error, "the type", type);
    return xml_attr_word(node, "type", XML_OPTIONAL, snapshot_type_words, &disk->type, error);
}

static gboolean
parse_source(SnapshotDisk *disk, const XmlNode *node, GError **error)
{
    static const char *const attrs[] = { "file", "dev" };
    const XmlNode *source = xml_child(node, "source");

    if (!source)
        return TRUE;
    if (xml_first(source))
        return fail_unsupported(error, "an element in <source>", xml_name(xml_first(source)));
    disk->path = xml_attr(source, attrs[disk->type]);
    if (disk->path && !*disk->path)
        g_clear_pointer(&disk->path, g_free);
    return TRUE;
}

static gboolean
parse_driver(SnapshotDisk *disk, const XmlNode *node, GError **error)
{
    static const char *const formats[] = {
        "raw", "dir",   "bochs", "cloop", "dmg",   "iso", "vpc",  "vdi", "fat",
        "vhd", "ploop", "cow",   "qcow",  "qcow2", "qed", "vmdk", NULL,
    };
    const XmlNode *driver = xml_child(node, "driver");

    if (!driver)
        return TRUE;
    if (xml_first(driver))
        return fail_unsupported(error, "an element in <driver>", xml_name(xml_first(driver)));
    disk->format = xml_attr(driver, "type");
    return !disk->format || g_strv_contains(formats, disk->format) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown disk snapshot driver '%s'",
                        disk->format);
}

static gboolean
parse_disk(SnapshotDisk *disk, const XmlNode *node, GError **error)
{
    disk->name = xml_attr(node, "name");
    if (!disk->name)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "missing name from disk snapshot element");
    if (!parse_location(node, &disk->location, error) || !parse_type(disk, node, error) ||
        !parse_source(disk, node, error) || !parse_driver(disk, node, error))
        return FALSE;
    if (disk->path && *disk->path != '/')
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "disk snapshot image path '%s' must be absolute", disk->path);
    if (disk->location == SNAPSHOT_UNSAID && (disk->path || disk->format))
        disk->location = SNAPSHOT_EXTERNAL;
    return TRUE;
}

static gboolean
parse_disks(SnapshotDef *def, const XmlNode *root, GError **error)
{
    const XmlNode *disks = xml_child(root, "disks");
    const XmlNode *node = disks ? xml_first(disks) : NULL;

    for (; node; node = xml_next(node)) {
        SnapshotDisk *disk = snapshot_disk_new(NULL);

        g_ptr_array_add(def->disks, disk);
        if (def->disks->len > DISKS_MAX)
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "more than %d disks", DISKS_MAX);
        if (!parse_disk(disk, node, error))
            return FALSE;
    }
    return TRUE;
}

/* The memory */

static gboolean
is_offline(const SnapshotDef *def)
{
    return def->state == SNAPSHOT_SHUTOFF || def->state == SNAPSHOT_DISK_ONLY;
}

/* Of one that there is, it can be told from the state. */
static void
complete_memory(SnapshotDef *def, gboolean redefine)
{
    if (def->memory != SNAPSHOT_UNSAID)
        return;
    if (def->memory_file)
        def->memory = SNAPSHOT_EXTERNAL;
    else if (redefine)
        def->memory = is_offline(def) ? SNAPSHOT_NO : SNAPSHOT_INTERNAL;
}

static gboolean
check_memory(const SnapshotDef *def, GError **error)
{
    const char *file = def->memory_file;

    if (file && def->memory != SNAPSHOT_EXTERNAL)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "memory filename '%s' requires external snapshot", file);
    if (!file && def->memory == SNAPSHOT_EXTERNAL)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "external memory snapshots require a filename");
    if (is_offline(def) && def->memory != SNAPSHOT_UNSAID && def->memory != SNAPSHOT_NO)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "memory state cannot be saved with offline or disk-only snapshot");
    if (file && *file != '/')
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "memory snapshot file path (%s) must be absolute", file);
    return TRUE;
}

static gboolean
parse_memory(SnapshotDef *def, const XmlNode *root, gboolean redefine, GError **error)
{
    const XmlNode *node = xml_child(root, "memory");

    if (node) {
        def->memory_file = xml_attr(node, "file");
        if (!parse_location(node, &def->memory, error))
            return FALSE;
        if (def->memory == SNAPSHOT_MANUAL)
            return driver_error(error, VIR_ERR_XML_ERROR,
                                "'manual' memory snapshot mode not supported");
    }
    complete_memory(def, redefine);
    return check_memory(def, error);
}

/* What one that there is has to say */

static gboolean
parse_created(SnapshotDef *def, const XmlNode *root, GError **error)
{
    g_autofree char *text = xml_child_text(root, "creationTime");

    return (text &&
            g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &def->created, NULL)) ||
           driver_error(error, VIR_ERR_INTERNAL_ERROR,
                        "missing creationTime from existing snapshot");
}

static gboolean
parse_state(SnapshotDef *def, const XmlNode *root, GError **error)
{
    g_autofree char *text = xml_child_text(root, "state");

    if (!text)
        return driver_error(error, VIR_ERR_XML_ERROR, "missing state from existing snapshot");
    for (int i = SNAPSHOT_NOSTATE + 1; snapshot_state_words[i]; i++) {
        if (strcmp(snapshot_state_words[i], text) == 0)
            def->state = i;
    }
    return def->state || driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                      "Invalid state '%s' in domain snapshot XML", text);
}

/* One without a type has no more than the uuid: so it was long ago. */
static gboolean
parse_domains(SnapshotDef *def, const XmlNode *root, GError **error)
{
    const XmlNode *domain = xml_child(root, "domain");
    const XmlNode *inactive = xml_child(root, "inactiveDomain");

    if (domain && xml_has_attr(domain, "type") &&
        !(def->domain = domain_xml_parse_node(domain, error)))
        return FALSE;
    return !inactive || (def->inactive = domain_xml_parse_node(inactive, error));
}

static gboolean
parse_existing(SnapshotDef *def, const XmlNode *root, GError **error)
{
    const XmlNode *parent = xml_child(root, "parent");

    if (!parse_created(def, root, error))
        return FALSE;
    def->parent = parent ? xml_child_text(parent, "name") : NULL;
    return parse_state(def, root, error) && parse_domains(def, root, error);
}

static gboolean
parse_root(SnapshotDef *def, const XmlNode *root, gboolean redefine, GError **error)
{
    def->name = xml_child_text(root, "name");
    def->description = xml_child_text(root, "description");
    if (redefine && !def->name)
        return driver_error(error, VIR_ERR_XML_ERROR, "a redefined snapshot must have a name");
    if (redefine && !parse_existing(def, root, error))
        return FALSE;
    if (!redefine)
        def->created = g_get_real_time() / G_USEC_PER_SEC;
    if (!def->name)
        def->name = g_strdup_printf("%" G_GINT64_FORMAT, def->created);
    return parse_memory(def, root, redefine, error) && parse_disks(def, root, error);
}

SnapshotDef *
snapshot_xml_parse(const char *xml, gboolean redefine, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, ORIGIN, "domainsnapshot", error);
    g_autoptr(SnapshotDef) def = snapshot_def_new();

    if (!doc || !parse_root(def, xml_doc_root(doc), redefine, error))
        return NULL;
    return g_steal_pointer(&def);
}

gboolean
snapshot_xml_validate(const char *xml, const char *schema, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, ORIGIN, "domainsnapshot", error);

    return doc && xml_validate(doc, schema, error);
}

gboolean
snapshot_xml_check_written(const SnapshotDef *def, GError **error)
{
    g_autofree char *xml = snapshot_xml_format(def, DOMAIN_FORMAT_SECURE);
    XmlExcess excess;

    return xml_limits_check(xml, &excess) ||
           driver_error(error, VIR_ERR_XML_ERROR, "%s", excess.what);
}
