#include "qemu-kvm-backend/pci-tree.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS            32u
#define FUNCTIONS        8u
#define SUBVENDOR        0x1af4 /* Red Hat's, with which guests know such machines ... */
#define SUBDEVICE        0x1100 /* ... as QEMU's */
#define HEADER_BRIDGE    0x01
#define HEADER_MULTI     0x80
#define STATUS_CAPS      0x0010
#define FIRST_CAPABILITY 0x40

/* Configuration space. */

uint32_t
pci_get(const PciFunction *fn, unsigned offset, unsigned size)
{
    uint32_t value = 0;

    assert(offset + size <= PCI_CONFIG_SIZE);
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)fn->config[offset + i] << (8 * i);
    return value;
}

static void
store(uint8_t *space, unsigned offset, unsigned size, uint32_t value)
{
    assert(offset + size <= PCI_CONFIG_SIZE);
    for (unsigned i = 0; i < size; i++)
        space[offset + i] = value >> (8 * i);
}

void
pci_set(PciFunction *fn, unsigned offset, unsigned size, uint32_t value)
{
    store(fn->config, offset, size, value);
}

void
pci_allow(PciFunction *fn, unsigned offset, unsigned size, uint32_t bits)
{
    store(fn->writable, offset, size, bits);
}

/* The tree. */

static void
lock(Pci *pci)
{
    pthread_mutex_lock(&pci->lock);
}

static void
unlock(Pci *pci)
{
    pthread_mutex_unlock(&pci->lock);
}

Pci *
pci_new(void)
{
    Pci *pci = vmm_must(calloc(1, sizeof(*pci)));

    pci->root = (PciBus){ .pci = pci, .name = "pcie.0" };
    pthread_mutex_init(&pci->lock, NULL);
    pthread_mutex_init(&pci->irq_lock, NULL);
    return pci;
}

void
pci_free(Pci *pci)
{
    if (!pci)
        return;
    pthread_mutex_destroy(&pci->irq_lock);
    pthread_mutex_destroy(&pci->lock);
    free(pci);
}

pthread_mutex_t *
pci_lock(Pci *pci)
{
    return &pci->lock;
}

PciBus *
pci_root(Pci *pci)
{
    return &pci->root;
}

PciFunction *
pci_next(const PciBus *bus, const PciFunction *after)
{
    return after ? after->next : bus->first;
}

static PciFunction *
function_at(const PciBus *bus, unsigned slot, unsigned function)
{
    for (PciFunction *fn = bus->first; fn; fn = fn->next) {
        if (fn->slot == slot && fn->function == function)
            return fn;
    }
    return NULL;
}

/* The bus that configuration cycles for number @n reach; @own is the number of @bus. */
static PciBus *
bus_numbered(PciBus *bus, unsigned own, unsigned n)
{
    if (n == own)
        return bus;
    for (PciFunction *fn = bus->first; fn; fn = fn->next) {
        unsigned secondary = fn->config[PCI_SECONDARY];

        /* Above its own bus, or a guest's numbers could lead in a circle. */
        if (fn->secondary && secondary > own && n >= secondary && n <= fn->config[PCI_SUBORDINATE])
            return bus_numbered(fn->secondary, secondary, n);
    }
    return NULL;
}

static PciBus *
bus_named(PciBus *bus, const char *name)
{
    PciBus *found = strcmp(bus->name, name) == 0 ? bus : NULL;

    for (PciFunction *fn = bus->first; fn && !found; fn = fn->next) {
        if (fn->secondary)
            found = bus_named(fn->secondary, name);
    }
    return found;
}

/* Building. */

