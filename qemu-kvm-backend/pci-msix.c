#include "qemu-kvm-backend/pci-msix.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/pci-tree.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CAP_ID        0x11
#define CAP_SIZE      12
#define CAP_CONTROL   2 /* offsets in the capability */
#define CAP_TABLE     4
#define CAP_PENDING   8
#define ENABLE        0x8000u
#define FUNCTION_MASK 0x4000u

#define BAR_SIZE     4096u
#define PENDING_AT   2048u
#define ENTRY_SIZE   16u
#define ENTRY_MASKED 1u

/* A row of the table (6.8.2.6 to 6.8.2.9): address, its upper half, data, control. */
typedef enum Word { WORD_ADDRESS, WORD_ADDRESS_HI, WORD_DATA, WORD_CONTROL, WORDS } Word;

typedef struct Vector {
    uint32_t words[WORDS];
    int fd;
    int msi;            /* the board's number for it */
    bool open;          /* has its message at the board */
    MsiMessage message; /* that one */
} Vector;

struct PciMsix {
    PciFunction *fn;
    unsigned cap;
    unsigned n;
    atomic_bool enabled;
    Vector vectors[];
};

static bool
is_masked(const PciMsix *msix, const Vector *vector)
{
    uint32_t control = pci_get(msix->fn, msix->cap + CAP_CONTROL, 2);

    return !(control & ENABLE) || control & FUNCTION_MASK ||
           vector->words[WORD_CONTROL] & ENTRY_MASKED;
}

static MsiMessage
message_of(const Vector *vector)
{
    return (MsiMessage){
        .address = (uint64_t)vector->words[WORD_ADDRESS_HI] << 32 | vector->words[WORD_ADDRESS],
        .data = vector->words[WORD_DATA],
    };
}

/* Tells the board what has changed about a vector. What waited for it is delivered by opening it. */
static void
apply(PciMsix *msix, Vector *vector)
{
    Board *board = msix->fn->dev.board;
    bool masked = is_masked(msix, vector);
    MsiMessage message = message_of(vector);
    bool same = message.address == vector->message.address && message.data == vector->message.data;

    if (masked ? !vector->open : vector->open && same)
        return;
    vector->open = board->msi_set(board, vector->msi, masked ? NULL : &message) && !masked;
    vector->message = message;
    if (!masked && !vector->open)
        log_guest("Device '%s': an interrupt vector cannot be opened: %s", msix->fn->dev.id,
                  strerrordesc_np(errno));
}

static void
apply_all(PciMsix *msix)
{
    for (unsigned i = 0; i < msix->n; i++)
        apply(msix, &msix->vectors[i]);
}

static bool
is_pending(const PciMsix *msix, const Vector *vector)
{
    struct pollfd pfd = { .fd = vector->fd, .events = POLLIN };

    return is_masked(msix, vector) && poll(&pfd, 1, 0) == 1;
}

static uint32_t
read_pending(const PciMsix *msix, unsigned first)
{
    uint32_t bits = 0;

    for (unsigned i = first; i < msix->n && i < first + 32; i++)
        bits |= (uint32_t)is_pending(msix, &msix->vectors[i]) << (i - first);
    return bits;
}

static uint32_t
read_word(const PciMsix *msix, unsigned offset)
{
    unsigned i = offset / ENTRY_SIZE;

    if (offset >= PENDING_AT)
        return read_pending(msix, (offset - PENDING_AT) * 8);
    return i < msix->n ? msix->vectors[i].words[offset % ENTRY_SIZE / 4] : 0;
}

static void
write_word(PciMsix *msix, unsigned offset, uint32_t value)
{
    unsigned i = offset / ENTRY_SIZE;
    Word word = offset % ENTRY_SIZE / 4;

    if (offset >= PENDING_AT || i >= msix->n)
        return;
    if (word == WORD_ADDRESS)
        value &= ~3u;
    if (word == WORD_CONTROL)
        value &= ENTRY_MASKED;
    msix->vectors[i].words[word] = value;
    apply(msix, &msix->vectors[i]);
}

/* Accesses are aligned and of four or eight bytes (6.8.2); others read ones and change nothing. */
static bool
is_access(uint64_t offset, unsigned size)
{
    return (size == 4 || size == 8) && offset % size == 0;
}

static uint64_t
table_read(Device *dev, uint64_t offset, unsigned size)
{
    const PciMsix *msix = ((PciFunction *)dev)->msix;
    uint64_t value;

    if (!is_access(offset, size))
        return UINT64_MAX;
    value = read_word(msix, offset);
    if (size == 8)
        value |= (uint64_t)read_word(msix, offset + 4) << 32;
    return value;
}

static void
table_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    PciMsix *msix = ((PciFunction *)dev)->msix;

    if (!is_access(offset, size))
        return;
    write_word(msix, offset, value);
    if (size == 8)
        write_word(msix, offset + 4, value >> 32);
}

static const BusOps table_ops = { table_read, table_write, false };

static bool
open_vector(PciMsix *msix, Vector *vector, VmmError *err)
{
    Board *board = msix->fn->dev.board;

    vector->words[WORD_CONTROL] = ENTRY_MASKED;
    vector->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (vector->fd >= 0)
        vector->msi = board->msi_new(board, vector->fd);
    if (vector->fd >= 0 && vector->msi >= 0)
        return true;
    return vmm_error_errno(err, "Device '%s': there is no interrupt vector for it",
                           msix->fn->dev.id);
}

