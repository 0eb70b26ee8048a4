/* xml-policy-tree: the policy's rows as the tree of elements that their paths are of, for who walks a document.
 *
 * A place in it is an element or an attribute that a row is about; <domain> itself has none. The tree is made at the first
 * use and stays; finding what is in a place takes no memory and no more time than the name is long.
 */
#pragma once

#include "driver/xml-policy-rows.h"

typedef struct XmlPlace XmlPlace;

/* Tables of rows, each ended by a row without a path; NULL ends them. Each row has its own path, and each element
 * around what it is about has a row, too. */
extern const XmlPolicy *const xml_policy_tables[];

/* The place of <domain>. */
const XmlPlace *xml_place_domain(void);
/* The one of the element @name of the namespace @ns (NULL: none) within @around, or of the attribute @name, which has no
 * namespace; NULL: no row is about it. @around may be NULL, where no row is about anything. */
const XmlPlace *xml_place_element(const XmlPlace *around, const char *ns, const char *name);
const XmlPlace *xml_place_attr(const XmlPlace *around, const char *name);
/* The row that is about it; NULL for <domain> and for NULL. */
const XmlPolicy *xml_place_policy(const XmlPlace *place);

/* By the whole path, as it stands in a row; NULL: there is none. */
const XmlPolicy *xml_policy_find(const char *path);
