#include "driver/domain-xml.h"

#include "driver/domain-xml-os.h"
#include "driver/domain-xml-sysinfo.h"
#include "driver/error.h"
#include "driver/uuid.h"
#include "driver/xml-limits.h"
#include "driver/xml-metadata.h"
#include "driver/xml-policy.h"
#include "driver/xml-read.h"
#include "driver/xml-validate.h"

#include <string.h>

#define ORIGIN        "(domain_definition)" /* what libvirt calls a document that came as text */
#define WRITTEN_SPARE (256u << 10) /* bytes: live, each device gets an alias and perhaps a path */
#define DEVICES_MAX   1024         /* far more than any machine has room for */

/* Parsing. The policy table has refused what this machine cannot do; values that nobody knows are
 * refused here, in libvirt's words. */

static gboolean
parse_type(DomainDef *def, const XmlNode *root, GError **error)
{
    g_autofree char *own = NULL;
    const char *type = xml_peek_attr(root, "type", &own);

    if (!type)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "missing domain type attribute");
    for (int i = 0; domain_virt_words[i]; i++) {
        if (strcmp(domain_virt_words[i], type) == 0) {
            domain_def_set_virt(def, i);
            return TRUE;
        }
    }
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "invalid domain type %s", type);
}

static gboolean
parse_identity(DomainDef *def, const XmlNode *root, GError **error)
{
    g_autofree char *own = NULL;
    const char *uuid = xml_peek_child_text(root, "uuid", &own);

    def->name = xml_child_text(root, "name");
    if (!domain_def_check_name(def->name, error))
        return FALSE;
    if (uuid && !uuid_parse(uuid, def->uuid))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "malformed uuid element");
    def->title = xml_child_text(root, "title");
    if (def->title && strchr(def->title, '\n'))
        return driver_error(error, VIR_ERR_XML_ERROR, "Domain title can't contain newlines");
    def->description = xml_child_text(root, "description");
    return xml_metadata(root, &def->metadata, error);
}

static gboolean
parse_memory(DomainDef *def, const XmlNode *root, GError **error)
{
    return domain_memory_parse_size(root, "memory", &def->memory_kib, error) &&
           domain_memory_parse_size(root, "currentMemory", &def->current_memory_kib, error) &&
           domain_memory_parse(&def->backing, root, error);
}

static gboolean
parse_vcpu(DomainDef *def, const XmlNode *root, GError **error)
{
    static const char *const placements[] = { "static", NULL };
    const XmlNode *node = xml_child(root, "vcpu");
    g_autofree char *own = NULL;
    const char *text = node ? xml_peek_text(node, &own) : NULL;
    guint64 n;
    int placement;

    if (!node)
        return TRUE;
    if (!xml_parse_uint64(text, &n) || n > G_MAXUINT)
        return driver_error(error, VIR_ERR_XML_ERROR, "maximum vcpus count must be an integer");
    def->vcpus = def->current_vcpus = n;
    return xml_attr_uint(node, "current", XML_OPTIONAL, &def->current_vcpus, error) &&
           xml_attr_word(node, "placement", XML_OPTIONAL, placements, &placement, error);
}

static gboolean
parse_action(const XmlNode *root, const char *name, DomainAction *ret, GError **error)
{
    g_autofree char *own = NULL;
    const char *text = xml_peek_child_text(root, name, &own);

    if (!text)
        return TRUE;
    for (int i = 0; domain_action_words[i]; i++) {
        if (strcmp(domain_action_words[i], text) == 0) {
            *ret = i;
            return TRUE;
        }
    }
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown %s action: %s", name, text);
}

static gboolean
parse_actions(DomainDef *def, const XmlNode *root, GError **error)
{
    return parse_action(root, "on_poweroff", &def->on_poweroff, error) &&
           parse_action(root, "on_reboot", &def->on_reboot, error) &&
           parse_action(root, "on_crash", &def->on_crash, error);
}

static gboolean
parse_seclabel(DomainDef *def, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "seclabel");
    g_autofree char *own = NULL;
    const char *type = node ? xml_peek_attr(node, "type", &own) : NULL;

    if (!node)
        return TRUE;
    if (!type)
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "element <seclabel> without type='none' is not supported yet by this machine");
    if (strcmp(type, "none") != 0)
        return driver_error(error, VIR_ERR_XML_ERROR, "invalid security type '%s'", type);
    def->no_seclabel = TRUE;
    return TRUE;
}

