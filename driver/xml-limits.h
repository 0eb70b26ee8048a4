/* xml-limits: a quick look over a document's text before the parser gets it.
 *
 * libxml2 does what a document asks for, at a price: it compares each attribute of an element with
 * every other, looks for a prefix through every namespace in scope, and expands entities. One pass
 * over the bytes finds the documents that would make it slow, in time proportional to their length.
 */
#pragma once

#include <glib.h>

#define XML_SIZE_MAX       (4u << 20) /* bytes in a document */
#define XML_DEPTH_MAX      128        /* elements within elements */
#define XML_ATTRIBUTES_MAX 256        /* of one element */
#define XML_NAMESPACES_MAX 256        /* declarations in a document */

typedef struct XmlExcess {
    const char *what; /* what is over a limit, a constant text */
    const char *at;   /* the place in the document, and its line counted from 1 */
    guint line;
} XmlExcess;

/* Whether @xml keeps to these limits, has no document type declaration, and is written in an
 * encoding that contains ASCII, without which the look could not see anything. A document that is
 * not well formed may pass: the parser will tell. */
gboolean xml_limits_check(const char *xml, XmlExcess *ret_excess);
