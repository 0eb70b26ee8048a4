/* What of Hyper-V a guest is offered and KVM has, and what KVM asks of us. */
#include "qemu-kvm-backend/x86/hyperv.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <glib.h>
#include <string.h>

typedef struct Table {
    struct kvm_cpuid2 head;
    struct kvm_cpuid_entry2 entries[2];
} Table;

static Table
table(guint32 features, guint32 edx, guint32 advice)
{
    return (Table){
        .head.nent = 2,
        .entries = { { .function = 0x40000003, .eax = features, .edx = edx },
                     { .function = 0x40000004, .eax = advice } },
    };
}

static void
test_covers(void)
{
    static const struct {
        guint32 features, edx, advice;
        const char *missing; /* NULL: it has all */
    } rows[] = {
        { 0x2aff, 0x80108, 0xe2c, NULL },
        { 0, 0x8, 0, NULL }, /* it says that processors come and go, which is for us to see to */
        { 0x4aff, 0, 0, "bits 0x4000 of CPUID 0x40000003, EAX" },
        { 0, 0x180000, 0, NULL },
        { 0, 0x80000, 0x4000, "bits 0x4000 of CPUID 0x40000004, EAX" },
    };
    Table host = table(0x2aff, 0x80110, 0xe3c), old = table(0xaff, 0x10, 0x2c);
    VmmError err;

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        Table guest = table(rows[i].features, rows[i].edx, rows[i].advice);

        g_assert_cmpint(hyperv_covers(&host.head, &guest.head, &err), ==, !rows[i].missing);
        g_assert_true(!rows[i].missing || g_str_has_suffix(err.text, rows[i].missing));
    }
    for (guint32 bit = 1 << 8; bit <= 1 << 19; bit <<= 11) {
        Table guest = table(0, bit, 0);

        g_assert_false(hyperv_covers(&old.head, &guest.head, &err));
        g_assert_cmpstr(err.kind, ==, VMM_ERROR_UNSUPPORTED);
    }
}

/* A KVM without a leaf has none of it, and a guest without one wants none. */
static void
test_no_leaves(void)
{
    Table full = table(1, 0, 1), none = { .head.nent = 0 };
    VmmError err;

    g_assert_true(hyperv_covers(&full.head, &none.head, &err));
    g_assert_true(hyperv_covers(&none.head, &none.head, &err));
    g_assert_false(hyperv_covers(&none.head, &full.head, &err));
}

static void
test_exits(void)
{
    struct kvm_run *run = g_new0(struct kvm_run, 1);

    run->hyperv.type = KVM_EXIT_HYPERV_SYNIC;
    g_assert_true(hyperv_exit(run));
    run->hyperv.type = KVM_EXIT_HYPERV_HCALL;
    run->hyperv.u.hcall.input = 0x5c;
    g_assert_true(hyperv_exit(run));
    g_assert_cmphex(run->hyperv.u.hcall.result, ==, 0x12);
    run->hyperv.type = KVM_EXIT_HYPERV_SYNDBG;
    g_assert_false(hyperv_exit(run));
    g_free(run);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hyperv/covers", test_covers);
    g_test_add_func("/hyperv/no-leaves", test_no_leaves);
    g_test_add_func("/hyperv/exits", test_exits);
    return g_test_run();
}
