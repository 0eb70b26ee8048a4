/* xml-facts: what a domain document says, as a list of paths and values. */
#pragma once

#include "driver/xml-read.h"

typedef struct XmlFact {
    char *path;  /* as the policy table has it: "os/loader", "vcpu/@current" */
    char *value; /* of an attribute, or the text of an element without elements; "" otherwise */
} XmlFact;

/* All elements and attributes below the document's root, in order: g_ptr_array_unref() it. */
GPtrArray *xml_facts(const XmlNode *root);
