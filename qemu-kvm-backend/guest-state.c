#include "qemu-kvm-backend/guest-state.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state-job.h"
#include "qemu-kvm-backend/x86/chips-state.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define SECTION_MACHINE "machine"
#define SECTION_CLOCK   "clock"
#define SECTION_VCPU    "vcpu"
#define SECTION_CHIPS   "chips"
#define SECTIONS_MAX    4096u
#define TSC_TOLERANCE                                                                              \
    4000u /* in how many parts may differ by one: 250 ppm, what guests' clocks put up with */

/* The machine, to compare. */

typedef struct Summary {
    const GuestParts *parts;
    uint64_t memory;
    uint64_t vcpus, sockets, dies, cores, threads;
    uint64_t pci, acpi, pae, firmware;
    bool asleep;   /* of the guest, and not compared */
    char *devices; /* "class id", a line each, in the order of their creation */
} Summary;

static const struct {
    size_t offset;
    const char *what;
} compared[] = {
    { offsetof(Summary, memory), "bytes of memory" },
    { offsetof(Summary, vcpus), "vCPUs" },
    { offsetof(Summary, sockets), "sockets" },
    { offsetof(Summary, dies), "dies in a socket" },
    { offsetof(Summary, cores), "cores in a die" },
    { offsetof(Summary, threads), "threads in a core" },
    { offsetof(Summary, pci), "PCI hosts" },
    { offsetof(Summary, acpi), "sets of ACPI tables" },
    { offsetof(Summary, pae), "address extensions (PAE)" },
    { offsetof(Summary, firmware), "firmware images" },
};

static char *
list_devices(const GuestParts *parts)
{
    size_t size = 1, at = 0;
    char *list;

    for (size_t i = 0; i < parts->n_devices; i++)
        size += strlen(parts->devices[i]->class->name) + strlen(parts->devices[i]->id) + 2;
    list = vmm_must(calloc(1, size));
    for (size_t i = 0; i < parts->n_devices; i++)
        at += snprintf(list + at, size - at, "%s %s\n", parts->devices[i]->class->name,
                       parts->devices[i]->id);
    return list;
}

static Summary
summarize(const GuestParts *parts)
{
    const MachineConfig *config = parts->config;

    return (Summary){
        .parts = parts,
        .memory = config->memory,
        .vcpus = config->topology.n_vcpus,
        .sockets = config->topology.sockets,
        .dies = config->topology.dies,
        .cores = config->topology.cores,
        .threads = config->topology.threads,
        .pci = config->pc,
        .acpi = config->acpi,
        .pae = config->pae,
        .firmware = config->has_firmware,
        .asleep = *parts->asleep,
        .devices = list_devices(parts),
    };
}

static void
save_devices(const void *object, StateOut *out)
{
    const Summary *summary = object;

    state_put_bytes(out, summary->devices, strlen(summary->devices));
}

static bool
load_devices(void *object, const void *data, size_t size, VmmError *err)
{
    Summary *summary = object;

    free(summary->devices);
    summary->devices = vmm_must(calloc(1, size + 1));
    memcpy(summary->devices, data, size);
    return true;
}

static const StateField summary_fields[] = {
    STATE_NUMBER(Summary, memory),
    STATE_NUMBER(Summary, vcpus),
    STATE_NUMBER(Summary, sockets),
    STATE_NUMBER(Summary, dies),
    STATE_NUMBER(Summary, cores),
    STATE_NUMBER(Summary, threads),
    STATE_NUMBER(Summary, pci),
    STATE_NUMBER(Summary, acpi),
    STATE_NUMBER(Summary, pae),
    STATE_NUMBER(Summary, firmware),
    STATE_BLOB("devices", save_devices, load_devices),
    { .name = "asleep", .since = 2, .kind = STATE_KIND_NUMBERS, .offset = offsetof(Summary, asleep),
      .width = sizeof(bool), .count = 1, .max = 1 },
    STATE_END,
};

static const StateTable summary_table = { .version = 2, .fields = summary_fields };