void
pci_init(PciFunction *fn, const PciIdentity *identity, const PciOps *ops)
{
    fn->ops = ops;
    pci_set(fn, PCI_VENDOR, 2, identity->vendor);
    pci_set(fn, PCI_DEVICE, 2, identity->device);
    pci_set(fn, PCI_REVISION, 1, identity->revision);
    pci_set(fn, PCI_CLASS, 3, identity->class);
    pci_set(fn, PCI_SUBVENDOR, 2, SUBVENDOR);
    pci_set(fn, PCI_SUBDEVICE, 2, SUBDEVICE);
    pci_allow(fn, PCI_COMMAND, 2,
              PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
    pci_allow(fn, PCI_INTERRUPT_LINE, 1, 0xff);
    fn->next_capability = FIRST_CAPABILITY;
}

/* Function 0 says whether the slot has others (PCI 3.0, 6.2.1). */
static void
mark_functions(const PciBus *bus, unsigned slot)
{
    PciFunction *zero = function_at(bus, slot, 0);
    bool multi = false;

    for (const PciFunction *fn = bus->first; fn; fn = fn->next)
        multi |= fn->slot == slot && fn->function > 0;
    if (zero)
        zero->config[PCI_HEADER_TYPE] =
            (zero->config[PCI_HEADER_TYPE] & ~HEADER_MULTI) | (multi ? HEADER_MULTI : 0);
}

/* Tells the bridge that leads to @bus. What is there is found by function 0 (PCI 3.0, 3.2.2.3.4), so it is the last to
 * come where there are several. */
static void
tell_bridge(const PciBus *bus)
{
    PciFunction *bridge = bus->bridge;

    if (!bridge || !bridge->ops || !bridge->ops->plugged)
        return;
    pthread_mutex_lock(&bridge->dev.lock);
    bridge->ops->plugged(bridge, function_at(bus, 0, 0) != NULL);
    pthread_mutex_unlock(&bridge->dev.lock);
}

static void
insert(PciBus *bus, PciFunction *fn)
{
    PciFunction **at = &bus->first;

    while (*at && (*at)->slot * FUNCTIONS + (*at)->function < fn->slot * FUNCTIONS + fn->function)
        at = &(*at)->next;
    fn->next = *at;
    *at = fn;
    mark_functions(bus, fn->slot);
    tell_bridge(bus);
}

bool
pci_plug_at(PciFunction *fn, PciBus *bus, unsigned slot, unsigned function, VmmError *err)
{
    /* Below a root port there is one device, number 0 (PCI Express, 7.3.1). */
    if (slot >= (bus->bridge ? 1 : SLOTS) || function >= FUNCTIONS)
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s': bus '%s' has no slot %u.%u",
                         fn->dev.id, bus->name, slot, function);
    if (function_at(bus, slot, function))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Device '%s': slot %u.%u of bus '%s' is taken by device '%s'", fn->dev.id,
                         slot, function, bus->name, function_at(bus, slot, function)->dev.id);
    if (fn->dev.board->hot && function > 0 && function_at(bus, slot, 0))
        return vmm_error(err, VMM_ERROR_STATE,
                         "Device '%s': device '%s' is in slot %u of bus '%s' already, and a running guest does not look "
                         "for other functions of it",
                         fn->dev.id, function_at(bus, slot, 0)->dev.id, slot, bus->name);
    fn->bus = bus;
    fn->slot = slot;
    fn->function = function;
    lock(bus->pci);
    insert(bus, fn);
    unlock(bus->pci);
    return true;
}

static uint64_t
first_free_slot(const PciBus *bus)
{
    uint64_t slot = 0;

    for (const PciFunction *fn = bus->first; fn; fn = fn->next) {
        if (fn->slot == slot)
            slot++;
    }
    return slot;
}

bool
pci_plug(PciFunction *fn, VmmMsg *params, VmmError *err)
{
    Pci *pci = fn->dev.board->pci;
    const char *name = "pcie.0";
    uint64_t slot, function = 0;
    PciBus *bus;

    if (!pci)
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s': the board has no PCI", fn->dev.id);
    vmm_msg_get_string(params, "bus", &name);
    bus = bus_named(&pci->root, name);
    if (!bus)
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s': there is no PCI bus '%s'",
                         fn->dev.id, name);
    if (fn->dev.board->hot && !bus->bridge)
        return vmm_error(err, VMM_ERROR_STATE,
                         "Device '%s': nothing is plugged into PCI bus '%s' while the guest runs",
                         fn->dev.id, name);
    if (!vmm_msg_get_u64(params, "slot", &slot))
        slot = first_free_slot(bus);
    vmm_msg_get_u64(params, "function", &function);
    if (slot >= SLOTS || function >= FUNCTIONS)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Device '%s': there is no slot %" PRIu64 ".%" PRIu64 " on any PCI bus",
                         fn->dev.id, slot, function);
    return pci_plug_at(fn, bus, slot, function, err);
}

void
pci_unplug(PciFunction *fn)
{
    PciBus *bus = fn->bus;
    PciFunction **at;

    free(fn->secondary);
    fn->secondary = NULL;
    if (!bus)
        return;
    lock(bus->pci);
    pci_set_intx(fn, false);
    for (at = &bus->first; *at != fn; at = &(*at)->next)
        continue;
    *at = fn->next;
    mark_functions(bus, fn->slot);
    tell_bridge(bus);
    bus_remove(fn->dev.board->pio, &fn->dev);
    bus_remove(fn->dev.board->mmio, &fn->dev);
    pci_remap(bus->pci); /* what it answered for may be somebody's now */
    unlock(bus->pci);
    fn->bus = NULL;
}

