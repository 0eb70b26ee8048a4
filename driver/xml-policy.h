/* xml-policy: what becomes of each element, attribute and value of libvirt's domain document.
 *
 * One table by path says for everything that can stand in such a document whether this machine
 * honours it. What it cannot honour is an error that names it, so that no part of a definition is
 * dropped without a word. What libvirt does not know either is ignored, as libvirt does.
 */
#pragma once

#include "driver/xml-policy-tree.h"
#include "driver/xml-read.h"

/* Whether the element @node of <devices> stays in a definition without effect: what the machine lacks, or NULL. */
const char *xml_policy_keeps(const XmlNode *node);
/* Checks the document below @domain. VIR_ERR_CONFIG_UNSUPPORTED names the first thing refused,
 * VIR_ERR_XML_ERROR an element that is there twice and would be read once. */
gboolean xml_policy_check(const XmlNode *domain, GError **error);
/* The same for the document of a single device. */
gboolean xml_policy_check_device(const XmlNode *device, GError **error);