/* The first line of @list that @other does not have, into @ret. */
static bool
find_missing(const char *list, const char *other, char *ret, size_t room)
{
    while (*list) {
        size_t length = strcspn(list, "\n"), n = length < room - 2 ? length : room - 2;
        const char *at;

        snprintf(ret, room, "%.*s\n", (int)n, list);
        at = strstr(other, ret);
        ret[n] = 0;
        if (!at || (at != other && at[-1] != '\n'))
            return true;
        list += length + (list[length] == '\n');
    }
    return false;
}

static bool
compare_devices(const Summary *saved, const Summary *now, VmmError *err)
{
    char line[2 * STATE_NAME_MAX + 4];

    if (find_missing(saved->devices, now->devices, line, sizeof(line)))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The saved guest has a device '%s', which this machine has not", line);
    if (find_missing(now->devices, saved->devices, line, sizeof(line)))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "This machine has a device '%s', which the saved guest has not", line);
    return strlen(saved->devices) == strlen(now->devices) ||
           vmm_error(err, VMM_ERROR_INVALID, "The saved state is damaged: a device comes twice");
}

static bool
compare(const Summary *saved, const Summary *now, VmmError *err)
{
    for (size_t i = 0; i < sizeof(compared) / sizeof(compared[0]); i++) {
        uint64_t was, is;

        memcpy(&was, (const char *)saved + compared[i].offset, sizeof(was));
        memcpy(&is, (const char *)now + compared[i].offset, sizeof(is));
        if (was != is)
            return vmm_error(err, VMM_ERROR_INVALID,
                             "The saved guest has %" PRIu64 " %s, this machine has %" PRIu64, was,
                             compared[i].what, is);
    }
    return compare_devices(saved, now, err);
}

bool
guest_state_check(const GuestParts *parts, const StateSection *first, VmmError *err)
{
    Summary saved = { .devices = NULL }, now;
    bool good;

    if (strcmp(first->class, SECTION_MACHINE) != 0)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The saved state is damaged: it does not begin with its machine");
    now = summarize(parts);
    good = state_load(first, &summary_table, &saved, err) && compare(&saved, &now, err);
    free(saved.devices);
    free(now.devices);
    return good;
}

/* The clock: kvmclock's nanoseconds go on from where they were, as the TSC does. */

typedef struct ClockState {
    uint64_t kvmclock_ns;
    uint32_t tsc_khz; /* 0: unknown */
} ClockState;

static const StateField clock_fields[] = {
    STATE_NUMBER(ClockState, kvmclock_ns),
    STATE_NUMBER(ClockState, tsc_khz),
    STATE_END,
};

static const StateTable clock_table = { .version = 1, .fields = clock_fields };

static bool
get_clock(const GuestParts *parts, ClockState *ret, VmmError *err)
{
    struct kvm_clock_data clock = { 0 };
    int khz = ioctl(parts->vcpu_fds[0], KVM_GET_TSC_KHZ, 0);

    if (ioctl(kvm_vm_fd(parts->kvm), KVM_GET_CLOCK, &clock) < 0)
        return vmm_error_errno(err, "Cannot read the guest's clock");
    *ret = (ClockState){ clock.clock, khz > 0 ? khz : 0 };
    return true;
}

static bool
set_clock(const GuestParts *parts, const ClockState *state, VmmError *err)
{
    struct kvm_clock_data clock = { .clock = state->kvmclock_ns };

    if (ioctl(kvm_vm_fd(parts->kvm), KVM_SET_CLOCK, &clock) < 0)
        return vmm_error_errno(err, "Cannot set the guest's clock");
    for (unsigned i = 0; i < parts->n_vcpus; i++) /* EINVAL: it has no kvmclock */
        ioctl(parts->vcpu_fds[i], KVM_KVMCLOCK_CTRL, 0);
    return true;
}

