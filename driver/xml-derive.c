#include "driver/xml-derive.h"

#include "driver/xml-datatype.h"

#include <string.h>

/* The parts of a pattern that a derivative is made of; the pool and what is looked for go with them. */
typedef struct Step {
    XmlPatternPool *pool;
    const char *name;
    const char *text;
    gboolean lenient;
} Step;

static const XmlPattern *
join(const Step *step, XmlPatternKind kind, const XmlPattern *a, const XmlPattern *b)
{
    return xml_pattern_join(step->pool, kind, a, b);
}

static const XmlPattern *
simple(const Step *step, XmlPatternKind kind)
{
    return xml_pattern_simple(step->pool, kind);
}

/* Behind one of @pattern's: any number more. */
static const XmlPattern *
any_more(const Step *step, const XmlPattern *pattern)
{
    return xml_pattern_optional(step->pool, pattern);
}

/* Elements that open */

/* @opened is a choice of what is within and what is behind an element: what is behind becomes @kind of it and @rest,
 * in this order or the other. */
static const XmlPattern *
put_behind(const Step *step, const XmlPattern *opened, XmlPatternKind kind, const XmlPattern *rest,
           gboolean rest_first)
{
    if (opened->kind == PATTERN_CHOICE)
        return join(step, PATTERN_CHOICE, put_behind(step, opened->a, kind, rest, rest_first),
                    put_behind(step, opened->b, kind, rest, rest_first));
    if (opened->kind != PATTERN_AFTER)
        return opened;
    return join(step, PATTERN_AFTER, opened->a,
                rest_first ? join(step, kind, rest, opened->b) : join(step, kind, opened->b, rest));
}

static const XmlPattern *
open_element(const Step *step, const XmlPattern *p)
{
    const XmlPattern *first;

    switch (p->kind) {
    case PATTERN_ELEMENT:
        return xml_pattern_is_called(p, step->name)
                   ? join(step, PATTERN_AFTER, p->a, simple(step, PATTERN_EMPTY))
                   : simple(step, PATTERN_NOT_ALLOWED);
    case PATTERN_CHOICE:
        return join(step, PATTERN_CHOICE, open_element(step, p->a), open_element(step, p->b));
    case PATTERN_MANY:
        return put_behind(step, open_element(step, p->a), PATTERN_GROUP, any_more(step, p), FALSE);
    case PATTERN_AFTER:
        return put_behind(step, open_element(step, p->a), PATTERN_AFTER, p->b, FALSE);
    case PATTERN_INTERLEAVE:
        return join(step, PATTERN_CHOICE,
                    put_behind(step, open_element(step, p->a), PATTERN_INTERLEAVE, p->b, FALSE),
                    put_behind(step, open_element(step, p->b), PATTERN_INTERLEAVE, p->a, TRUE));
    case PATTERN_GROUP:
        first = put_behind(step, open_element(step, p->a), PATTERN_GROUP, p->b, FALSE);
        return p->a->nullable ? join(step, PATTERN_CHOICE, first, open_element(step, p->b)) : first;
    default:
        return simple(step, PATTERN_NOT_ALLOWED);
    }
}

const XmlPattern *
xml_derive_open(XmlPatternPool *pool, const XmlPattern *pattern, const char *name)
{
    const Step step = { .pool = pool, .name = name };

    return open_element(&step, pattern);
}

/* Text */

static gboolean
is_same_word(const char *word, const char *text)
{
    g_autofree char *plain = g_strstrip(g_strdup(text));

    return strcmp(word, plain) == 0;
}

