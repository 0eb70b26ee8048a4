#include "driver/xml-explain.h"

#include "driver/xml-derive.h"

#include <libxml/tree.h>
#include <string.h>

#define NAMES_MAX 24 /* of those expected in one line */
#define VALUE_MAX 80 /* bytes of the value that a line shows */

/* Elements, 11 us each, that a client may keep the daemon busy with: some more than 1024 devices have. */
#define ELEMENTS_MAX 20000

typedef struct Walk {
    XmlPatternPool *pool;
    const XmlPattern *left; /* of the schema, behind what has been seen */
    GPtrArray *faults;
    guint max;
    guint n_elements;
} Walk;

static gboolean
is_allowed(const XmlPattern *pattern)
{
    return pattern->kind != PATTERN_NOT_ALLOWED;
}

/* "; expected <a>, <b>, <c>" */
static char *
list_names(GPtrArray *names)
{
    g_autoptr(GString) text = g_string_new(names->len ? "; expected " : NULL);

    for (guint i = 0; i < names->len && i < NAMES_MAX; i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "", (const char *)names->pdata[i]);
    if (names->len > NAMES_MAX)
        g_string_append_printf(text, " and %u others", names->len - NAMES_MAX);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
complain(Walk *walk, const xmlNode *at, const char *what, const char *expected)
{
    g_ptr_array_add(walk->faults, g_strdup_printf("line %ld: %s%s", xmlGetLineNo(at), what, expected));
}

/* The same with what @walk would have had instead. */
static void
complain_of(Walk *walk, const xmlNode *at, const char *what, XmlExpectation expectation)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *expected = NULL;

    xml_derive_expected(walk->left, expectation, names);
    expected = list_names(names);
    complain(walk, at, what, expected);
}

static char *
shorten(const char *value)
{
    g_autofree char *part = g_strndup(value, VALUE_MAX);
    g_autofree char *whole = g_utf8_make_valid(part, -1);

    return g_strconcat(whole, strlen(value) > VALUE_MAX ? "..." : "", NULL);
}

/* Attributes */

static void
explain_attr(Walk *walk, const xmlNode *node, const char *name, const char *value, gboolean known)
{
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *shown = shorten(value);
    g_autofree char *what = NULL, *expected = NULL;

    if (!known) {
        what = g_strdup_printf("attribute '%s' of <%s> is not allowed here", name, (const char *)node->name);
        complain_of(walk, node, what, EXPECT_ATTRIBUTES);
        return;
    }
    what = g_strdup_printf("value '%s' of attribute '%s' of <%s> is not valid", shown, name,
                           (const char *)node->name);
    xml_derive_expected_values(walk->left, name, values);
    expected = list_names(values);
    complain(walk, node, what, expected);
}

static void
walk_attr(Walk *walk, const xmlNode *node, const xmlAttr *attr)
{
    const char *name = (const char *)attr->name;
    xmlChar *raw = xmlNodeListGetString(node->doc, attr->children, 1);
    const char *value = raw ? (const char *)raw : "";
    const XmlPattern *left = xml_derive_attr(walk->pool, walk->left, name, value, FALSE);

    if (!is_allowed(left)) {
        left = xml_derive_attr(walk->pool, walk->left, name, value, TRUE);
        explain_attr(walk, node, name, value, is_allowed(left));
    }
    if (is_allowed(left))
        walk->left = left;
    if (raw)
        xmlFree(raw);
}

static void
walk_attrs(Walk *walk, const xmlNode *node)
{
    const XmlPattern *left;

    for (const xmlAttr *attr = node->properties; attr; attr = attr->next)
        walk_attr(walk, node, attr);
    left = xml_derive_content(walk->pool, walk->left, FALSE);
    if (!is_allowed(left)) {
        g_autofree char *what =
            g_strdup_printf("an attribute of <%s> is missing", (const char *)node->name);

        complain_of(walk, node, what, EXPECT_MISSING_ATTRIBUTES);
        left = xml_derive_content(walk->pool, walk->left, TRUE);
    }
    walk->left = left;
}

/* Content */

static gboolean
is_blank(const char *text)
{
    return !text[strspn(text, " \t\r\n")];
}

