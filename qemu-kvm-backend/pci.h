/* pci: functions in a tree of buses, and their configuration space (PCI 3.0; PCI Express 5.0).
 *
 * A function is a Device whose first member is a PciFunction. Its configuration space has the 256 bytes
 * of conventional PCI; the rest of the 4096 reads as zero, an empty list of extended capabilities.
 * The guest reaches it through the host bridge (hw/pci-host.c) with the tree's lock, which is taken before any
 * function's own.
 *
 * BARs answer on the buses while COMMAND, and the windows of the bridges above, let them. Where two
 * functions or a function and something else claim an address the first one keeps it; the other one
 * answers as soon as it is free. An address that is RAM never gets here.
 */
#pragma once

#include "qemu-kvm-backend/device.h"
#include "qemu-kvm-backend/state.h"

/* Type 0 and 1 headers, PCI 3.0 section 6.1 and PCI-to-PCI bridge 1.2 section 3.2. */
#define PCI_VENDOR         0x00
#define PCI_DEVICE         0x02
#define PCI_COMMAND        0x04
#define PCI_STATUS         0x06
#define PCI_REVISION       0x08
#define PCI_CLASS          0x09 /* three bytes: interface, subclass, class */
#define PCI_HEADER_TYPE    0x0e
#define PCI_BAR0           0x10
#define PCI_SUBVENDOR      0x2c
#define PCI_SUBDEVICE      0x2e
#define PCI_CAPABILITIES   0x34
#define PCI_INTERRUPT_LINE 0x3c
#define PCI_INTERRUPT_PIN  0x3d
#define PCI_PRIMARY        0x18
#define PCI_SECONDARY      0x19
#define PCI_SUBORDINATE    0x1a
#define PCI_IO_BASE        0x1c
#define PCI_IO_LIMIT       0x1d
#define PCI_MEM_BASE       0x20
#define PCI_MEM_LIMIT      0x22
#define PCI_PREF_BASE      0x24
#define PCI_PREF_LIMIT     0x26
#define PCI_PREF_BASE_HI   0x28
#define PCI_PREF_LIMIT_HI  0x2c
#define PCI_IO_BASE_HI     0x30
#define PCI_IO_LIMIT_HI    0x32
#define PCI_BRIDGE_CONTROL 0x3e

#define PCI_COMMAND_IO           0x0001
#define PCI_COMMAND_MEMORY       0x0002
#define PCI_COMMAND_MASTER       0x0004
#define PCI_COMMAND_INTX_DISABLE 0x0400

#define PCI_CONFIG_SIZE 256
#define PCI_ECAM_SIZE   4096 /* of a function, in memory space */
#define PCI_BARS        6
#define PCI_LINES       8 /* interrupt lines of the host: GSI 16 to 23 */

#define PCI_BAR_IO       1u
#define PCI_BAR_64       2u
#define PCI_BAR_PREFETCH 4u

typedef struct Pci Pci;
typedef struct PciBus PciBus;
typedef struct PciFunction PciFunction;

typedef struct PciIdentity {
    uint16_t vendor, device;
    uint8_t revision;
    uint32_t class; /* class, subclass, interface: 0x060400 */
} PciIdentity;

/* With the tree's lock and the function's held. NULL: nothing to do. */
typedef struct PciOps {
    /* Before a read and after a write of configuration space. */
    void (*config_read)(PciFunction *fn, unsigned offset, unsigned size);
    void (*config_written)(PciFunction *fn, unsigned offset, unsigned size);
    /* A BAR has begun or ceased to answer; bars[bar].base is where. */
    void (*bar_moved)(PciFunction *fn, unsigned bar);
    /* Of a bridge that can be plugged into: something is behind it now, or nothing is any longer. */
    void (*plugged)(PciFunction *bridge, bool present);
    /* Asks the guest to let go of what is behind it; false where nobody listens. */
    bool (*press_button)(PciFunction *bridge);
} PciOps;

typedef struct PciBar {
    uint64_t size; /* a power of two; 0: there is none */
    unsigned flags;
    const BusOps *ops;
    bool mapped;
    uint64_t base; /* where, while it is mapped */
} PciBar;

