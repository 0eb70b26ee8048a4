/* The half of snapshot-xml that writes. */
#include "driver/snapshot-xml.h"

#include "driver/domain-xml.h"
#include "driver/xml-write.h"

static void
put_location(XmlWriter *out, SnapshotLocation location)
{
    if (location != SNAPSHOT_UNSAID)
        xml_put_attr(out, "snapshot", snapshot_location_words[location]);
}

static void
format_parent(const SnapshotDef *def, XmlWriter *out)
{
    if (!def->parent)
        return;
    xml_open(out, "parent");
    xml_put_element(out, "name", def->parent);
    xml_close(out);
}

static void
format_created(const SnapshotDef *def, XmlWriter *out)
{
    char text[24];

    if (!def->created)
        return;
    g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT, def->created);
    xml_put_element(out, "creationTime", text);
}

static void
format_memory(const SnapshotDef *def, XmlWriter *out)
{
    if (def->memory == SNAPSHOT_UNSAID)
        return;
    xml_open(out, "memory");
    put_location(out, def->memory);
    if (def->memory_file)
        xml_put_attr(out, "file", def->memory_file);
    xml_close(out);
}

static void
format_image(const SnapshotDisk *disk, XmlWriter *out)
{
    static const char *const attrs[] = { "file", "dev" };

    xml_put_attr(out, "type", snapshot_type_words[disk->type]);
    if (disk->format) {
        xml_open(out, "driver");
        xml_put_attr(out, "type", disk->format);
        xml_close(out);
    }
    if (disk->path) {
        xml_open(out, "source");
        xml_put_attr(out, attrs[disk->type], disk->path);
        xml_close(out);
    }
}

static void
format_disks(const SnapshotDef *def, XmlWriter *out)
{
    if (def->disks->len == 0)
        return;
    xml_open(out, "disks");
    for (guint i = 0; i < def->disks->len; i++) {
        const SnapshotDisk *disk = g_ptr_array_index(def->disks, i);

        xml_open(out, "disk");
        xml_put_attr(out, "name", disk->name);
        put_location(out, disk->location);
        if (disk->path || disk->format)
            format_image(disk, out);
        xml_close(out);
    }
    xml_close(out);
}

/* In libvirt's order. */
char *
snapshot_xml_format(const SnapshotDef *def, guint flags)
{
    XmlWriter *out = xml_writer_new();

    xml_open(out, "domainsnapshot");
    xml_put_element(out, "name", def->name);
    xml_put_element(out, "description", def->description);
    if (def->state != SNAPSHOT_NOSTATE)
        xml_put_element(out, "state", snapshot_state_words[def->state]);
    format_parent(def, out);
    format_created(def, out);
    format_memory(def, out);
    format_disks(def, out);
    if (def->domain)
        domain_xml_write(def->domain, out, "domain", -1, flags);
    if (def->inactive)
        domain_xml_write(def->inactive, out, "inactiveDomain", -1, flags);
    xml_close(out);
    return xml_writer_finish(out);
}
