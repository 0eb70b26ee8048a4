/* What a restored guest sees of its CPU, on hosts that are not quite what the guest was saved on. */
#include "qemu-kvm-backend/x86/vcpu-state.h"
#include "tests/unit/fake-kvm.h"

#include <stdlib.h>
#include <string.h>

/* vCPU 3 of a machine on an Intel host. */
static const struct kvm_cpuid_entry2 host[] = {
    { .function = 0, .eax = 0xd, .ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69 },
    { .function = 1, .eax = 0x806c1, .ebx = 0x03100800, .ecx = 0x1c000209, .edx = 0x1f8bfbff },
    { .function = 2, .eax = 0x00feff01 },
    { .function = 4, .index = 0, .flags = 1, .eax = 0x121, .ebx = 0x2c0003f, .ecx = 0x3f },
    { .function = 7, .index = 0, .flags = 1, .ebx = 0x21, .ecx = 0x18 },
    { .function = 0xb, .index = 0, .flags = 1, .ebx = 1, .ecx = 0x100, .edx = 3 },
    { .function = 0xd, .index = 0, .flags = 1, .eax = 7, .ebx = 832, .ecx = 832 },
    { .function = 0xd, .index = 2, .flags = 1, .eax = 256, .ebx = 576 },
    { .function = 0x40000001, .eax = 0x01007efb },
    { .function = 0x80000000, .eax = 0x80000008 },
    { .function = 0x80000006, .ecx = 0x01006040 },
    { .function = 0x80000008, .eax = 0x3027 },
};

typedef struct Fixture {
    Kvm *kvm;
    int fd;
    VcpuLayout layout;
    VcpuState state;
} Fixture;

static struct kvm_cpuid_entry2 *
find(struct kvm_cpuid_entry2 *entries, uint32_t function, uint32_t index)
{
    for (unsigned i = 0; i < FAKE_CPUID_MAX; i++) {
        if (entries[i].function == function && entries[i].index == index)
            return &entries[i];
    }
    g_assert_not_reached();
}

/* Of the vCPU that the guest is restored to; and of the KVM there. */
static struct kvm_cpuid_entry2 *
here(uint32_t function, uint32_t index)
{
    return find(fake_kvm.cpuid, function, index);
}

static struct kvm_cpuid_entry2 *
supported(uint32_t function, uint32_t index)
{
    return find(fake_kvm.supported, function, index);
}

/* A vCPU of @host, saved. */
static void
setup(Fixture *fixture, gconstpointer data)
{
    VmmError err;

    fixture->kvm = fake_kvm_new();
    fixture->fd = fake_kvm_vcpu(fixture->kvm);
    fake_kvm.n_cpuid = G_N_ELEMENTS(host);
    memcpy(fake_kvm.cpuid, host, sizeof(host));
    fake_kvm.n_supported = G_N_ELEMENTS(host);
    memcpy(fake_kvm.supported, host, sizeof(host));
    g_assert_true(vcpu_layout_init(&fixture->layout, fixture->kvm, false, &err));
    vcpu_state_init(&fixture->state, &fixture->layout);
    g_assert_true(vcpu_state_get_cpuid(&fixture->state, fixture->fd, &err));
}

static void
teardown(Fixture *fixture, gconstpointer data)
{
    vcpu_state_clear(&fixture->state);
    vcpu_layout_clear(&fixture->layout);
    kvm_free(fixture->kvm);
}

static bool
restore(Fixture *fixture, VmmError *err)
{
    unsigned room;
    struct kvm_cpuid2 *table = kvm_supported_cpuid(fixture->kvm, 0, &room, err);
    bool good = vcpu_state_set_cpuid(&fixture->state, table, fixture->fd, err);

    free(table);
    return good;
}

static void
assert_restored(Fixture *fixture)
{
    VmmError err = { .text = "" };
    bool good = restore(fixture, &err);

    g_assert_cmpstr(err.text, ==, "");
    g_assert_true(good);
    g_assert_cmpmem(fake_kvm.cpuid, fake_kvm.n_cpuid * sizeof(host[0]), host, sizeof(host));
}

static void
assert_refused(Fixture *fixture, const char *why)
{
    VmmError err = { .text = "" };

    g_assert_false(restore(fixture, &err));
    g_assert_cmpstr(err.text, ==, why);
}

static void
test_same(Fixture *fixture, gconstpointer data)
{
    assert_restored(fixture);
}

/* A kernel or a microcode that is new: a bit, a leaf, a paravirtual feature. */
static void
test_more(Fixture *fixture, gconstpointer data)
{
    here(7, 0)->edx |= 1u << 4;
    here(0x40000001, 0)->eax |= 1u << 14;
    fake_kvm.cpuid[fake_kvm.n_cpuid++] = (struct kvm_cpuid_entry2){ .function = 0x14, .flags = 1, .ebx = 0xf };
    assert_restored(fixture);
}

/* The other kind of core of a hybrid processor. */
static void
test_other_core(Fixture *fixture, gconstpointer data)
{
    here(2, 0)->eax = 0x00feff00;
    here(4, 0)->ecx = 0x7f;
    here(0x80000006, 0)->ecx = 0x08008040;
    assert_restored(fixture);
}

static void
test_less(Fixture *fixture, gconstpointer data)
{
    here(7, 0)->ebx &= ~0x20u;
    supported(7, 0)->ebx &= ~0x20u;
    assert_refused(fixture, "The saved guest's CPU has features that this host's has not: CPUID 0x7.0:ebx, "
                            "bits 0x20");
}

/* A feature that KVM has and guests are no longer told of; one that only a document forces upon this guest. */
static void
test_hidden(Fixture *fixture, gconstpointer data)
{
    here(7, 0)->ecx &= ~0x8u;
    assert_restored(fixture);
}

static void
test_forced(Fixture *fixture, gconstpointer data)
{
    supported(7, 0)->ecx &= ~0x8u;
    assert_restored(fixture);
}

/* It has turned XSAVE and protection keys on; a vCPU that is new has not. */
static void
test_in_use(Fixture *fixture, gconstpointer data)
{
    here(1, 0)->ecx &= ~(1u << 27);
    here(7, 0)->ecx &= ~(1u << 4);
    here(0xd, 0)->ebx = 576;
    assert_restored(fixture);
}

static void
test_other_vcpu(Fixture *fixture, gconstpointer data)
{
    here(1, 0)->ebx = 0x02100800;
    assert_refused(fixture, "The saved guest saw another CPU than this machine has: CPUID 0x1.0:ebx was 0x3000000, "
                            "not 0x2000000");
}

static void
test_other_layout(Fixture *fixture, gconstpointer data)
{
    supported(0xd, 2)->ebx = 640;
    assert_refused(fixture, "The saved guest saw another CPU than this machine has: CPUID 0xd.2:ebx was 0x240, "
                            "not 0x280");
}

static void
test_narrow(Fixture *fixture, gconstpointer data)
{
    supported(0x80000008, 0)->eax = 0x3024;
    assert_refused(fixture, "The saved guest's CPU has 39 address bits, this host's 36");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/vcpu-cpuid/" name, Fixture, NULL, setup, function, teardown)
    ADD("same", test_same);
    ADD("more", test_more);
    ADD("other-core", test_other_core);
    ADD("less", test_less);
    ADD("hidden", test_hidden);
    ADD("forced", test_forced);
    ADD("in-use", test_in_use);
    ADD("other-vcpu", test_other_vcpu);
    ADD("other-layout", test_other_layout);
    ADD("narrow", test_narrow);
    return g_test_run();
}
