#include "driver/xml-schema.h"

#include "driver/error.h"
#include "driver/xml-datatype.h"
#include "driver/xml-read.h"

#include <string.h>

struct XmlSchema {
    XmlPatternPool *pool;
    GPtrArray *docs;      /* of XmlDoc: rules are nodes of them */
    GHashTable *defines;  /* name to node; "" is the start */
    const XmlNode *alien; /* what is not known here; NULL: nothing was met */
};

static const XmlPattern *compile(XmlSchema *schema, const XmlNode *rule);

static gboolean
is(const XmlNode *node, const char *name)
{
    return strcmp(xml_name(node), name) == 0;
}

/* Reading files */

static gboolean read_grammar(XmlSchema *schema, const char *path, GError **error);

static gboolean
read_definition(XmlSchema *schema, const char *path, const XmlNode *node, GError **error)
{
    g_autofree char *href = xml_attr(node, "href");
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *other = g_build_filename(dir, href ? href : "", NULL);

    if (!is(node, "include")) {
        char *name = xml_attr(node, "name");

        g_hash_table_replace(schema->defines, name ? name : g_strdup(""), (gpointer)node);
        return TRUE;
    }
    if (!read_grammar(schema, other, error))
        return FALSE;
    for (const XmlNode *child = xml_first(node); child; child = xml_next(child)) {
        if (!read_definition(schema, path, child, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_grammar(XmlSchema *schema, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    XmlDoc *doc;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Unable to read the schema %s", path);
    doc = xml_doc_parse(text, path, "grammar", error);
    if (!doc)
        return FALSE;
    g_ptr_array_add(schema->docs, doc);
    for (const XmlNode *node = xml_first(xml_doc_root(doc)); node; node = xml_next(node)) {
        if (!read_definition(schema, path, node, error))
            return FALSE;
    }
    return TRUE;
}

/* Rules to patterns */

static const XmlPattern *
compile_children(XmlSchema *schema, const XmlNode *first, XmlPatternKind kind)
{
    const XmlPattern *all = NULL;

    for (; first; first = xml_next(first)) {
        const XmlPattern *one = compile(schema, first);

        all = all ? xml_pattern_join(schema->pool, kind, all, one) : one;
    }
    return all ? all : xml_pattern_simple(schema->pool, PATTERN_EMPTY);
}

/* Where the rules within an attribute or element begin, behind what says how it is called. */
static const XmlNode *
find_content(const XmlNode *rule)
{
    const XmlNode *first = xml_first(rule);

    return xml_has_attr(rule, "name") ? first : first ? xml_next(first) : NULL;
}

static void
read_names(XmlSchema *schema, XmlPattern *leaf, const XmlNode *rule)
{
    const XmlNode *any = xml_first(rule), *except;
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    leaf->name = xml_attr(rule, "name");
    if (leaf->name)
        return;
    if (!any || !is(any, "anyName")) {
        schema->alien = rule;
        return;
    }
    except = xml_first(any);
    for (const XmlNode *name = except ? xml_first(except) : NULL; name; name = xml_next(name))
        g_ptr_array_add(names, xml_text(name));
    g_ptr_array_add(names, NULL);
    leaf->except = (char **)g_ptr_array_steal(names, NULL);
}

/* An attribute without rules has any value. */
static const XmlPattern *
compile_attribute(XmlSchema *schema, const XmlNode *rule)
{
    const XmlNode *content = find_content(rule);
    gboolean is_new;
    XmlPattern *leaf = xml_pattern_leaf(schema->pool, PATTERN_ATTRIBUTE, rule, &is_new);

    if (!is_new)
        return leaf;
    read_names(schema, leaf, rule);
    leaf->a = content ? compile_children(schema, content, PATTERN_GROUP)
                      : xml_pattern_simple(schema->pool, PATTERN_TEXT);
    return leaf;
}

static const XmlPattern *
compile_element(XmlSchema *schema, const XmlNode *rule)
{
    gboolean is_new;
    XmlPattern *leaf = xml_pattern_leaf(schema->pool, PATTERN_ELEMENT, rule, &is_new);

    if (!is_new)
        return leaf;
    read_names(schema, leaf, rule);
    leaf->a = compile_children(schema, find_content(rule), PATTERN_GROUP);
    return leaf;
}

static const XmlPattern *
compile_value(XmlSchema *schema, const XmlNode *rule)
{
    gboolean is_new;
    XmlPattern *leaf = xml_pattern_leaf(schema->pool, PATTERN_VALUE, rule, &is_new);

    if (is_new)
        leaf->name = xml_text(rule);
    return leaf;
}

static const XmlPattern *
compile_data(XmlSchema *schema, const XmlNode *rule)
{
    g_autofree char *type = xml_attr(rule, "type");
    gboolean is_new;
    XmlPattern *leaf = xml_pattern_leaf(schema->pool, PATTERN_DATA, rule, &is_new);

    if (!is_new)
        return leaf;
    leaf->data = xml_datatype_new(type ? type : "");
    for (const XmlNode *param = xml_first(rule); leaf->data && param; param = xml_next(param)) {
        g_autofree char *name = xml_attr(param, "name");
        g_autofree char *value = xml_text(param);

        if (!is(param, "param") || !xml_datatype_set(leaf->data, name ? name : "", value))
            schema->alien = param;
    }
    if (!leaf->data)
        schema->alien = rule;
    return leaf->data ? leaf : xml_pattern_simple(schema->pool, PATTERN_TEXT);
}

static const XmlPattern *
compile_ref(XmlSchema *schema, const XmlNode *rule)
{
    g_autofree char *name = xml_attr(rule, "name");
    const XmlNode *define = name ? g_hash_table_lookup(schema->defines, name) : NULL;

    if (define)
        return compile_children(schema, xml_first(define), PATTERN_GROUP);
    schema->alien = rule;
    return xml_pattern_simple(schema->pool, PATTERN_NOT_ALLOWED);
}

static const XmlPattern *
compile_empty(XmlSchema *schema, const XmlNode *rule)
{
    return xml_pattern_simple(schema->pool, PATTERN_EMPTY);
}

static const XmlPattern *
compile_text(XmlSchema *schema, const XmlNode *rule)
{
    return xml_pattern_simple(schema->pool, PATTERN_TEXT);
}

static const XmlPattern *
compile_choice(XmlSchema *schema, const XmlNode *rule)
{
    return compile_children(schema, xml_first(rule), PATTERN_CHOICE);
}

static const XmlPattern *
compile_group(XmlSchema *schema, const XmlNode *rule)
{
    return compile_children(schema, xml_first(rule), PATTERN_GROUP);
}

static const XmlPattern *
compile_interleave(XmlSchema *schema, const XmlNode *rule)
{
    return compile_children(schema, xml_first(rule), PATTERN_INTERLEAVE);
}

static const XmlPattern *
compile_optional(XmlSchema *schema, const XmlNode *rule)
{
    return xml_pattern_optional(schema->pool, compile_group(schema, rule));
}

static const XmlPattern *
compile_one_or_more(XmlSchema *schema, const XmlNode *rule)
{
    return xml_pattern_many(schema->pool, compile_group(schema, rule));
}

static const XmlPattern *
compile_zero_or_more(XmlSchema *schema, const XmlNode *rule)
{
    return xml_pattern_optional(schema->pool, compile_one_or_more(schema, rule));
}

static const struct Construct {
    const char *name;
    const XmlPattern *(*compile)(XmlSchema *schema, const XmlNode *rule);
} constructs[] = {
    { "attribute", compile_attribute },
    { "choice", compile_choice },
    { "data", compile_data },
    { "element", compile_element },
    { "empty", compile_empty },
    { "group", compile_group },
    { "interleave", compile_interleave },
    { "oneOrMore", compile_one_or_more },
    { "optional", compile_optional },
    { "ref", compile_ref },
    { "text", compile_text },
    { "value", compile_value },
    { "zeroOrMore", compile_zero_or_more },
};

static const XmlPattern *
compile(XmlSchema *schema, const XmlNode *rule)
{
    for (gsize i = 0; i < G_N_ELEMENTS(constructs); i++) {
        if (is(rule, constructs[i].name))
            return constructs[i].compile(schema, rule);
    }
    schema->alien = rule;
    return xml_pattern_simple(schema->pool, PATTERN_NOT_ALLOWED);
}

const XmlPattern *
xml_schema_start(XmlSchema *schema)
{
    const XmlNode *start = g_hash_table_lookup(schema->defines, "");

    return start ? compile_children(schema, xml_first(start), PATTERN_GROUP)
                 : xml_pattern_simple(schema->pool, PATTERN_NOT_ALLOWED);
}

XmlPatternPool *
xml_schema_pool(XmlSchema *schema)
{
    return schema->pool;
}

/* Of all definitions, used or not. */
static gboolean
check_all(XmlSchema *schema, const char *path, GError **error)
{
    GHashTableIter iter;
    gpointer define;

    g_hash_table_iter_init(&iter, schema->defines);
    while (g_hash_table_iter_next(&iter, NULL, &define))
        compile_children(schema, xml_first(define), PATTERN_GROUP);
    return !schema->alien || driver_error(error, VIR_ERR_INTERNAL_ERROR, "Unable to use RNG %s: <%s>", path,
                                          xml_name(schema->alien));
}

XmlSchema *
xml_schema_load(const char *path, GError **error)
{
    g_autoptr(XmlSchema) schema = g_new0(XmlSchema, 1);

    schema->pool = xml_pattern_pool_new();
    schema->docs = g_ptr_array_new_with_free_func((GDestroyNotify)xml_doc_free);
    schema->defines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!read_grammar(schema, path, error) || !check_all(schema, path, error))
        return NULL;
    return g_steal_pointer(&schema);
}

void
xml_schema_free(XmlSchema *schema)
{
    if (!schema)
        return;
    xml_pattern_pool_free(schema->pool);
    g_hash_table_unref(schema->defines);
    g_ptr_array_unref(schema->docs);
    g_free(schema);
}
