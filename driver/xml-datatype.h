/* xml-datatype: the types of XML Schema that our schemas use for texts and numbers. */
#pragma once

#include <glib.h>

typedef struct XmlDatatype XmlDatatype;

/* NULL: no such type. */
XmlDatatype *xml_datatype_new(const char *type);
void xml_datatype_free(XmlDatatype *type);
/* FALSE: @param is none that it has, or @value none for it. */
gboolean xml_datatype_set(XmlDatatype *type, const char *param, const char *value);

gboolean xml_datatype_takes(const XmlDatatype *type, const char *text);
/* What it takes, in words: "a number from 1 to 256", the caller's to free. */
char *xml_datatype_describe(const XmlDatatype *type);
