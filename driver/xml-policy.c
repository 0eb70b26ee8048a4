#include "driver/xml-policy.h"

#include "driver/error.h"

#include <string.h>

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
    g_autofree char *own = NULL;
    const char *model = strcmp(xml_name(node), "controller") == 0 ? xml_peek_attr(node, "model", &own) : NULL;

    return g_strcmp0(model, "none") == 0;
}

/* What the row of @attr says of the element @node, at @place: TRUE where it decides, and @ret_reason where it keeps it. */
static gboolean
decides(const XmlNode *node, const XmlPlace *place, const char *attr, const char **ret_reason)
{
    const XmlPolicy *policy = xml_place_policy(xml_place_attr(place, attr));
    g_autofree char *own = NULL;
    const char *value = policy && policy->kept ? xml_peek_attr(node, attr, &own) : NULL;

    if (!value)
        return FALSE;
    *ret_reason = is_among(value, policy->kept) && !is_no_bus(node) ? policy->reason : NULL;
    return TRUE;
}

/* Where several could, the bus decides, then the type. */
static const char *
keeps(const XmlNode *node, const XmlPlace *place)
{
    const XmlPolicy *policy = xml_place_policy(place);
    const char *reason = NULL;

    if (policy && policy->verdict == XML_KEEP)
        return policy->reason;
    if (!decides(node, place, "bus", &reason) && !decides(node, place, "type", &reason))
        decides(node, place, "model", &reason);
    return reason;
}

static const XmlPlace *
device_place(const char *ns, const char *name)
{
    return xml_place_element(xml_place_element(xml_place_domain(), NULL, "devices"), ns, name);
}

const char *
xml_policy_keeps(const XmlNode *node)
{
    return keeps(node, device_place(NULL, xml_name(node)));
}

/* One step of the walk: an element and its place. */
typedef struct Step {
    const XmlNode *node;
    const XmlPlace *place; /* NULL: nobody knows it */
    GError **error;
} Step;

static gboolean
check_attr(gpointer data, const char *name, const char *value)
{
    const Step *step = data;
    const XmlPolicy *policy = xml_place_policy(xml_place_attr(step->place, name));

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
    g_autofree char *own = NULL;
    const char *text = policy->words ? xml_peek_text(step->node, &own) : NULL;

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

static gboolean check_children(const Step *step);

/* What is below such an element is not what its rows are about. Only devices have a row that keeps some of a kind. */
static gboolean
is_kept_by_type(const Step *step, const XmlPolicy *policy)
{
    return policy->verdict == XML_EACH && keeps(step->node, step->place);
}

static gboolean
check_element(Step *step, const XmlNode *parent)
{
    const XmlPolicy *policy = xml_place_policy(step->place);

    if (!policy || policy->verdict == XML_VERBATIM)
        return TRUE;
    if (policy->verdict == XML_REJECT)
        return refuse_element(step, xml_name(parent));
    if (policy->verdict != XML_EACH && policy->verdict != XML_KEEP && xml_child(parent, xml_name(step->node)) != step->node)
        return driver_error(step->error, VIR_ERR_XML_ERROR,
                            "element <%s> of <%s> is there more than once", xml_name(step->node),
                            xml_name(parent));
    return check_text(step, policy) && xml_visit_attrs(step->node, check_attr, step) &&
           (is_kept_by_type(step, policy) || check_children(step));
}

/* A backing store has the same rows at any depth. */
static gboolean
is_nested(const XmlNode *node, const XmlNode *parent)
{
    return strcmp(xml_name(node), "backingStore") == 0 && strcmp(xml_name(parent), "backingStore") == 0 &&
           !xml_namespace(node);
}

/* The walk is as deep as the table's paths are, whatever the document's depth. */
static gboolean
check_children(const Step *at)
{
    const XmlNode *node = at->place ? xml_first(at->node) : NULL;
    gboolean ok = TRUE;

    for (; ok && node; node = xml_next(node)) {
        const XmlPlace *place =
            is_nested(node, at->node) ? at->place : xml_place_element(at->place, xml_namespace(node), xml_name(node));
        Step step = { node, place, at->error };

        ok = check_element(&step, at->node);
    }
    return ok;
}

gboolean
xml_policy_check(const XmlNode *domain, GError **error)
{
    Step step = { domain, xml_place_domain(), error };

    return xml_visit_attrs(domain, check_attr, &step) && check_children(&step);
}

gboolean
xml_policy_check_device(const XmlNode *device, GError **error)
{
    Step step = { device, device_place(xml_namespace(device), xml_name(device)), error };
    const XmlPolicy *policy = xml_place_policy(step.place);

    if (policy && policy->verdict == XML_REJECT)
        return refuse_element(&step, "devices");
    return xml_visit_attrs(device, check_attr, &step) &&
           ((policy && is_kept_by_type(&step, policy)) || check_children(&step));
}
