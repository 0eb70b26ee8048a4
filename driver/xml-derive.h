/* xml-derive: what of a schema's pattern is left behind each piece of a document (James Clark, "An algorithm for
 * RELAX NG validation"): its derivative. PATTERN_NOT_ALLOWED is left where the piece should not be there, and what
 * was before tells what should.
 *
 * Elements: xml_derive_open(), xml_derive_attr() for each attribute, xml_derive_content(), the children or the
 * text, xml_derive_end(). With @any_value, @leave_out or @cut_short they go on behind a fault.
 */
#pragma once

#include "driver/xml-pattern.h"

const XmlPattern *xml_derive_open(XmlPatternPool *pool, const XmlPattern *pattern, const char *name);
const XmlPattern *xml_derive_attr(XmlPatternPool *pool, const XmlPattern *pattern, const char *name,
                                  const char *value, gboolean any_value);
/* No more attributes; @leave_out: those that are missing are not missed. */
const XmlPattern *xml_derive_content(XmlPatternPool *pool, const XmlPattern *pattern, gboolean leave_out);
const XmlPattern *xml_derive_text(XmlPatternPool *pool, const XmlPattern *pattern, const char *text);
/* The element ends; @cut_short: even if something is missing. */
const XmlPattern *xml_derive_end(XmlPatternPool *pool, const XmlPattern *pattern, gboolean cut_short);

/* What could have come. Names and words of leaves of a kind that may come next, in the schema's order, added to
 * @ret once each; only within the element that is open. */
typedef enum XmlExpectation {
    EXPECT_ELEMENTS, /* that may come next */
    EXPECT_ATTRIBUTES,
    EXPECT_VALUES,            /* as text */
    EXPECT_MISSING_ELEMENTS,  /* that have to come */
    EXPECT_MISSING_ATTRIBUTES,
} XmlExpectation;
void xml_derive_expected(const XmlPattern *pattern, XmlExpectation what, GPtrArray *ret);
/* What values an attribute called @name may have. */
void xml_derive_expected_values(const XmlPattern *pattern, const char *name, GPtrArray *ret);
