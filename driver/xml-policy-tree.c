#include "driver/xml-policy-tree.h"

#include <string.h>

struct XmlPlace {
    const XmlPlace *around; /* NULL: of <domain> */
    const XmlPolicy *policy;
    const char *name; /* at the end of the policy's path, behind its '/', '@' or '}' */
};

/* Hashed by the name and what is around it; the next free slot is taken where several have the same hash. */
typedef struct Tree {
    XmlPlace domain;
    const XmlPlace **slots;
    guint mask; /* their number, a power of two, less one */
} Tree;

const XmlPolicy *const xml_policy_tables[] = {
    xml_policy_rows_domain,  xml_policy_rows_disk,    xml_policy_rows_interface,
    xml_policy_rows_chardev, xml_policy_rows_devices, NULL,
};

/* Finding */

static guint
hash_of(const XmlPlace *around, const char *name)
{
    return g_str_hash(name) * 31 + (guint)((gsize)around / sizeof(*around));
}

static char
mark_of(const XmlPlace *place)
{
    return place->name > place->policy->path ? place->name[-1] : '/';
}

/* @mark as it stands before the name: '@' for an attribute, '}' for an element with a namespace. */
static gboolean
is_it(const XmlPlace *place, const XmlPlace *around, char mark, const char *ns, const char *name)
{
    const char *uri = place->policy->path + 1;

    if (place->around != around || mark_of(place) != mark || strcmp(place->name, name) != 0)
        return FALSE;
    return !ns || (g_str_has_prefix(uri, ns) && uri + strlen(ns) == place->name - 1);
}

static const XmlPlace *
find(const Tree *tree, const XmlPlace *around, char mark, const char *ns, const char *name)
{
    const XmlPlace *place;

    for (guint i = hash_of(around, name); (place = tree->slots[i & tree->mask]); i++) {
        if (is_it(place, around, mark, ns, name))
            return place;
    }
    return NULL;
}

/* Making: a row may come before those of the elements around it, so that these are put together by whole paths. */

static const char *
last_name(const char *path)
{
    const char *end = strrchr(path, *path == '{' ? '}' : '/');
    const char *name = end ? end + 1 : path;

    return name + (*name == '@');
}

static const XmlPlace *
find_around(const Tree *tree, GHashTable *by_path, const XmlPlace *place)
{
    gsize length = place->name - place->policy->path;
    g_autofree char *path = NULL;
    const XmlPlace *around;

    if (mark_of(place) == '}' || length <= 1) /* "{uri}name", "name", "@name" */
        return &tree->domain;
    path = g_strndup(place->policy->path, length - (mark_of(place) == '@' ? 2 : 1));
    around = g_hash_table_lookup(by_path, path);
    g_assert(around); /* or nobody would get there */
    return around;
}

static void
insert(Tree *tree, const XmlPlace *place)
{
    guint i = hash_of(place->around, place->name);

    while (tree->slots[i & tree->mask])
        i++;
    tree->slots[i & tree->mask] = place;
}

static guint
count_rows(void)
{
    guint n = 0;

    for (const XmlPolicy *const *table = xml_policy_tables; *table; table++) {
        for (const XmlPolicy *row = *table; row->path; row++)
            n++;
    }
    return n;
}

static Tree *
make_tree(void)
{
    g_autoptr(GHashTable) by_path = g_hash_table_new(g_str_hash, g_str_equal);
    guint n_rows = count_rows(), n = 0;
    XmlPlace *places = g_new0(XmlPlace, n_rows);
    Tree *tree = g_new0(Tree, 1);

    tree->mask = (1u << g_bit_storage(n_rows * 2)) - 1;
    tree->slots = g_new0(const XmlPlace *, tree->mask + 1);
    for (const XmlPolicy *const *table = xml_policy_tables; *table; table++) {
        for (const XmlPolicy *row = *table; row->path; row++, n++) {
            places[n] = (XmlPlace){ .policy = row, .name = last_name(row->path) };
            g_assert(g_hash_table_insert(by_path, (char *)row->path, &places[n]));
        }
    }
    for (guint i = 0; i < n_rows; i++) {
        places[i].around = find_around(tree, by_path, &places[i]);
        insert(tree, &places[i]);
    }
    return tree;
}

static const Tree *
get_tree(void)
{
    static const Tree *tree;

    if (!tree)
        tree = make_tree();
    return tree;
}

/* Public functions */

const XmlPlace *
xml_place_domain(void)
{
    return &get_tree()->domain;
}

const XmlPlace *
xml_place_element(const XmlPlace *around, const char *ns, const char *name)
{
    return around ? find(get_tree(), around, ns ? '}' : '/', ns, name) : NULL;
}

const XmlPlace *
xml_place_attr(const XmlPlace *around, const char *name)
{
    return around ? find(get_tree(), around, '@', NULL, name) : NULL;
}

const XmlPolicy *
xml_place_policy(const XmlPlace *place)
{
    return place ? place->policy : NULL;
}

const XmlPolicy *
xml_policy_find(const char *path)
{
    const XmlPlace *place = xml_place_domain();
    g_auto(GStrv) names = *path == '{' ? g_strsplit(path + 1, "}", 2) : g_strsplit(path, "/", -1);

    if (*path == '{')
        return names[0] && names[1] ? xml_place_policy(xml_place_element(place, names[0], names[1])) : NULL;
    for (char **name = names; place && *name; name++)
        place = **name == '@' ? xml_place_attr(place, *name + 1) : xml_place_element(place, NULL, *name);
    return xml_place_policy(place);
}