struct PciFunction {
    Device dev;
    const PciOps *ops;
    PciBus *bus;       /* NULL: not plugged in */
    PciFunction *next; /* on the same bus */
    uint8_t slot, function;
    uint8_t config[PCI_CONFIG_SIZE];
    uint8_t writable[PCI_CONFIG_SIZE];  /* bits that the guest may write ... */
    uint8_t clearable[PCI_CONFIG_SIZE]; /* ... and those that it clears by writing 1 */
    uint8_t next_capability;            /* where the next one goes */
    PciBar bars[PCI_BARS];
    PciBus *secondary;    /* of a bridge */
    struct PciMsix *msix; /* where it has vectors */
    bool intx;            /* drives its interrupt pin ... */
    bool intx_masked;     /* ... which COMMAND keeps from arriving, or that it sends messages (PCI 3.0, 6.8.2) */
};

/* The tree, which is its root bus "pcie.0" at first. */
Pci *pci_new(void);
void pci_free(Pci *pci);
pthread_mutex_t *pci_lock(Pci *pci);
PciBus *pci_root(Pci *pci);

/* Building a function, from its create hook: pci_init() first, and once all is there it is plugged in, for
 * from then on the guest may see it. */

void pci_init(PciFunction *fn, const PciIdentity *identity, const PciOps *ops);
/* Makes @fn a bridge to a bus of its own, named by the device's id. */
void pci_make_bridge(PciFunction *fn);
/* @size: a power of two, at least 16 in memory space; a 64-bit BAR takes two places. */
void pci_add_bar(PciFunction *fn, unsigned bar, uint64_t size, unsigned flags, const BusOps *ops);
/* A capability of @size bytes, its id and link included; its offset. */
unsigned pci_add_capability(PciFunction *fn, uint8_t id, unsigned size);
/* Interrupt pin INTA. */
void pci_add_pin(PciFunction *fn);
/* Plugs @fn in where the keys "bus" string ("pcie.0" or a bridge's id; pcie.0), "slot" u64 (the first
 * one that is free) and "function" u64 (0) of @params say. */
bool pci_plug(PciFunction *fn, VmmMsg *params, VmmError *err);
bool pci_plug_at(PciFunction *fn, PciBus *bus, unsigned slot, unsigned function, VmmError *err);
/* Undoes all of it, from the destroy hook; no vCPU runs. */
void pci_unplug(PciFunction *fn);
/* Asks the guest to let go of @fn, from the eject hook: what follows comes from the bridge. */
bool pci_eject(PciFunction *fn, VmmError *err);

/* Configuration space as the function itself sees it, little-endian whatever the host is. */
uint32_t pci_get(const PciFunction *fn, unsigned offset, unsigned size);
void pci_set(PciFunction *fn, unsigned offset, unsigned size, uint32_t value);
/* Lets the guest write @bits of a field. */
void pci_allow(PciFunction *fn, unsigned offset, unsigned size, uint32_t bits);

/* Power-on state, from the reset hook: everything that the guest may write is zero, no BAR answers. */
void pci_reset(PciFunction *fn);
/* Drives the interrupt pin as a level, to GSI 16 to 23, and to where pci_lead_line() says. Any thread, any lock. */
void pci_set_intx(PciFunction *fn, bool level);
/* For the bridge @fn that leads lines to the PICs: @line (0 to 7) drives ISA interrupt @irq, too, as other lines may that
 * lead there; 0: none. Any lock. */
void pci_lead_line(PciFunction *fn, unsigned line, unsigned irq);

/* A function as it is saved: configuration space and interrupt pin; for a STATE_STRUCT of each device on PCI.
 * Where it is plugged in is the machine's configuration. BARs answer again after pci_remap(). */
extern const StateTable pci_function_state;
/* Its fields, for a function that has no others, but something to do once they are loaded. */
extern const StateField pci_function_fields[];

/* For the host bridge, with the tree's lock held. */

/* Accesses of 1, 2 or 4 bytes to the configuration space at @bus, @devfn (slot * 8 + function): all ones
 * where there is none. */
uint32_t pci_config_read(Pci *pci, unsigned bus, unsigned devfn, unsigned offset, unsigned size);
void pci_config_write(Pci *pci, unsigned bus, unsigned devfn, unsigned offset, unsigned size,
                      uint32_t value);
/* Lets BARs answer or not, as configuration space now says. */
void pci_remap(Pci *pci);

/* From where to where the functions of the root bus and what is behind them answer at or above @floor, as firmware has placed
 * them; false: nowhere. */
bool pci_answers_above(const Pci *pci, uint64_t floor, uint64_t *ret_first, uint64_t *ret_end);

/* The functions of @bus in the order of their places, NULL at the end; @after NULL: the first. */
PciFunction *pci_next(const PciBus *bus, const PciFunction *after);
/* The interrupt line, 0 to 7, at which pin 1 (INTA) to 4 of @slot on the root bus arrives. */
unsigned pci_line(unsigned slot, unsigned pin);
