#include "cli/tree.h"

#include "cli/output.h"

typedef struct Drawing {
    const TreeNode *nodes;
    GHashTable *children; /* a parent's name -> GArray of gsize: which hang from it */
    GString *indent;
} Drawing;

static const GArray *
children_of(const Drawing *drawing, gsize i)
{
    return g_hash_table_lookup(drawing->children, drawing->nodes[i].name);
}

/* A line beside what is below a node goes on where another one follows it. */
static void
draw(Drawing *drawing, gsize i, gboolean root, gboolean last)
{
    const GArray *children = children_of(drawing, i);
    gsize length = drawing->indent->len;

    output("%s%s%s\n", drawing->indent->str, root ? "" : "+- ", drawing->nodes[i].name);
    if (!root)
        g_string_append(drawing->indent, last ? "  " : "| ");
    if (children)
        output("%s  |\n", drawing->indent->str);
    g_string_append(drawing->indent, "  ");
    for (guint k = 0; children && k < children->len; k++)
        draw(drawing, g_array_index(children, gsize, k), FALSE, k + 1 == children->len);
    g_string_truncate(drawing->indent, drawing->indent->len - 2);
    if (!children && last)
        output("%s\n", drawing->indent->str);
    g_string_truncate(drawing->indent, length);
}

static void
free_array(gpointer array)
{
    g_array_unref(array);
}

static GHashTable *
group(const TreeNode *nodes, gsize n)
{
    GHashTable *children = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_array);

    for (gsize i = 0; i < n; i++) {
        const char *parent = nodes[i].parent;
        GArray *same = parent ? g_hash_table_lookup(children, parent) : NULL;

        if (parent && !same) {
            same = g_array_new(FALSE, FALSE, sizeof(gsize));
            g_hash_table_insert(children, (gpointer)parent, same);
        }
        if (same)
            g_array_append_val(same, i);
    }
    return children;
}

void
tree_print(const TreeNode *nodes, gsize n)
{
    g_autoptr(GHashTable) children = group(nodes, n);
    g_autoptr(GString) indent = g_string_new(NULL);
    Drawing drawing = { nodes, children, indent };

    for (gsize i = 0; i < n; i++) {
        if (!nodes[i].parent)
            draw(&drawing, i, TRUE, TRUE);
    }
}