static const XmlPattern *
take_text(const Step *step, const XmlPattern *p)
{
    const XmlPattern *first;
    gboolean fits;

    switch (p->kind) {
    case PATTERN_TEXT:
        return p;
    case PATTERN_VALUE:
    case PATTERN_DATA:
        fits = p->kind == PATTERN_VALUE ? is_same_word(p->name, step->text)
                                        : xml_datatype_takes(p->data, step->text);
        return simple(step, fits ? PATTERN_EMPTY : PATTERN_NOT_ALLOWED);
    case PATTERN_CHOICE:
        return join(step, PATTERN_CHOICE, take_text(step, p->a), take_text(step, p->b));
    case PATTERN_MANY:
        return join(step, PATTERN_GROUP, take_text(step, p->a), any_more(step, p));
    case PATTERN_AFTER:
        return join(step, PATTERN_AFTER, take_text(step, p->a), p->b);
    case PATTERN_INTERLEAVE:
        return join(step, PATTERN_CHOICE, join(step, p->kind, take_text(step, p->a), p->b),
                    join(step, p->kind, p->a, take_text(step, p->b)));
    case PATTERN_GROUP:
        first = join(step, PATTERN_GROUP, take_text(step, p->a), p->b);
        return p->a->nullable ? join(step, PATTERN_CHOICE, first, take_text(step, p->b)) : first;
    default:
        return simple(step, PATTERN_NOT_ALLOWED);
    }
}

const XmlPattern *
xml_derive_text(XmlPatternPool *pool, const XmlPattern *pattern, const char *text)
{
    const Step step = { .pool = pool, .text = text };

    return take_text(&step, pattern);
}

/* Attributes */

/* Nothing but blanks is as good as nothing where nothing will do. */
static gboolean
takes_value(const Step *step, const XmlPattern *value)
{
    return step->lenient || take_text(step, value)->nullable ||
           (value->nullable && is_same_word("", step->text));
}

static const XmlPattern *
take_attr(const Step *step, const XmlPattern *p)
{
    switch (p->kind) {
    case PATTERN_ATTRIBUTE:
        return simple(step, xml_pattern_is_called(p, step->name) && takes_value(step, p->a)
                                ? PATTERN_EMPTY
                                : PATTERN_NOT_ALLOWED);
    case PATTERN_CHOICE:
        return join(step, PATTERN_CHOICE, take_attr(step, p->a), take_attr(step, p->b));
    case PATTERN_MANY:
        return join(step, PATTERN_GROUP, take_attr(step, p->a), any_more(step, p));
    case PATTERN_AFTER:
        return join(step, PATTERN_AFTER, take_attr(step, p->a), p->b);
    case PATTERN_INTERLEAVE:
    case PATTERN_GROUP:
        return join(step, PATTERN_CHOICE, join(step, p->kind, take_attr(step, p->a), p->b),
                    join(step, p->kind, p->a, take_attr(step, p->b)));
    default:
        return simple(step, PATTERN_NOT_ALLOWED);
    }
}

const XmlPattern *
xml_derive_attr(XmlPatternPool *pool, const XmlPattern *pattern, const char *name, const char *value,
                gboolean any_value)
{
    const Step step = { pool, name, value, any_value };

    return take_attr(&step, pattern);
}

static const XmlPattern *
close_attrs(const Step *step, const XmlPattern *p)
{
    switch (p->kind) {
    case PATTERN_ATTRIBUTE:
        return simple(step, step->lenient ? PATTERN_EMPTY : PATTERN_NOT_ALLOWED);
    case PATTERN_CHOICE:
    case PATTERN_INTERLEAVE:
    case PATTERN_GROUP:
        return join(step, p->kind, close_attrs(step, p->a), close_attrs(step, p->b));
    case PATTERN_AFTER:
        return join(step, p->kind, close_attrs(step, p->a), p->b);
    case PATTERN_MANY:
        return xml_pattern_many(step->pool, close_attrs(step, p->a));
    default:
        return p;
    }
}

const XmlPattern *
xml_derive_content(XmlPatternPool *pool, const XmlPattern *pattern, gboolean leave_out)
{
    const Step step = { .pool = pool, .lenient = leave_out };

    return close_attrs(&step, pattern);
}

/* The end */

