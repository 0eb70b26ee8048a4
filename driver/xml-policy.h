/* xml-policy: what becomes of each element, attribute and value of libvirt's domain document.
 *
 * One table by path says for everything that can stand in such a document whether this machine
 * honours it. What it cannot honour is an error that names it, so that no part of a definition is
 * dropped without a word. What libvirt does not know either is ignored, as libvirt does.
 */
#pragma once

#include "driver/xml-read.h"

typedef enum XmlVerdict {
    XML_HONOUR, /* read by the parser; below an element, its own rows decide */
    XML_EACH, /* the same, and there may be several; a second one of another element is an error */
    XML_ACCEPT,   /* taken with the values in words only: it asks for what is so anyway */
    XML_VERBATIM, /* kept with everything below it; nobody here reads it */
    XML_REJECT,   /* refused with everything below it */
} XmlVerdict;

typedef struct XmlPolicy {
    const char *path; /* "os/loader", "vcpu/@cpuset"; below <domain>; "{uri}name" in a namespace */
    XmlVerdict verdict;
    /* Values, with spaces between: of HONOUR and EACH those that libvirt knows and this machine refuses
     * (others are the parser's to judge), of ACCEPT the only ones taken. */
    const char *words;
    const char *reason; /* of ACCEPT: why taking it changes nothing */
} XmlPolicy;

extern const XmlPolicy xml_policies[];
extern const gsize xml_n_policies;

const XmlPolicy *xml_policy_find(const char *path);
/* Checks the document below @domain. VIR_ERR_CONFIG_UNSUPPORTED names the first thing refused,
 * VIR_ERR_XML_ERROR an element that is there twice and would be read once. */
gboolean xml_policy_check(const XmlNode *domain, GError **error);
/* The same for the document of a single device. */
gboolean xml_policy_check_device(const XmlNode *device, GError **error);
