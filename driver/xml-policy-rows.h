/* xml-policy-rows: the policy's tables, one for each part of the document. A row without a path ends each. */
#pragma once

#include <glib.h>

typedef enum XmlVerdict {
    XML_HONOUR, /* read by the parser; below an element, its own rows decide */
    XML_EACH, /* the same, and there may be several; a second one of another element is an error */
    XML_ACCEPT,   /* taken with the values in words only: it asks for what is so anyway */
    XML_KEEP, /* stays as it is with everything below it, and has no effect: the machine has no such thing;
                 of what is below, rows decide where there are any */
    XML_VERBATIM, /* kept with everything below it; nobody here reads it */
    XML_REJECT,   /* refused with everything below it */
} XmlVerdict;

typedef struct XmlPolicy {
    const char *path; /* "os/loader", "vcpu/@cpuset"; below <domain>; "{uri}name" in a namespace */
    XmlVerdict verdict;
    /* Values, with spaces between: of HONOUR, EACH and KEEP those that libvirt knows and this machine refuses
     * (others are the parser's to judge), of ACCEPT the only ones taken. */
    const char *words;
    const char *reason; /* of ACCEPT: why taking it changes nothing; of KEEP and @kept: what the machine lacks */
    const char *kept; /* values of an attribute "bus", "type" or "model" by which its element is kept as with KEEP */
} XmlPolicy;

extern const XmlPolicy xml_policy_rows_domain[];
extern const XmlPolicy xml_policy_rows_disk[];
extern const XmlPolicy xml_policy_rows_interface[];
extern const XmlPolicy xml_policy_rows_chardev[];
extern const XmlPolicy xml_policy_rows_devices[]; /* the others among them */

/* Types of <address> that this machine has no bus for. */
#define ADDRESS_TYPES                                                                              \
    "drive virtio-serial ccid usb spapr-vio virtio-s390 ccw virtio-mmio isa dimm unassigned"

/* The rows of an <address> that can be a PCI one. */
/* clang-format off */
#define PCI_ADDRESS_ROWS(parent)                                                                   \
    { parent "/address", XML_HONOUR },                                                             \
    { parent "/address/@type", XML_HONOUR, ADDRESS_TYPES },                                        \
    { parent "/address/@domain", XML_HONOUR },                                                     \
    { parent "/address/@bus", XML_HONOUR },                                                        \
    { parent "/address/@slot", XML_HONOUR },                                                       \
    { parent "/address/@function", XML_HONOUR },                                                   \
    { parent "/address/@multifunction", XML_HONOUR },                                              \
    { parent "/address/@base", XML_REJECT },                                                       \
    { parent "/address/@controller", XML_REJECT },                                                 \
    { parent "/address/@cssid", XML_REJECT },                                                      \
    { parent "/address/@devno", XML_REJECT },                                                      \
    { parent "/address/@iobase", XML_REJECT },                                                     \
    { parent "/address/@irq", XML_REJECT },                                                        \
    { parent "/address/@port", XML_REJECT },                                                       \
    { parent "/address/@reg", XML_REJECT },                                                        \
    { parent "/address/@ssid", XML_REJECT },                                                       \
    { parent "/address/@target", XML_REJECT },                                                     \
    { parent "/address/@unit", XML_REJECT },                                                       \
    { parent "/address/zpci", XML_REJECT }
/* clang-format on */