/* A guest that measures time by the TSC alone is off where the host does not scale it; one with kvmclock is not. */
static void
set_tsc_rate(const GuestParts *parts, uint32_t khz)
{
    int now = ioctl(parts->vcpu_fds[0], KVM_GET_TSC_KHZ, 0);
    uint32_t rate = now > 0 ? now : 0;
    uint32_t apart = rate > khz ? rate - khz : khz - rate;

    if (khz == 0 || rate == 0 || apart <= khz / TSC_TOLERANCE)
        return;
    for (unsigned i = 0; i < parts->n_vcpus; i++) {
        if (ioctl(parts->vcpu_fds[i], KVM_SET_TSC_KHZ, (unsigned long)khz) < 0) {
            log_line("The saved guest's TSC ran at %" PRIu32 " kHz, this host's does at %" PRIu32
                     ": %s",
                     khz, rate, strerrordesc_np(errno));
            return;
        }
    }
}

/* Saving. */

static bool
save_vcpu(const GuestParts *parts, unsigned i, StateOut *out, VmmError *err)
{
    VcpuState state;
    char id[16];
    bool good;

    snprintf(id, sizeof(id), "%u", i);
    vcpu_state_init(&state, parts->layout);
    good = vcpu_state_get(&state, parts->vcpu_fds[i], err) &&
           vcpu_state_get_cpuid(&state, parts->vcpu_fds[i], err);
    if (good)
        state_put_section(out, SECTION_VCPU, id, &vcpu_state_table, &state);
    vcpu_state_clear(&state);
    return good;
}

static bool
save_device(Device *dev, StateOut *out, VmmError *err)
{
    if (!dev->class->state)
        return dev->class->stateless ||
               vmm_error(err, VMM_ERROR_UNSUPPORTED, "Device '%s' cannot be saved", dev->id);
    state_put_section(out, dev->class->name, dev->id, dev->class->state, dev);
    return true;
}

/* Devices before vCPUs and chips, in case one of them has an interrupt to raise yet. */
static bool
save_all(const GuestParts *parts, StateOut *out, VmmError *err)
{
    ChipsState chips;
    ClockState clock;

    for (size_t i = 0; i < parts->n_devices; i++) {
        if (!save_device(parts->devices[i], out, err))
            return false;
    }
    if (!get_clock(parts, &clock, err))
        return false;
    state_put_section(out, SECTION_CLOCK, "", &clock_table, &clock);
    for (unsigned i = 0; i < parts->n_vcpus; i++) {
        if (!save_vcpu(parts, i, out, err))
            return false;
    }
    if (!chips_state_get(&chips, parts->kvm, err))
        return false;
    state_put_section(out, SECTION_CHIPS, "", &chips_state_table, &chips);
    state_put_head(out, STATE_SECTION_END, "", 1, 0);
    return true;
}

bool
guest_state_save(const GuestParts *parts, StateOut *before, StateOut *after, VmmError *err)
{
    Summary summary = summarize(parts);

    state_put_header(before);
    state_put_section(before, SECTION_MACHINE, "", &summary_table, &summary);
    free(summary.devices);
    return save_all(parts, after, err);
}

/* Restoring. */

typedef struct Loader {
    const GuestParts *parts;
    const StateSection *(*section)(void *data, size_t i);
    void *data;
    VmmError *err;
    uint64_t used[SECTIONS_MAX / 64]; /* sections that somebody wanted, by their bit */
} Loader;

static const StateSection *
find_section(Loader *loader, const char *class, const char *id)
{
    const StateSection *section;

    for (size_t i = 0; i < SECTIONS_MAX && (section = loader->section(loader->data, i)); i++) {
        if (strcmp(section->class, class) == 0 && strcmp(section->id, id) == 0) {
            loader->used[i / 64] |= 1ull << i % 64;
            return section;
        }
    }
    vmm_error(loader->err, VMM_ERROR_INVALID,
              "The saved state is damaged: there is no section '%s%s%s'", class, *id ? " " : "",
              id);
    return NULL;
}

