#include "driver/domain-xml-sysinfo.h"

#include "driver/error.h"
#include "driver/uuid.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <string.h>

#define FWCFG 1 /* in sysinfo_type_words */

/* Calls @take for each <entry> of @node. */
static void
each_entry(const XmlNode *node, void (*take)(const XmlNode *entry, gpointer data), gpointer data)
{
    for (const XmlNode *child = node ? xml_first(node) : NULL; child; child = xml_next(child)) {
        if (!xml_namespace(child) && strcmp(xml_name(child), "entry") == 0)
            take(child, data);
    }
}

typedef struct BlockTexts {
    const SysinfoBlock *block;
    char **texts;
} BlockTexts;

/* The first of a name counts, and those of no name that is known do not, as in libvirt. */
static void
take_text(const XmlNode *entry, gpointer data)
{
    const BlockTexts *to = data;
    g_autofree char *name = xml_attr(entry, "name");
    g_autofree char *text = xml_text(entry);

    for (int i = 0; i < SYSINFO_TEXTS_MAX && to->block->entries[i].name; i++) {
        if (g_strcmp0(name, to->block->entries[i].name) == 0 && !to->texts[i] && *text)
            to->texts[i] = g_steal_pointer(&text);
    }
}

static void
take_oem(const XmlNode *entry, gpointer data)
{
    g_ptr_array_add(data, xml_text(entry));
}

static void
take_file(const XmlNode *entry, gpointer data)
{
    SysinfoFile *file = g_new0(SysinfoFile, 1);

    file->name = xml_attr(entry, "name");
    file->path = xml_attr(entry, "file");
    if (!file->path)
        file->value = xml_text(entry);
    if (file->value && !*file->value)
        g_clear_pointer(&file->value, g_free);
    g_ptr_array_add(data, file);
}

static void
parse_smbios(Sysinfo *sysinfo, const XmlNode *node)
{
    for (int i = 0; i < SYSINFO_N_BLOCKS; i++) {
        BlockTexts to = { &sysinfo_blocks[i], sysinfo->texts[i] };

        each_entry(xml_child(node, sysinfo_blocks[i].element), take_text, &to);
    }
    each_entry(xml_child(node, "oemStrings"), take_oem, sysinfo->oem);
}

static gboolean
parse_one(Sysinfo *sysinfo, const XmlNode *node, GError **error)
{
    int type = 0;
    gboolean *has;

    if (!xml_attr_word(node, "type", XML_REQUIRED, sysinfo_type_words, &type, error))
        return FALSE;
    has = type == FWCFG ? &sysinfo->has_fwcfg : &sysinfo->has_smbios;
    if (*has)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "a second <sysinfo type='%s'> is not supported by this machine",
                            sysinfo_type_words[type]);
    *has = TRUE;
    if (type == FWCFG) {
        sysinfo->fwcfg_first = !sysinfo->has_smbios;
        each_entry(node, take_file, sysinfo->files);
    } else {
        parse_smbios(sysinfo, node);
    }
    return TRUE;
}

gboolean
domain_xml_parse_sysinfo(Sysinfo *sysinfo, const XmlNode *root, GError **error)
{
    for (const XmlNode *child = xml_first(root); child; child = xml_next(child)) {
        if (!xml_namespace(child) && strcmp(xml_name(child), "sysinfo") == 0 &&
            !parse_one(sysinfo, child, error))
            return FALSE;
    }
    return TRUE;
}

static void
format_entry(XmlWriter *out, const char *name, const char *text)
{
    xml_open(out, "entry");
    if (name)
        xml_put_attr(out, "name", name);
    xml_put_text(out, text);
    xml_close(out);
}

static void
format_block(const SysinfoBlock *block, char *const *texts, XmlWriter *out)
{
    gboolean open = FALSE;

    for (int i = 0; i < SYSINFO_TEXTS_MAX; i++) {
        if (!texts[i])
            continue;
        if (!open)
            xml_open(out, block->element);
        open = TRUE;
        format_entry(out, block->entries[i].name, texts[i]);
    }
    if (open)
        xml_close(out);
}

static void
format_smbios(const Sysinfo *sysinfo, XmlWriter *out)
{
    xml_open(out, "sysinfo");
    xml_put_attr(out, "type", "smbios");
    for (int i = 0; i < SYSINFO_N_BLOCKS; i++)
        format_block(&sysinfo_blocks[i], sysinfo->texts[i], out);
    if (sysinfo->oem->len > 0)
        xml_open(out, "oemStrings");
    for (guint i = 0; i < sysinfo->oem->len; i++)
        format_entry(out, NULL, g_ptr_array_index(sysinfo->oem, i));
    if (sysinfo->oem->len > 0)
        xml_close(out);
    xml_close(out);
}

static void
format_files(const GPtrArray *files, XmlWriter *out)
{
    xml_open(out, "sysinfo");
    xml_put_attr(out, "type", "fwcfg");
    for (guint i = 0; i < files->len; i++) {
        const SysinfoFile *file = g_ptr_array_index(files, i);

        xml_open(out, "entry");
        xml_put_attr(out, "name", file->name);
        if (file->path)
            xml_put_attr(out, "file", file->path);
        else
            xml_put_text(out, file->value);
        xml_close(out);
    }
    xml_close(out);
}

void
domain_xml_format_sysinfo(const Sysinfo *sysinfo, XmlWriter *out)
{
    if (sysinfo->has_fwcfg && sysinfo->fwcfg_first)
        format_files(sysinfo->files, out);
    if (sysinfo->has_smbios)
        format_smbios(sysinfo, out);
    if (sysinfo->has_fwcfg && !sysinfo->fwcfg_first)
        format_files(sysinfo->files, out);
}

char *
domain_xml_sysinfo(const Sysinfo *sysinfo)
{
    XmlWriter *out = xml_writer_new();

    domain_xml_format_sysinfo(sysinfo, out);
    return xml_writer_finish(out);
}
