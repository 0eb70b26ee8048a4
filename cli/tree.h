/* tree: things that hang from one another, drawn as virsh draws them. */
#pragma once

#include <glib.h>

/* A node; @parent is the name of another one, or NULL for a root. */
typedef struct TreeNode {
    const char *name, *parent;
} TreeNode;

/* Prints each root with all below it and an empty line, in the order of @nodes. */
void tree_print(const TreeNode *nodes, gsize n);
