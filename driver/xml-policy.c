#include "driver/xml-policy.h"

#include "driver/error.h"

#include <string.h>

const XmlPolicy *const xml_policy_tables[] = {
    xml_policy_rows_domain,  xml_policy_rows_disk,    xml_policy_rows_interface,
    xml_policy_rows_chardev, xml_policy_rows_devices, NULL,
};

static GHashTable *
index_policies(void)
{
    GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);

    for (const XmlPolicy *const *table = xml_policy_tables; *table; table++) {
        for (const XmlPolicy *row = *table; row->path; row++)
            g_assert(g_hash_table_insert(index, (char *)row->path, (gpointer)row));
    }
    return index;
}

const XmlPolicy *
xml_policy_find(const char *path)
{
    static GHashTable *index;

    if (!index)
        index = index_policies();
    return g_hash_table_lookup(index, path);
}

/* Whether @value is one of the words in @words. */
static gboolean
is_among(const char *value, const char *words)
{
    gsize length = strlen(value);

    if (length == 0 || strchr(value, ' '))
        return FALSE;
    for (const char *at = strstr(words, value); at; at = strstr(at + 1, value)) {
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return TRUE;
    }
    return FALSE;
}

static gboolean
takes_value(const XmlPolicy *policy, const char *value)
{
    if (!policy->words)
        return TRUE;
    return is_among(value, policy->words) == (policy->verdict == XML_ACCEPT);
}

/* A machine without USB has what a controller "none" asks for. */
static gboolean
is_no_bus(const XmlNode *node)
{
    g_autofree char *model = xml_attr(node, "model");

    return strcmp(xml_name(node), "controller") == 0 && g_strcmp0(model, "none") == 0;
}

/* What the row of @attr says of the element @node, at @path: TRUE where it decides, and @ret_reason where it keeps it. */
static gboolean
decides(const XmlNode *node, const char *path, const char *attr, const char **ret_reason)
{
    g_autofree char *value = xml_attr(node, attr);
    g_autofree char *attr_path = value ? g_strconcat(path, "/@", attr, NULL) : NULL;
    const XmlPolicy *policy = value ? xml_policy_find(attr_path) : NULL;

    if (!policy || !policy->kept)
        return FALSE;
    *ret_reason = is_among(value, policy->kept) && !is_no_bus(node) ? policy->reason : NULL;
    return TRUE;
}

/* Where several could, the bus decides, then the type. */
const char *
xml_policy_keeps(const XmlNode *node)
{
    g_autofree char *path = g_strconcat("devices/", xml_name(node), NULL);
    const XmlPolicy *policy = xml_policy_find(path);
    const char *reason = NULL;

    if (policy && policy->verdict == XML_KEEP)
        return policy->reason;
    if (!decides(node, path, "bus", &reason) && !decides(node, path, "type", &reason))
        decides(node, path, "model", &reason);
    return reason;
}

/* One step of the walk: an element and the path to it. */
typedef struct Step {
    const XmlNode *node;
    GString *path;
    GError **error;
} Step;

static gboolean
check_attr(gpointer data, const char *name, const char *value)
{
    Step *step = data;
    gsize length = step->path->len;
    const XmlPolicy *policy;

    g_string_append(step->path, length ? "/@" : "@");
    g_string_append(step->path, name);
    policy = xml_policy_find(step->path->str);
    g_string_truncate(step->path, length);
    if (!policy)
        return TRUE;
    if (policy->verdict == XML_REJECT)
        return driver_error(step->error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "attribute '%s' of <%s> is not supported yet by this machine", name,
                            xml_name(step->node));
    if (!takes_value(policy, value))
        return driver_error(
            step->error, VIR_ERR_CONFIG_UNSUPPORTED,
            "value '%s' of attribute '%s' of <%s> is not supported yet by this machine", value,
            name, xml_name(step->node));
    return TRUE;
}

static gboolean
check_text(const Step *step, const XmlPolicy *policy)
{
    g_autofree char *text = policy->words ? xml_text(step->node) : NULL;

    if (!text || takes_value(policy, text))
        return TRUE;
    return driver_error(step->error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "value '%s' of <%s> is not supported yet by this machine", text,
                        xml_name(step->node));
}

static gboolean
refuse_element(const Step *step, const char *parent)
{
    const char *prefix = xml_prefix(step->node);

    return driver_error(step->error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "element <%s%s%s> of <%s> is not supported yet by this machine",
                        prefix ? prefix : "", prefix ? ":" : "", xml_name(step->node), parent);
}

static gboolean check_children(Step *step);

/* What is below such an element is not what its rows are about. */
static gboolean
is_kept_by_type(const XmlNode *node, const XmlPolicy *policy)
{
    return policy->verdict == XML_EACH && g_str_has_prefix(policy->path, "devices/") &&
           xml_policy_keeps(node);
}

/* @step is at the element; its path is written. */
static gboolean
check_element(Step *step, const XmlNode *parent)
{
    const XmlPolicy *policy = xml_policy_find(step->path->str);

    if (!policy || policy->verdict == XML_VERBATIM)
        return TRUE;
    if (policy->verdict == XML_REJECT)
        return refuse_element(step, xml_name(parent));
    if (policy->verdict != XML_EACH && policy->verdict != XML_KEEP && xml_child(parent, xml_name(step->node)) != step->node)
        return driver_error(step->error, VIR_ERR_XML_ERROR,
                            "element <%s> of <%s> is there more than once", xml_name(step->node),
                            xml_name(parent));
    return check_text(step, policy) && xml_visit_attrs(step->node, check_attr, step) &&
           (is_kept_by_type(step->node, policy) || check_children(step));
}

/* A backing store has the same rows at any depth. */
static gboolean
is_nested(const GString *path, const XmlNode *node)
{
    return strcmp(xml_name(node), "backingStore") == 0 && !xml_namespace(node) &&
           g_str_has_suffix(path->str, "/backingStore");
}

static void
append_name(GString *path, const XmlNode *node)
{
    const char *ns = xml_namespace(node);

    if (is_nested(path, node))
        return;
    if (path->len)
        g_string_append_c(path, '/');
    if (ns)
        g_string_append_printf(path, "{%s}", ns);
    g_string_append(path, xml_name(node));
}

/* The walk is as deep as the table's paths are, whatever the document's depth. */
static gboolean
check_children(Step *step)
{
    const XmlNode *parent = step->node;
    gsize length = step->path->len;
    gboolean ok = TRUE;

    for (step->node = xml_first(parent); ok && step->node; step->node = xml_next(step->node)) {
        append_name(step->path, step->node);
        ok = check_element(step, parent);
        g_string_truncate(step->path, length);
    }
    step->node = parent;
    return ok;
}

gboolean
xml_policy_check(const XmlNode *domain, GError **error)
{
    g_autoptr(GString) path = g_string_new(NULL);
    Step step = { domain, path, error };

    return xml_visit_attrs(domain, check_attr, &step) && check_children(&step);
}

gboolean
xml_policy_check_device(const XmlNode *device, GError **error)
{
    g_autoptr(GString) path = g_string_new("devices");
    Step step = { device, path, error };
    const XmlPolicy *policy;

    append_name(path, device);
    policy = xml_policy_find(path->str);
    if (policy && policy->verdict == XML_REJECT)
        return refuse_element(&step, "devices");
    return xml_visit_attrs(device, check_attr, &step) &&
           ((policy && is_kept_by_type(device, policy)) || check_children(&step));
}
