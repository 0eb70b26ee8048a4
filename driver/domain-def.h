/* domain-def: what a domain document says, as values. No XML, no host, no running guest here.
 *
 * domain-xml parses a document into one of these and formats it again; a definition that went
 * through domain_def_check() can be started as far as its own text can tell.
 */
#pragma once

#include "driver/device.h"
#include "driver/domain-clock.h"
#include "driver/domain-cpu.h"
#include "driver/domain-features.h"
#include "driver/domain-iothreads.h"
#include "driver/domain-numatune.h"
#include "driver/domain-memory.h"
#include "driver/domain-os.h"
#include "driver/domain-pm.h"
#include "driver/domain-tune.h"
#include "driver/sysinfo.h"

#include <glib.h>
#include <libvirt/libvirt.h>

#define DOMAIN_UUID_SIZE 37  /* with the dashes and the NUL */
#define DOMAIN_VCPUS_MAX 255 /* APIC ids 0 to 254 are those that an I/O APIC can address */

/* What to do when the guest ends in some way (virDomainLifecycleAction's order and words). */
typedef enum DomainAction {
    DOMAIN_ACTION_DESTROY,
    DOMAIN_ACTION_RESTART,
    DOMAIN_ACTION_RESTART_RENAME,
    DOMAIN_ACTION_PRESERVE,
} DomainAction;

/* <domain type=...>. A domain of the last kind is no machine's: it is what libvirt's test driver makes of a
 * document, without the devices, places and models that a machine would add. Only a simulated driver runs it. */
typedef enum DomainVirt {
    DOMAIN_VIRT_KVM,
    DOMAIN_VIRT_TEST,
} DomainVirt;

typedef struct DomainDef {
    DomainVirt virt;
    char *name;
    char uuid[DOMAIN_UUID_SIZE];
    char *title, *description; /* NULL: none */
    char *metadata;            /* the <metadata> element verbatim, NULL: none */
    guint64 memory_kib;        /* maximum, and what the guest starts with */
    guint64 current_memory_kib;
    DomainMemory backing;
    guint vcpus; /* maximum */
    guint current_vcpus;
    DomainIoThreads iothreads;
    DomainTune tune;
    DomainNumatune numatune;
    Sysinfo sysinfo;
    DomainOs os;
    DomainFeatures features;
    DomainCpu cpu;
    DomainClock clock;
    DomainAction on_poweroff, on_reboot, on_crash;
    DomainPm pm;
    char *emulator;       /* NULL: ours */
    GPtrArray *devices;   /* of Device, in libvirt's order of formatting */
    gboolean no_seclabel; /* <seclabel type='none'/> */
} DomainDef;

/* An empty definition with libvirt's defaults; no name and no uuid yet. */
DomainDef *domain_def_new(void);
void domain_def_free(DomainDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainDef, domain_def_free)

/* A second one, equal and independent. */
DomainDef *domain_def_copy(const DomainDef *def);
/* Fills in what the document left open and libvirt would write back: uuid, current memory and
 * vCPUs, the console that goes with the first serial port. */
void domain_def_complete(DomainDef *def);
void domain_def_set_virt(DomainDef *def, DomainVirt virt); /* of an empty definition */
gboolean domain_def_has_serial(const DomainDef *def);
/* Whether this machine can honour it; the error names what it cannot. */
gboolean domain_def_check(const DomainDef *def, GError **error);
/* The name on its own: libvirt's rules, and what a file can be called. */
gboolean domain_def_check_name(const char *name, GError **error);
/* What a live definition has beyond a defined one: aliases for devices without one. */
void domain_def_assign_aliases(DomainDef *def);

const char *domain_action_to_string(DomainAction action);
/* The words of the enums, each list in the enum's order and ended by NULL. */
extern const char *const domain_action_words[];
extern const char *const domain_virt_words[];