static bool
press_button(PciFunction *bridge)
{
    bool heard;

    pthread_mutex_lock(&bridge->dev.lock);
    heard = bridge->ops->press_button(bridge);
    pthread_mutex_unlock(&bridge->dev.lock);
    return heard;
}

bool
pci_eject(PciFunction *fn, VmmError *err)
{
    PciFunction *bridge = fn->bus->bridge;
    bool heard;

    if (!bridge || !bridge->ops->press_button)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "Device '%s' cannot be taken from PCI bus '%s'", fn->dev.id,
                         fn->bus->name);
    if (fn->bus->first->next)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "Device '%s' shares the slot of PCI bus '%s' with others, which would go with it", fn->dev.id,
                         fn->bus->name);
    lock(fn->bus->pci);
    heard = press_button(bridge);
    unlock(fn->bus->pci);
    return heard ||
           vmm_error(err, VMM_ERROR_STATE,
                     "Device '%s': the guest does not listen to the slot's button yet", fn->dev.id);
}

void
pci_make_bridge(PciFunction *fn)
{
    fn->secondary = vmm_must(calloc(1, sizeof(PciBus)));
    *fn->secondary = (PciBus){ .pci = fn->dev.board->pci, .bridge = fn, .name = fn->dev.id };
    fn->config[PCI_HEADER_TYPE] |= HEADER_BRIDGE;
    pci_set(fn, PCI_SUBVENDOR, 4, 0); /* these are windows here */
    for (unsigned i = PCI_PRIMARY; i <= PCI_SUBORDINATE; i++)
        pci_allow(fn, i, 1, 0xff);
    pci_allow(fn, PCI_IO_BASE, 2, 0xf0f0);
    pci_allow(fn, PCI_MEM_BASE, 4, 0xfff0fff0);
    pci_set(fn, PCI_PREF_BASE, 4, 0x00010001); /* 64 bits */
    pci_allow(fn, PCI_PREF_BASE, 4, 0xfff0fff0);
    pci_allow(fn, PCI_PREF_BASE_HI, 4, 0xffffffff);
    pci_allow(fn, PCI_PREF_LIMIT_HI, 4, 0xffffffff);
    pci_allow(fn, PCI_BRIDGE_CONTROL, 2, 0x0043); /* parity, SERR, secondary bus reset */
}

void
pci_add_bar(PciFunction *fn, unsigned bar, uint64_t size, unsigned flags, const BusOps *ops)
{
    uint64_t mask = ~(size - 1);
    unsigned offset = PCI_BAR0 + 4 * bar;

    assert(size >= (flags & PCI_BAR_IO ? 4 : 16) && (size & (size - 1)) == 0);
    fn->bars[bar] = (PciBar){ .size = size, .flags = flags, .ops = ops };
    if (flags & PCI_BAR_IO) {
        pci_set(fn, offset, 4, 1);
        pci_allow(fn, offset, 4, mask & 0xfffc);
        return;
    }
    pci_set(fn, offset, 4, (flags & PCI_BAR_64 ? 4 : 0) | (flags & PCI_BAR_PREFETCH ? 8 : 0));
    pci_allow(fn, offset, 4, mask);
    if (flags & PCI_BAR_64)
        pci_allow(fn, offset + 4, 4, mask >> 32);
}

unsigned
pci_add_capability(PciFunction *fn, uint8_t id, unsigned size)
{
    unsigned offset = fn->next_capability;

    assert(offset + size <= PCI_CONFIG_SIZE);
    fn->config[offset] = id;
    fn->config[offset + 1] = fn->config[PCI_CAPABILITIES];
    fn->config[PCI_CAPABILITIES] = offset;
    pci_set(fn, PCI_STATUS, 2, pci_get(fn, PCI_STATUS, 2) | STATUS_CAPS);
    fn->next_capability = (offset + size + 3) & ~3u;
    return offset;
}

void
pci_add_pin(PciFunction *fn)
{
    fn->config[PCI_INTERRUPT_PIN] = 1;
}

void
pci_reset(PciFunction *fn)
{
    Pci *pci = fn->bus->pci;

    lock(pci);
    pthread_mutex_lock(&fn->dev.lock);
    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++)
        fn->config[i] &= ~(fn->writable[i] | fn->clearable[i]);
    pthread_mutex_unlock(&fn->dev.lock);
    pci_set_intx(fn, false);
    pci_mask_intx(fn);
    pci_remap(pci);
    unlock(pci);
}