static const XmlPattern *
end_element(const Step *step, const XmlPattern *p)
{
    if (p->kind == PATTERN_CHOICE)
        return join(step, PATTERN_CHOICE, end_element(step, p->a), end_element(step, p->b));
    if (p->kind == PATTERN_AFTER && (p->a->nullable || step->lenient))
        return p->b;
    return simple(step, PATTERN_NOT_ALLOWED);
}

const XmlPattern *
xml_derive_end(XmlPatternPool *pool, const XmlPattern *pattern, gboolean cut_short)
{
    const Step step = { .pool = pool, .lenient = cut_short };

    return end_element(&step, pattern);
}

/* Expectations */

static void
add_once(GPtrArray *names, char *name)
{
    if (g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
        g_free(name);
    else
        g_ptr_array_add(names, name);
}

static void
add_values(const XmlPattern *p, GPtrArray *ret)
{
    if (p->kind == PATTERN_VALUE)
        add_once(ret, g_strdup_printf("'%s'", p->name));
    else if (p->kind == PATTERN_DATA)
        add_once(ret, xml_datatype_describe(p->data));
    else if (p->kind == PATTERN_TEXT)
        add_once(ret, g_strdup("a text"));
    if (p->kind < PATTERN_CHOICE)
        return;
    add_values(p->a, ret);
    if (p->b && p->kind != PATTERN_AFTER)
        add_values(p->b, ret);
}

static void
add_leaf(const XmlPattern *p, XmlExpectation what, GPtrArray *ret)
{
    gboolean element = what == EXPECT_ELEMENTS || what == EXPECT_MISSING_ELEMENTS;

    if (what == EXPECT_VALUES)
        add_values(p, ret);
    else if (element && p->kind == PATTERN_ELEMENT && p->name)
        add_once(ret, g_strdup_printf("<%s>", p->name));
    else if (!element && p->kind == PATTERN_ATTRIBUTE && p->name)
        add_once(ret, g_strdup_printf("'%s'", p->name));
}

/* Whether @p wants no attribute. */
static gboolean
needs_no_attr(const XmlPattern *p)
{
    switch (p->kind) {
    case PATTERN_ATTRIBUTE:
        return FALSE;
    case PATTERN_CHOICE:
        return needs_no_attr(p->a) || needs_no_attr(p->b);
    case PATTERN_INTERLEAVE:
    case PATTERN_GROUP:
        return needs_no_attr(p->a) && needs_no_attr(p->b);
    case PATTERN_AFTER:
    case PATTERN_MANY:
        return needs_no_attr(p->a);
    default:
        return TRUE;
    }
}

static gboolean
is_of_no_interest(const XmlPattern *p, XmlExpectation what)
{
    return (what == EXPECT_MISSING_ELEMENTS && p->nullable) ||
           (what == EXPECT_MISSING_ATTRIBUTES && needs_no_attr(p));
}

void
xml_derive_expected(const XmlPattern *p, XmlExpectation what, GPtrArray *ret)
{
    gboolean in_order = what == EXPECT_ELEMENTS || what == EXPECT_MISSING_ELEMENTS || what == EXPECT_VALUES;

    if (is_of_no_interest(p, what))
        return;
    if (p->kind < PATTERN_CHOICE) {
        add_leaf(p, what, ret);
        return;
    }
    xml_derive_expected(p->a, what, ret);
    if (!p->b || p->kind == PATTERN_AFTER || (p->kind == PATTERN_GROUP && in_order && !p->a->nullable))
        return;
    xml_derive_expected(p->b, what, ret);
}

void
xml_derive_expected_values(const XmlPattern *p, const char *name, GPtrArray *ret)
{
    if (p->kind == PATTERN_ATTRIBUTE && p->name && xml_pattern_is_called(p, name))
        add_values(p->a, ret);
    if (p->kind < PATTERN_CHOICE)
        return;
    xml_derive_expected_values(p->a, name, ret);
    if (p->b && p->kind != PATTERN_AFTER)
        xml_derive_expected_values(p->b, name, ret);
}
