/* markup: a device's document, written piece by piece as virsh lays it out: an element a line, two blanks further in. */
#pragma once

#include <glib.h>

/* " NAME='VALUE'", and nothing where @value is NULL. */
void markup_attribute(GString *xml, const char *name, const char *value);
/* A line "  <ELEMENT NAME='VALUE'/>", and one "  <ELEMENT>TEXT</ELEMENT>"; nothing where the value is NULL. */
void markup_element(GString *xml, const char *element, const char *name, const char *value);
void markup_text(GString *xml, const char *element, const char *text);
