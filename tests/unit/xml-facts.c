#include "tests/unit/xml-facts.h"

#include <string.h>

typedef struct Walk {
    GPtrArray *facts;
    GString *path;
} Walk;

static void
fact_free(gpointer data)
{
    XmlFact *fact = data;

    g_free(fact->path);
    g_free(fact->value);
    g_free(fact);
}

static void
add(Walk *walk, const char *value)
{
    XmlFact *fact = g_new(XmlFact, 1);

    *fact = (XmlFact){ g_strdup(walk->path->str), g_strstrip(g_strdup(value)) };
    g_ptr_array_add(walk->facts, fact);
}

static void
enter(Walk *walk, const char *mark, const char *name)
{
    if (walk->path->len)
        g_string_append_c(walk->path, '/');
    g_string_append_printf(walk->path, "%s%s", mark, name);
}

static gboolean
add_attr(gpointer data, const char *name, const char *value)
{
    Walk *walk = data;
    gsize length = walk->path->len;

    enter(walk, "@", name);
    add(walk, value);
    g_string_truncate(walk->path, length);
    return TRUE;
}

/* A backing store within another has the same rows. */
static gboolean
is_nested(const Walk *walk, const XmlNode *node)
{
    return strcmp(xml_name(node), "backingStore") == 0 &&
           g_str_has_suffix(walk->path->str, "/backingStore");
}

static void
walk_children(Walk *walk, const XmlNode *parent)
{
    for (const XmlNode *node = xml_first(parent); node; node = xml_next(node)) {
        gsize length = walk->path->len;
        g_autofree char *text = xml_first(node) ? g_strdup("") : xml_text(node);
        g_autofree char *ns =
            xml_namespace(node) ? g_strdup_printf("{%s}", xml_namespace(node)) : g_strdup("");

        if (!is_nested(walk, node))
            enter(walk, ns, xml_name(node));
        add(walk, text);
        xml_visit_attrs(node, add_attr, walk);
        walk_children(walk, node);
        g_string_truncate(walk->path, length);
    }
}

GPtrArray *
xml_facts(const XmlNode *root)
{
    Walk walk = { g_ptr_array_new_with_free_func(fact_free), g_string_new(NULL) };

    xml_visit_attrs(root, add_attr, &walk);
    walk_children(&walk, root);
    g_string_free(walk.path, TRUE);
    return walk.facts;
}