static gboolean
parse_device(DomainDef *def, const XmlNode *node, guint flags, GError **error)
{
    const DeviceKind *kind = device_kind_find(node);
    Device *dev;

    if (!kind) /* <emulator>, or nothing that libvirt knows */
        return TRUE;
    if (def->devices->len >= DEVICES_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "more than %d devices", DEVICES_MAX);
    dev = device_new(kind);
    g_ptr_array_add(def->devices, dev);
    return kind->parse(dev, node, flags, error);
}

static gboolean
parse_devices(DomainDef *def, const XmlNode *root, guint flags, GError **error)
{
    const XmlNode *devices = xml_child(root, "devices");
    const XmlNode *node = devices ? xml_first(devices) : NULL;

    def->emulator = devices ? xml_child_text(devices, "emulator") : NULL;
    for (; node; node = xml_next(node)) {
        if (!parse_device(def, node, flags, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
parse_root(DomainDef *def, const XmlNode *root, guint flags, GError **error)
{
    return xml_policy_check(root, error) && parse_type(def, root, error) &&
           parse_identity(def, root, error) && parse_memory(def, root, error) &&
           parse_vcpu(def, root, error) && domain_iothreads_parse(&def->iothreads, root, error) &&
           domain_tune_parse(&def->tune, root, error) &&
           domain_numatune_parse(&def->numatune, root, error) &&
           domain_xml_parse_sysinfo(&def->sysinfo, root, error) &&
           domain_xml_parse_os(&def->os, root, error) &&
           domain_features_parse(&def->features, root, error) &&
           domain_cpu_parse(&def->cpu, root, error) &&
           domain_clock_parse(&def->clock, root, error) && parse_actions(def, root, error) &&
           domain_pm_parse(&def->pm, root, error) && parse_devices(def, root, flags, error) &&
           parse_seclabel(def, root, error);
}

/* What is written may be longer than what was read (quotes become references): it must still be a
 * document that a restarted daemon can read, with room for what a running guest adds. */
char *
domain_xml_format_stored(const DomainDef *def, GError **error)
{
    g_autofree char *xml = domain_xml_format(def, -1, DOMAIN_FORMAT_SECURE);
    XmlExcess excess;

    if (strlen(xml) > XML_SIZE_MAX - WRITTEN_SPARE) {
        driver_error(error, VIR_ERR_XML_ERROR, "the document is too large");
        return NULL;
    }
    if (!xml_limits_check(xml, &excess)) {
        driver_error(error, VIR_ERR_XML_ERROR, "%s", excess.what);
        return NULL;
    }
    return g_steal_pointer(&xml);
}

gboolean
domain_xml_check_written(const DomainDef *def, GError **error)
{
    g_autofree char *xml = domain_xml_format_stored(def, error);

    return xml != NULL;
}

static DomainDef *
parse(const XmlNode *root, guint flags, GError **error)
{
    g_autoptr(DomainDef) def = domain_def_new();

    if (!parse_root(def, root, flags, error))
        return NULL;
    domain_def_complete(def);
    return domain_def_check(def, error) ? g_steal_pointer(&def) : NULL;
}

DomainDef *
domain_xml_parse_stored(const char *xml, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, ORIGIN, "domain", error);

    return doc ? parse(xml_doc_root(doc), 0, error) : NULL;
}

static DomainDef *
checked(DomainDef *def, GError **error)
{
    g_autoptr(DomainDef) owned = def;

    return def && domain_xml_check_written(def, error) ? g_steal_pointer(&owned) : NULL;
}

DomainDef *
domain_xml_parse(const char *xml, GError **error)
{
    return checked(domain_xml_parse_stored(xml, error), error);
}

DomainDef *
domain_xml_parse_node(const XmlNode *node, GError **error)
{
    return checked(parse(node, 0, error), error);
}

DomainDef *
domain_xml_parse_identity(const char *xml, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, ORIGIN, "domain", error);
    g_autoptr(DomainDef) def = domain_def_new();

    return doc && parse_identity(def, xml_doc_root(doc), error) ? g_steal_pointer(&def) : NULL;
}

gboolean
domain_xml_validate(const char *xml, const char *schema, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, ORIGIN, "domain", error);

    /* The policy's words say what is the matter, where the schema only knows that it is not in it. */
    return doc && xml_policy_check(xml_doc_root(doc), error) && xml_validate(doc, schema, error);
}

DomainDef *
domain_xml_parse_live(const char *xml, int *ret_id, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, ORIGIN, "domain", error);
    DomainDef *def;
    guint id = 0;

    if (!doc || !xml_attr_uint(xml_doc_root(doc), "id", XML_REQUIRED, &id, error))
        return NULL;
    def = parse(xml_doc_root(doc), DOMAIN_PARSE_LIVE, error);
    if (def && ret_id)
        *ret_id = id;
    return def;
}