static bool
load_vcpu(Loader *loader, unsigned i, struct kvm_cpuid2 *supported, VcpuState *state)
{
    int fd = loader->parts->vcpu_fds[i];
    const StateSection *section;
    char id[16];

    snprintf(id, sizeof(id), "%u", i);
    section = find_section(loader, SECTION_VCPU, id);
    return section && state_load(section, &vcpu_state_table, state, loader->err) &&
           vcpu_state_set_cpuid(state, supported, fd, loader->err) &&
           vcpu_state_set(state, fd, true, loader->err);
}

static bool
load_vcpus(Loader *loader)
{
    const GuestParts *parts = loader->parts;
    VcpuState *states = vmm_must(calloc(parts->n_vcpus, sizeof(*states)));
    unsigned room;
    struct kvm_cpuid2 *supported = kvm_supported_cpuid(parts->kvm, 0, &room, loader->err);
    bool good = supported != NULL;

    for (unsigned i = 0; i < parts->n_vcpus; i++)
        vcpu_state_init(&states[i], parts->layout);
    for (unsigned i = 0; good && i < parts->n_vcpus; i++)
        good = load_vcpu(loader, i, supported, &states[i]);
    if (good)
        vcpu_state_catch_up_tsc(states, parts->vcpu_fds, parts->n_vcpus);
    for (unsigned i = 0; i < parts->n_vcpus; i++)
        vcpu_state_clear(&states[i]);
    free(supported);
    free(states);
    return good;
}

static bool
load_chips(Loader *loader)
{
    const StateSection *section = find_section(loader, SECTION_CHIPS, "");
    ChipsState chips;

    return section && state_load(section, &chips_state_table, &chips, loader->err) &&
           chips_state_set(&chips, loader->parts->kvm, loader->err);
}

static bool
load_device(Loader *loader, Device *dev)
{
    const StateSection *section;

    if (!dev->class->state)
        return true;
    section = find_section(loader, dev->class->name, dev->id);
    return section && state_load(section, dev->class->state, dev, loader->err);
}

/* It has been compared; what it says of the guest is left. */
static bool
load_sleep(Loader *loader)
{
    const StateSection *section = find_section(loader, SECTION_MACHINE, "");
    Summary saved = { .devices = NULL };
    bool good = section && state_load(section, &summary_table, &saved, loader->err);

    free(saved.devices);
    if (good)
        *loader->parts->asleep = saved.asleep;
    return good;
}

/* What nobody wanted may be what the guest cannot do without. */
static bool
check_used(const Loader *loader)
{
    const StateSection *section;

    for (size_t i = 0; (section = loader->section(loader->data, i)); i++) {
        if (i >= SECTIONS_MAX || !(loader->used[i / 64] >> i % 64 & 1))
            return vmm_error(
                loader->err, VMM_ERROR_UNSUPPORTED,
                "The saved state has a section '%s%s%s', of which this VMM knows nothing",
                section->class, section->id[0] ? " " : "", section->id);
    }
    return true;
}

/* The chips come after all local APICs, and devices after the chips, whose lines they drive. */
static bool
load_all(Loader *loader)
{
    const GuestParts *parts = loader->parts;
    const StateSection *section = find_section(loader, SECTION_CLOCK, "");
    ClockState clock;

    if (!section || !state_load(section, &clock_table, &clock, loader->err))
        return false;
    set_tsc_rate(parts, clock.tsc_khz);
    if (!load_vcpus(loader) || !load_chips(loader) || !set_clock(parts, &clock, loader->err))
        return false;
    for (size_t i = 0; i < parts->n_devices; i++) {
        if (!load_device(loader, parts->devices[i]))
            return false;
    }
    return load_sleep(loader) && find_section(loader, STATE_SECTION_END, "") && check_used(loader);
}

bool
guest_state_load(const GuestParts *parts, const StateSection *(*section)(void *data, size_t i),
                 void *data, VmmError *err)
{
    Loader loader = { .parts = parts, .section = section, .data = data, .err = err };

    return load_all(&loader);
}
