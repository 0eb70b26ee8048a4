/* xml-write: a document in libvirt's normal form: two spaces a level, single quotes, elements
 * without content closed at once.
 */
#pragma once

#include <glib.h>

typedef struct XmlWriter XmlWriter;

XmlWriter *xml_writer_new(void);
/* The document's text, the caller's; frees @out. Every element must be closed. */
char *xml_writer_finish(XmlWriter *out);

/* @name must be a constant: it is kept until the element is closed. */
void xml_open(XmlWriter *out, const char *name);
/* Only between xml_open() and the element's first content. */
void xml_put_attr(XmlWriter *out, const char *name, const char *value);
void xml_put_attr_uint(XmlWriter *out, const char *name, guint64 value);
/* "0x0a": of @digits, up to 8, at least. */
void xml_put_attr_hex(XmlWriter *out, const char *name, int digits, guint value);
void xml_put_text(XmlWriter *out, const char *text);
void xml_put_text_uint(XmlWriter *out, guint64 value);
/* Ends the tag: the element is closed on a line of its own even if nothing comes in between. */
void xml_begin_content(XmlWriter *out);
void xml_close(XmlWriter *out);

/* <name>text</name> on a line of its own; nothing where @text is NULL. */
void xml_put_element(XmlWriter *out, const char *name, const char *text);
/* A line that is XML already. */
void xml_put_raw(XmlWriter *out, const char *xml);
