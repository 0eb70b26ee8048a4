#include "driver/xml-datatype.h"

#include <libxml/xmlregexp.h>
#include <string.h>

/* The range that a number's type has by itself. */
static const struct NumberType {
    const char *name;
    gboolean sign; /* may have one */
    gint64 min;
    guint64 max;
} numbers[] = {
    /* clang-format off */
    { "int", TRUE, G_MININT32, G_MAXINT32 },
    { "long", TRUE, G_MININT64, G_MAXINT64 },
    { "positiveInteger", TRUE, 1, G_MAXUINT64 },
    { "unsignedByte", FALSE, 0, G_MAXUINT8 },
    { "unsignedInt", FALSE, 0, G_MAXUINT32 },
    { "unsignedLong", FALSE, 0, G_MAXUINT64 },
    { "unsignedShort", FALSE, 0, G_MAXUINT16 },
    /* clang-format on */
};

struct XmlDatatype {
    gboolean number; /* else a string */
    gboolean sign;
    gint64 min;
    guint64 max;
    char *pattern; /* or NULL */
    xmlRegexp *regexp;
};

XmlDatatype *
xml_datatype_new(const char *name)
{
    XmlDatatype *type = g_new0(XmlDatatype, 1);

    if (strcmp(name, "string") == 0)
        return type;
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (strcmp(numbers[i].name, name) == 0) {
            type->number = TRUE;
            type->sign = numbers[i].sign;
            type->min = numbers[i].min;
            type->max = numbers[i].max;
            return type;
        }
    }
    g_free(type);
    return NULL;
}

void
xml_datatype_free(XmlDatatype *type)
{
    if (!type)
        return;
    if (type->regexp)
        xmlRegFreeRegexp(type->regexp);
    g_free(type->pattern);
    g_free(type);
}

/* A whole number, blanks around it left out: its sign and how big it is without. */
static gboolean
parse_number(const XmlDatatype *type, const char *text, gboolean *ret_negative, guint64 *ret)
{
    g_autofree char *plain = g_strstrip(g_strdup(text));
    const char *digits = plain + (type->sign && (*plain == '-' || *plain == '+'));

    *ret_negative = *plain == '-';
    return g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT64, ret, NULL);
}

gboolean
xml_datatype_set(XmlDatatype *type, const char *param, const char *value)
{
    gboolean negative;
    guint64 number;

    if (strcmp(param, "pattern") == 0) {
        type->pattern = g_strdup(value);
        type->regexp = xmlRegexpCompile((const xmlChar *)value);
        return type->regexp != NULL;
    }
    if (!parse_number(type, value, &negative, &number))
        return FALSE;
    if (strcmp(param, "minInclusive") == 0)
        type->min = negative ? -(gint64)number : (gint64)number;
    else if (strcmp(param, "maxInclusive") == 0 && !negative)
        type->max = number;
    else
        return FALSE;
    return TRUE;
}

static gboolean
is_in_range(const XmlDatatype *type, const char *text)
{
    gboolean negative;
    guint64 number;

    if (!parse_number(type, text, &negative, &number))
        return FALSE;
    if (negative && number > 0)
        return type->min < 0 && number <= -(guint64)type->min;
    return number <= type->max && (type->min <= 0 || number >= (guint64)type->min);
}

gboolean
xml_datatype_takes(const XmlDatatype *type, const char *text)
{
    return (!type->number || is_in_range(type, text)) &&
           (!type->regexp || xmlRegexpExec(type->regexp, (const xmlChar *)text) == 1);
}

char *
xml_datatype_describe(const XmlDatatype *type)
{
    if (type->pattern)
        return g_strdup_printf("%s of the form '%s'", type->number ? "a number" : "a text", type->pattern);
    if (!type->number)
        return g_strdup("a text");
    if (type->max == G_MAXUINT64)
        return g_strdup_printf("a number from %" G_GINT64_FORMAT, type->min);
    return g_strdup_printf("a number from %" G_GINT64_FORMAT " to %" G_GUINT64_FORMAT, type->min, type->max);
}