/* The guest's accesses. */

static PciFunction *
find(Pci *pci, unsigned bus, unsigned devfn)
{
    const PciBus *at = bus_numbered(&pci->root, 0, bus);

    return at ? function_at(at, devfn / FUNCTIONS, devfn % FUNCTIONS) : NULL;
}

static bool
is_access(unsigned offset, unsigned size)
{
    return (size == 1 || size == 2 || size == 4) && offset % size == 0 && offset < PCI_ECAM_SIZE;
}

uint32_t
pci_config_read(Pci *pci, unsigned bus, unsigned devfn, unsigned offset, unsigned size)
{
    PciFunction *fn = find(pci, bus, devfn);
    uint32_t value;

    if (!fn || !is_access(offset, size))
        return UINT32_MAX;
    if (offset >= PCI_CONFIG_SIZE)
        return 0;
    pthread_mutex_lock(&fn->dev.lock);
    pci_refresh_status(fn);
    if (fn->ops && fn->ops->config_read)
        fn->ops->config_read(fn, offset, size);
    value = pci_get(fn, offset, size);
    pthread_mutex_unlock(&fn->dev.lock);
    return value;
}

/* True where COMMAND, a BAR or a window has changed. */
static bool
write_bytes(PciFunction *fn, unsigned offset, unsigned size, uint32_t value)
{
    bool moves = false;

    for (unsigned i = offset; i < offset + size; i++, value >>= 8) {
        uint8_t before = fn->config[i], bits = fn->writable[i];

        fn->config[i] = ((before & ~bits) | (value & bits)) & ~(value & fn->clearable[i]);
        moves |= fn->config[i] != before &&
                 (i == PCI_COMMAND || (i >= PCI_BAR0 && i < PCI_IO_LIMIT_HI + 2));
    }
    return moves;
}

void
pci_config_write(Pci *pci, unsigned bus, unsigned devfn, unsigned offset, unsigned size,
                 uint32_t value)
{
    PciFunction *fn = find(pci, bus, devfn);
    bool moves;

    if (!fn || !is_access(offset, size) || offset >= PCI_CONFIG_SIZE)
        return;
    pthread_mutex_lock(&fn->dev.lock);
    moves = write_bytes(fn, offset, size, value);
    if (offset <= PCI_COMMAND + 1)
        pci_mask_intx(fn);
    if (fn->ops && fn->ops->config_written)
        fn->ops->config_written(fn, offset, size);
    pthread_mutex_unlock(&fn->dev.lock);
    if (moves)
        pci_remap(pci);
}

/* State. */

static void
save_config(const void *object, StateOut *out)
{
    state_put_bytes(out, ((const PciFunction *)object)->config, PCI_CONFIG_SIZE);
}

/* What makes it the device that the guest has found: nothing that a guest or the device itself changes. */
static bool
is_same_device(const PciFunction *fn, const uint8_t *config)
{
    static const struct {
        uint8_t offset, size;
    } identity[] = {
        { PCI_VENDOR, 4 },
        { PCI_REVISION, 4 },
        { PCI_SUBVENDOR, 4 },
        { PCI_CAPABILITIES, 1 },
    };

    for (size_t i = 0; i < sizeof(identity) / sizeof(identity[0]); i++) {
        for (unsigned at = identity[i].offset; at < identity[i].offset + identity[i].size; at++) {
            if ((fn->config[at] ^ config[at]) & ~(fn->writable[at] | fn->clearable[at]))
                return false;
        }
    }
    return true;
}

static bool
load_config(void *object, const void *data, size_t size, VmmError *err)
{
    PciFunction *fn = object;

    if (size != PCI_CONFIG_SIZE || !is_same_device(fn, data))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The saved device '%s' was another kind of PCI device, or an older one",
                         fn->dev.id);
    memcpy(fn->config, data, size);
    pci_mask_intx(fn);
    return true;
}

static uint64_t
get_intx(const void *object)
{
    return ((const PciFunction *)object)->intx;
}

static bool
set_intx(void *object, uint64_t value)
{
    if (value > 1)
        return false;
    pci_set_intx(object, value);
    return true;
}

const StateField pci_function_fields[] = {
    STATE_BLOB("config", save_config, load_config),
    STATE_VALUE("intx", get_intx, set_intx),
    STATE_END,
};

const StateTable pci_function_state = { .version = 1, .fields = pci_function_fields };
