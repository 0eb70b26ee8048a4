#include "driver/xml-pattern.h"

#include "driver/xml-datatype.h"

#include <string.h>

struct XmlPatternPool {
    GHashTable *patterns; /* each is its own key */
    XmlPattern simple[PATTERN_TEXT + 1];
};

static guint
hash(gconstpointer key)
{
    const XmlPattern *pattern = key;

    if (pattern->rule)
        return g_direct_hash(pattern->rule);
    return g_direct_hash(pattern->a) * 31 + g_direct_hash(pattern->b) * 37 + pattern->kind;
}

static gboolean
equal(gconstpointer x, gconstpointer y)
{
    const XmlPattern *p = x, *q = y;

    return p->kind == q->kind && p->rule == q->rule && (p->rule || (p->a == q->a && p->b == q->b));
}

static void
pattern_free(gpointer data)
{
    XmlPattern *pattern = data;

    g_free(pattern->name);
    g_strfreev(pattern->except);
    xml_datatype_free(pattern->data);
    g_free(pattern);
}

XmlPatternPool *
xml_pattern_pool_new(void)
{
    XmlPatternPool *pool = g_new0(XmlPatternPool, 1);

    pool->patterns = g_hash_table_new_full(hash, equal, pattern_free, NULL);
    for (XmlPatternKind kind = PATTERN_EMPTY; kind <= PATTERN_TEXT; kind++) {
        pool->simple[kind].kind = kind;
        pool->simple[kind].nullable = kind != PATTERN_NOT_ALLOWED;
    }
    return pool;
}

void
xml_pattern_pool_free(XmlPatternPool *pool)
{
    g_hash_table_unref(pool->patterns);
    g_free(pool);
}

const XmlPattern *
xml_pattern_simple(XmlPatternPool *pool, XmlPatternKind kind)
{
    g_assert(kind <= PATTERN_TEXT);
    return &pool->simple[kind];
}

static XmlPattern *
intern(XmlPatternPool *pool, const XmlPattern *wanted, gboolean *ret_new)
{
    XmlPattern *pattern = g_hash_table_lookup(pool->patterns, wanted);

    *ret_new = !pattern;
    if (!pattern) {
        pattern = g_memdup2(wanted, sizeof(*wanted));
        g_hash_table_add(pool->patterns, pattern);
    }
    return pattern;
}

/* Its parts come later, and so are no part of its identity: the rule is. */
XmlPattern *
xml_pattern_leaf(XmlPatternPool *pool, XmlPatternKind kind, const struct _xmlNode *rule, gboolean *ret_new)
{
    const XmlPattern wanted = { .kind = kind, .rule = rule };

    return intern(pool, &wanted, ret_new);
}

/* Whether @pattern is one of the alternatives of @choice already. */
static gboolean
has_alternative(const XmlPattern *choice, const XmlPattern *pattern)
{
    for (; choice->kind == PATTERN_CHOICE; choice = choice->b) {
        if (choice->a == pattern || has_alternative(choice->a, pattern))
            return TRUE;
    }
    return choice == pattern;
}

/* What is simpler than @kind of @a and @b, or NULL. */
static const XmlPattern *
simplify(XmlPatternKind kind, const XmlPattern *a, const XmlPattern *b)
{
    if (kind == PATTERN_CHOICE) {
        if (a->kind == PATTERN_NOT_ALLOWED || has_alternative(b, a))
            return b;
        return b->kind == PATTERN_NOT_ALLOWED || has_alternative(a, b) ? a : NULL;
    }
    if (a->kind == PATTERN_NOT_ALLOWED || b->kind == PATTERN_NOT_ALLOWED)
        return a->kind == PATTERN_NOT_ALLOWED ? a : b;
    if (kind == PATTERN_AFTER)
        return NULL;
    return a->kind == PATTERN_EMPTY ? b : b->kind == PATTERN_EMPTY ? a : NULL;
}

static gboolean
is_nullable(XmlPatternKind kind, const XmlPattern *a, const XmlPattern *b)
{
    if (kind == PATTERN_CHOICE)
        return a->nullable || b->nullable;
    return kind != PATTERN_AFTER && a->nullable && b->nullable;
}

const XmlPattern *
xml_pattern_join(XmlPatternPool *pool, XmlPatternKind kind, const XmlPattern *a, const XmlPattern *b)
{
    const XmlPattern wanted = { .kind = kind, .a = a, .b = b, .nullable = is_nullable(kind, a, b) };
    const XmlPattern *simpler = simplify(kind, a, b);
    gboolean is_new;

    return simpler ? simpler : intern(pool, &wanted, &is_new);
}

const XmlPattern *
xml_pattern_many(XmlPatternPool *pool, const XmlPattern *a)
{
    const XmlPattern wanted = { .kind = PATTERN_MANY, .a = a, .nullable = a->nullable };
    gboolean is_new;

    return a->kind <= PATTERN_TEXT || a->kind == PATTERN_MANY ? a : intern(pool, &wanted, &is_new);
}

const XmlPattern *
xml_pattern_optional(XmlPatternPool *pool, const XmlPattern *a)
{
    return a->nullable ? a : xml_pattern_join(pool, PATTERN_CHOICE, a, &pool->simple[PATTERN_EMPTY]);
}

gboolean
xml_pattern_is_called(const XmlPattern *pattern, const char *name)
{
    if (pattern->name)
        return strcmp(pattern->name, name) == 0;
    return !pattern->except || !g_strv_contains((const char *const *)pattern->except, name);
}