static void
walk_text(Walk *walk, const xmlNode *node, const char *text, gboolean *spoiled)
{
    const XmlPattern *left = xml_derive_text(walk->pool, walk->left, text);
    g_autofree char *shown = shorten(text);
    g_autofree char *what = NULL;

    if (is_allowed(left)) {
        walk->left = left;
        return;
    }
    what = is_blank(text) ? g_strdup_printf("<%s> is empty", (const char *)node->name)
                          : g_strdup_printf("value '%s' of <%s> is not valid", shown, (const char *)node->name);
    complain_of(walk, node, what, EXPECT_VALUES);
    *spoiled = TRUE;
}

static void walk_element(Walk *walk, const xmlNode *node);

static const xmlNode *
skip_to_element(const xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

/* Elements, with texts between where these are not blank. */
static void
walk_mixed(Walk *walk, const xmlNode *node, gboolean *spoiled)
{
    for (const xmlNode *child = node->children; child; child = child->next) {
        const char *text = (const char *)child->content;

        if (child->type == XML_ELEMENT_NODE)
            walk_element(walk, child);
        else if ((child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) && text &&
                 !is_blank(text))
            walk_text(walk, node, text, spoiled);
    }
}

/* Blanks, and nothing, are a text only where nothing else will do. */
static void
walk_content(Walk *walk, const xmlNode *node, gboolean *spoiled)
{
    xmlChar *text;

    if (skip_to_element(node->children)) {
        walk_mixed(walk, node, spoiled);
        return;
    }
    text = xmlNodeGetContent(node);
    if (!is_blank((const char *)text) ||
        (!is_allowed(xml_derive_end(walk->pool, walk->left, FALSE)) &&
         is_allowed(xml_derive_text(walk->pool, walk->left, (const char *)text))))
        walk_text(walk, node, (const char *)text, spoiled);
    xmlFree(text);
}

/* What was not looked at is not missing. */
static gboolean
is_over(const Walk *walk)
{
    return walk->faults->len >= walk->max || walk->n_elements > ELEMENTS_MAX;
}

static void
explain_missing(Walk *walk, const xmlNode *node)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *what = NULL;

    xml_derive_expected(walk->left, EXPECT_MISSING_ELEMENTS, names);
    what = g_strdup_printf(names->len ? "an element of <%s> is missing" : "<%s> is empty",
                           (const char *)node->name);
    complain_of(walk, node, what, names->len ? EXPECT_MISSING_ELEMENTS : EXPECT_VALUES);
}

static void
walk_within(Walk *walk, const xmlNode *node)
{
    gboolean spoiled = FALSE;
    const XmlPattern *left;

    walk_attrs(walk, node);
    walk_content(walk, node, &spoiled);
    left = xml_derive_end(walk->pool, walk->left, spoiled);
    if (!is_allowed(left)) {
        if (!is_over(walk))
            explain_missing(walk, node);
        left = xml_derive_end(walk->pool, walk->left, TRUE);
    }
    walk->left = left;
}

static void
explain_element(Walk *walk, const xmlNode *node)
{
    const char *prefix = node->ns ? (const char *)node->ns->prefix : NULL;
    gboolean inner = node->parent && node->parent->type == XML_ELEMENT_NODE;
    g_autofree char *what = NULL;

    what = g_strdup_printf("element <%s%s%s>%s%s%s is not allowed here", prefix ? prefix : "",
                           prefix ? ":" : "", (const char *)node->name, inner ? " of <" : "",
                           inner ? (const char *)node->parent->name : "", inner ? ">" : "");
    complain_of(walk, node, what, EXPECT_ELEMENTS);
}

/* What should not be there is passed over with all that is in it, and the rest once there is enough to say, or too
 * much to look at. */
static void
walk_element(Walk *walk, const xmlNode *node)
{
    const XmlPattern *left;

    walk->n_elements++;
    if (is_over(walk))
        return;
    left = xml_derive_open(walk->pool, walk->left, (const char *)node->name);
    if (is_allowed(left)) {
        walk->left = left;
        walk_within(walk, node);
    } else {
        explain_element(walk, node);
    }
}

GPtrArray *
xml_explain(const XmlNode *root, XmlSchema *schema, guint max)
{
    Walk walk = {
        .pool = xml_schema_pool(schema),
        .left = xml_schema_start(schema),
        .faults = g_ptr_array_new_with_free_func(g_free),
        .max = max,
    };

    walk_element(&walk, root);
    if (walk.faults->len > max)
        g_ptr_array_set_size(walk.faults, max);
    return walk.faults;
}