PciMsix *
pci_msix_new(PciFunction *fn, unsigned bar, unsigned n, VmmError *err)
{
    PciMsix *msix = vmm_must(calloc(1, sizeof(*msix) + n * sizeof(Vector)));

    msix->fn = fn;
    msix->n = n;
    for (unsigned i = 0; i < n; i++)
        msix->vectors[i].fd = msix->vectors[i].msi = -1;
    for (unsigned i = 0; i < n; i++) {
        if (!open_vector(msix, &msix->vectors[i], err)) {
            pci_msix_free(msix);
            return NULL;
        }
    }
    msix->cap = pci_add_capability(fn, CAP_ID, CAP_SIZE);
    pci_set(fn, msix->cap + CAP_CONTROL, 2, n - 1);
    pci_allow(fn, msix->cap + CAP_CONTROL, 2, ENABLE | FUNCTION_MASK);
    pci_set(fn, msix->cap + CAP_TABLE, 4, bar);
    pci_set(fn, msix->cap + CAP_PENDING, 4, PENDING_AT | bar);
    pci_add_bar(fn, bar, BAR_SIZE, 0, &table_ops);
    fn->msix = msix;
    return msix;
}

void
pci_msix_free(PciMsix *msix)
{
    Board *board;

    if (!msix)
        return;
    board = msix->fn->dev.board;
    for (unsigned i = 0; i < msix->n; i++) {
        if (msix->vectors[i].msi >= 0)
            board->msi_free(board, msix->vectors[i].msi);
        if (msix->vectors[i].fd >= 0)
            close(msix->vectors[i].fd);
    }
    free(msix);
}

static void
set_enabled(PciMsix *msix, bool enabled)
{
    atomic_store(&msix->enabled, enabled);
    pci_mask_intx(msix->fn);
}

void
pci_msix_reset(PciMsix *msix)
{
    eventfd_t n;

    pci_set(msix->fn, msix->cap + CAP_CONTROL, 2, msix->n - 1);
    set_enabled(msix, false);
    for (unsigned i = 0; i < msix->n; i++) {
        Vector *vector = &msix->vectors[i];

        memset(vector->words, 0, sizeof(vector->words));
        vector->words[WORD_CONTROL] = ENTRY_MASKED;
        apply(msix, vector);
        eventfd_read(vector->fd, &n);
    }
}

void
pci_msix_config_written(PciMsix *msix, unsigned offset, unsigned size)
{
    unsigned control = msix->cap + CAP_CONTROL;

    if (offset + size <= control || offset >= control + 2)
        return;
    set_enabled(msix, pci_get(msix->fn, control, 2) & ENABLE);
    apply_all(msix);
}

bool
pci_msix_is_enabled(const PciMsix *msix)
{
    return atomic_load(&msix->enabled);
}

unsigned
pci_msix_count(const PciMsix *msix)
{
    return msix->n;
}

void
pci_msix_raise(PciMsix *msix, unsigned vector)
{
    if (vector < msix->n)
        eventfd_write(msix->vectors[vector].fd, 1);
}

/* State: for each vector its row of the table, and whether it has been raised and not delivered. A vector that
 * is not masked has none that waits: KVM has delivered it to the local APIC, which is saved. */

typedef struct SavedVector {
    uint32_t words[WORDS];
    uint32_t pending;
} SavedVector;

static void
save_vectors(const void *object, StateOut *out)
{
    const PciMsix *msix = object;

    for (unsigned i = 0; i < msix->n; i++) {
        SavedVector saved = { .pending = is_pending(msix, &msix->vectors[i]) };

        memcpy(saved.words, msix->vectors[i].words, sizeof(saved.words));
        state_put_bytes(out, &saved, sizeof(saved));
    }
}

static void
load_vector(PciMsix *msix, unsigned i, const SavedVector *saved)
{
    uint32_t *words = msix->vectors[i].words;

    memcpy(words, saved->words, sizeof(saved->words));
    words[WORD_ADDRESS] &= ~3u;
    words[WORD_CONTROL] &= ENTRY_MASKED;
    apply(msix, &msix->vectors[i]);
    if (saved->pending)
        pci_msix_raise(msix, i);
}

static bool
load_vectors(void *object, const void *data, size_t size, VmmError *err)
{
    PciMsix *msix = object;
    SavedVector saved;

    if (size != msix->n * sizeof(saved))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The saved device '%s' had %zu interrupt vectors, not %u",
                         msix->fn->dev.id, size / sizeof(saved), msix->n);
    set_enabled(msix, pci_get(msix->fn, msix->cap + CAP_CONTROL, 2) & ENABLE);
    for (unsigned i = 0; i < msix->n; i++) {
        memcpy(&saved, (const uint8_t *)data + i * sizeof(saved), sizeof(saved));
        load_vector(msix, i, &saved);
    }
    return true;
}

static const StateField msix_fields[] = {
    STATE_BLOB("vectors", save_vectors, load_vectors),
    STATE_END,
};

const StateTable pci_msix_state = { .version = 1, .fields = msix_fields };
