/* xml-pattern: what a RELAX NG schema allows at some place of a document, as patterns of patterns.
 *
 * Patterns are values: two that are built of the same parts are the same pointer, so what is left of a schema
 * after each piece of a document stays small. All belong to a pool, and live as long as it does.
 */
#pragma once

#include <glib.h>

typedef enum XmlPatternKind {
    PATTERN_EMPTY,
    PATTERN_NOT_ALLOWED,
    PATTERN_TEXT,
    PATTERN_VALUE,     /* @name is the word */
    PATTERN_DATA,      /* @data is the type */
    PATTERN_ATTRIBUTE, /* called @name, with a value by @a */
    PATTERN_ELEMENT,   /* called @name, with attributes and content by @a */
    PATTERN_CHOICE,
    PATTERN_GROUP,      /* @a and then @b */
    PATTERN_INTERLEAVE, /* both, in any order */
    PATTERN_MANY,       /* @a once or more */
    PATTERN_AFTER,      /* @a within the element that is open, @b behind it */
} XmlPatternKind;

struct _xmlNode;
struct XmlDatatype;

typedef struct XmlPattern {
    XmlPatternKind kind;
    const struct XmlPattern *a, *b;
    char *name;    /* of an attribute or element; NULL: any but @except */
    char **except; /* or NULL */
    struct XmlDatatype *data;
    const struct _xmlNode *rule; /* where the schema has it; of leaves alone */
    gboolean nullable;           /* nothing at all is one way to comply */
} XmlPattern;

typedef struct XmlPatternPool XmlPatternPool;

XmlPatternPool *xml_pattern_pool_new(void);
void xml_pattern_pool_free(XmlPatternPool *pool);

const XmlPattern *xml_pattern_simple(XmlPatternPool *pool, XmlPatternKind kind); /* the first three */
/* The leaf that stands for @rule; a new one is to be filled in. An element's may be within itself. */
XmlPattern *xml_pattern_leaf(XmlPatternPool *pool, XmlPatternKind kind, const struct _xmlNode *rule,
                             gboolean *ret_new);
/* Of two; what cannot be, or adds nothing, is left out of the result. */
const XmlPattern *xml_pattern_join(XmlPatternPool *pool, XmlPatternKind kind, const XmlPattern *a,
                                   const XmlPattern *b);
const XmlPattern *xml_pattern_many(XmlPatternPool *pool, const XmlPattern *a);
const XmlPattern *xml_pattern_optional(XmlPatternPool *pool, const XmlPattern *a);
/* Whether an attribute or element may be called @name. */
gboolean xml_pattern_is_called(const XmlPattern *pattern, const char *name);
