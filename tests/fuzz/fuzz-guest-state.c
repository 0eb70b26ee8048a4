/* Fuzz target: a saved guest, of anybody's making, but for its devices (fuzz-state.c) and its RAM (fuzz-state-stream.c): the
 * machine, the clock, the vCPU and the chips, given to a KVM. Loading ends in a guest that can be saved again, or with a
 * reason.
 *
 * The first byte says of which section, the second which registers KVM knows; what follows is its payload, or patches of
 * the one that this machine has saved, of four bytes: where (two), how many, what. */
#include "tests/unit/fake-kvm.h"

#include "qemu-kvm-backend/guest-state.h"

#include <stdlib.h>
#include <string.h>

#define SECTIONS_MAX 16
#define PATCH        4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct kvm_cpuid_entry2 cpu[] = {
    { .function = 0, .eax = 0xd, .ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69 },
    { .function = 1, .eax = 0x306a9, .ebx = 0x800, .ecx = 0x80202001, .edx = 0x78bfbff },
    { .function = 7, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .ebx = 0x200 },
    { .function = 0xb, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .ebx = 1, .ecx = 0x100 },
    { .function = 0xd, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .eax = 7, .ebx = 0x340, .ecx = 0x340 },
    { .function = 0x40000000, .eax = 0x40000001, .ebx = 0x4b4d564b, .ecx = 0x564b4d56, .edx = 0x4d },
    { .function = 0x80000001, .ecx = 1, .edx = 0x28100800 },
};

typedef struct Fuzz {
    MachineConfig config;
    Kvm *kvm;
    int vcpu;
    VcpuLayout layout;
    bool asleep;
    GuestParts parts;
    StateOut *before, *after; /* what the sections point into */
    StateSection sections[SECTIONS_MAX];
    size_t n_sections;
} Fuzz;

static void
set_up(Fuzz *fuzz)
{
    VmmError err;

    fuzz->kvm = fake_kvm_new();
    fuzz->vcpu = fake_kvm_vcpu(fuzz->kvm);
    memcpy(fake_kvm.cpuid, cpu, sizeof(cpu));
    memcpy(fake_kvm.supported, cpu, sizeof(cpu));
    fake_kvm.n_cpuid = fake_kvm.n_supported = G_N_ELEMENTS(cpu);
    machine_config_init(&fuzz->config);
    fuzz->config.memory = 1 << 20;
    fuzz->config.topology = (CpuTopology){ .n_vcpus = 1, .sockets = 1, .dies = 1, .cores = 1, .threads = 1 };
    if (!vcpu_layout_init(&fuzz->layout, fuzz->kvm, false, &err))
        abort();
    fuzz->parts = (GuestParts){
        .config = &fuzz->config,
        .kvm = fuzz->kvm,
        .vcpu_fds = &fuzz->vcpu,
        .n_vcpus = 1,
        .layout = &fuzz->layout,
        .asleep = &fuzz->asleep,
    };
}

static void
tear_down(Fuzz *fuzz)
{
    state_out_free(fuzz->before);
    state_out_free(fuzz->after);
    vcpu_layout_clear(&fuzz->layout);
    kvm_free(fuzz->kvm);
}

/* Those that begin at @at of what was put into @out. */
static void
find_sections(Fuzz *fuzz, const StateOut *out, size_t at)
{
    size_t size;
    const uint8_t *bytes = state_out_bytes(out, &size);

    while (at < size) {
        StateSection *section = &fuzz->sections[fuzz->n_sections++];
        VmmError err;
        int head = state_read_head(bytes + at, size - at, section, &err);

        if (head <= 0)
            abort();
        section->data = bytes + at + head;
        at += head + section->length;
    }
}

static void
save(Fuzz *fuzz)
{
    VmmError err;

    state_out_free(fuzz->before);
    state_out_free(fuzz->after);
    fuzz->before = state_out_new();
    fuzz->after = state_out_new();
    fuzz->n_sections = 0;
    if (!guest_state_save(&fuzz->parts, fuzz->before, fuzz->after, &err))
        abort();
    find_sections(fuzz, fuzz->before, STATE_HEADER_SIZE);
    find_sections(fuzz, fuzz->after, 0);
}

static void
patch(uint8_t *payload, size_t length, const uint8_t *data, size_t size)
{
    for (; size >= PATCH && length > 0; data += PATCH, size -= PATCH) {
        size_t at = (data[0] | data[1] << 8) % length, n = data[2] % 16 + 1;

        memset(payload + at, data[3], n < length - at ? n : length - at);
    }
}

/* To be freed: the payload that @section has now. */
static void *
damage(StateSection *section, bool patched, const uint8_t *data, size_t size)
{
    size_t length = patched ? section->length : size;
    uint8_t *payload = g_malloc0(length + 1);

    if (length > 0)
        memcpy(payload, patched ? section->data : data, length);
    if (patched)
        patch(payload, length, data, size);
    section->data = payload;
    section->length = length;
    return payload;
}

static const StateSection *
get_section(void *data, size_t i)
{
    const Fuzz *fuzz = data;

    return i < fuzz->n_sections ? &fuzz->sections[i] : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Fuzz fuzz = { .asleep = false };
    VmmError err = { .text = "" };
    uint8_t *payload;

    if (size < 2)
        return 0;
    set_up(&fuzz);
    save(&fuzz);
    payload = damage(&fuzz.sections[data[0] % fuzz.n_sections], data[0] & 0x80, data + 2, size - 2);
    fake_kvm.first_unknown_msr = data[1];
    if (guest_state_check(&fuzz.parts, &fuzz.sections[0], &err) &&
        guest_state_load(&fuzz.parts, get_section, &fuzz, &err))
        save(&fuzz);
    else if (!err.text[0])
        abort();
    g_free(payload);
    tear_down(&fuzz);
    return 0;
}
