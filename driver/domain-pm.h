/* domain-pm: the <pm> element: what a guest is offered to suspend itself to, its memory and its disk. */
#pragma once

#include <glib.h>

struct _xmlNode;
struct VmmMsg;
struct XmlWriter;

/* virTristateBool's numbers; what is not said is offered, as by QEMU's machines. */
typedef enum DomainPmState {
    DOMAIN_PM_DEFAULT,
    DOMAIN_PM_YES,
    DOMAIN_PM_NO,
} DomainPmState;

typedef struct DomainPm {
    DomainPmState to_mem, to_disk;
} DomainPm;

/* The <pm> child of @root, if there is one. */
gboolean domain_pm_parse(DomainPm *pm, const struct _xmlNode *root, GError **error);
void domain_pm_format(const DomainPm *pm, struct XmlWriter *out);
/* The keys of "create" about it. */
void domain_pm_lower(const DomainPm *pm, struct VmmMsg *msg);
