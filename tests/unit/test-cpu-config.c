/* What "create" asks of the CPUs, on the leaves of a host with AVX-512 and protection keys. */
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/cpu-config.h"
#include "qemu-kvm-backend/x86/cpuid-table.h"

#include <glib.h>
#include <string.h>

#define ROOM 64

typedef struct Table {
    struct kvm_cpuid2 head; /* its entries are the array that follows */
    struct kvm_cpuid_entry2 entries[ROOM];
} Table;

static const struct kvm_cpuid_entry2 host[] = {
    { .function = 0, .eax = 0x16, .ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69 },
    { .function = 1, .eax = 0x606a6, .ecx = 0xf7fa3223, .edx = 0x1f8bfbff },
    { .function = 2, .eax = 0x00feff01 },
    { .function = 4, .index = 0, .flags = 1, .eax = 0x121, .ebx = 0x2c0003f, .ecx = 0x3f },
    { .function = 4, .index = 1, .flags = 1 },
    { .function = 7, .index = 0, .flags = 1, .eax = 1, .ebx = 0xf1bf07ab, .ecx = 0x8 },
    { .function = 0xa, .eax = 0x08300805 },
    { .function = 0xd, .index = 0, .flags = 1, .eax = 0x2e7, .ebx = 0xa88, .ecx = 0xa88 },
    { .function = 0xd, .index = 1, .flags = 1, .eax = 0xf, .ecx = 0x8100 },
    { .function = 0xd, .index = 2, .flags = 1, .eax = 256, .ebx = 576 },
    { .function = 0xd, .index = 5, .flags = 1, .eax = 64, .ebx = 1088 },
    { .function = 0xd, .index = 6, .flags = 1, .eax = 512, .ebx = 1152 },
    { .function = 0xd, .index = 7, .flags = 1, .eax = 1024, .ebx = 1664 },
    { .function = 0xd, .index = 9, .flags = 1, .eax = 8, .ebx = 2688 },
    { .function = 0x16, .eax = 2000 },
    { .function = 0x40000000, .eax = 0x40000001 },
    { .function = 0x40000001, .eax = 0x01007efb },
    { .function = 0x80000000, .eax = 0x80000008 },
    { .function = 0x80000001, .ecx = 0x121, .edx = 0x2c100800 },
    { .function = 0x80000008, .eax = 0x3030 },
};

static struct kvm_cpuid_entry2 *
find(Table *table, uint32_t function, uint32_t index)
{
    return cpuid_table_find(&table->head, function, index);
}

static VmmMsg *
request(const char *cpuid, const char *msrs, const char *cache)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);

    if (cpuid)
        vmm_msg_put_string(msg, "cpuid", cpuid);
    if (msrs)
        vmm_msg_put_string(msg, "msrs", msrs);
    if (cache)
        vmm_msg_put_string(msg, "cpu-cache", cache);
    return msg;
}

/* The host's table as @msg, which is taken over, has it; g_free() it. */
static Table *
apply(VmmMsg *msg)
{
    Table *table = g_new0(Table, 1);
    CpuConfig config;
    VmmError err;

    table->head.nent = G_N_ELEMENTS(host);
    memcpy(table->head.entries, host, sizeof(host));
    g_assert_true(cpu_config_read(&config, msg, &err));
    g_assert_true(cpu_config_cpuid(&config, &table->head, ROOM, &err));
    cpu_config_clear(&config);
    vmm_msg_free(msg);
    return table;
}

static void
test_nothing(void)
{
    g_autofree Table *table = apply(request(NULL, NULL, NULL));

    g_assert_cmpuint(table->head.nent, ==, G_N_ELEMENTS(host));
    g_assert_cmpmem(table->head.entries, sizeof(host), host, sizeof(host));
}

static void
test_edit(void)
{
    g_autofree Table *table =
        apply(request("0.0:eax=d/ffffffff 1.0:edx=0/4 7.0:ebx=20/ffffffff 7.1:eax=10/ffffffff "
                      "1b.0:ebx=0/ffffffff 40000001.0:eax=0/9",
                      NULL, NULL));

    g_assert_cmphex(find(table, 1, 0)->edx, ==, 0x1f8bfbfb);
    g_assert_cmphex(find(table, 7, 0)->ebx, ==, 0x20);
    g_assert_cmphex(find(table, 7, 1)->eax, ==, 0x10);
    g_assert_cmpuint(find(table, 7, 1)->flags, ==, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
    g_assert_cmphex(find(table, 0x40000001, 0)->eax, ==, 0x01007ef2);
    g_assert_null(find(table, 0x16, 0)); /* beyond the limit */
    g_assert_null(find(table, 0x1b, 0)); /* there is nothing to say in it */
    g_assert_nonnull(find(table, 0x80000008, 0));
    g_assert_cmphex(find(table, 0xd, 0)->eax, ==, 0x207); /* no AVX-512 */
    g_assert_cmpuint(find(table, 0xd, 0)->ecx, ==, 2688 + 8);
    g_assert_null(find(table, 0xd, 5));
    g_assert_null(find(table, 0xd, 7));
    g_assert_cmphex(find(table, 0xd, 1)->ecx, ==, 0); /* nor tracing, nor branch records */
}

static void
test_no_pkru(void)
{
    g_autofree Table *table = apply(request("7.0:ecx=0/8", NULL, NULL));

    g_assert_cmphex(find(table, 0xd, 0)->eax, ==, 0xe7);
    g_assert_cmpuint(find(table, 0xd, 0)->ecx, ==, 1664 + 1024);
    g_assert_nonnull(find(table, 0x16, 0));
}

static void
test_no_xsave(void)
{
    g_autofree Table *table = apply(request("1.0:ecx=0/14000000", NULL, NULL));

    g_assert_null(find(table, 0xd, 0));
    g_assert_null(find(table, 0xd, 2));
}

static void
test_no_extended(void)
{
    g_autofree Table *table = apply(request("80000000.0:eax=0/ffffffff", NULL, NULL));

    g_assert_null(find(table, 0x80000001, 0));
    g_assert_null(find(table, 0x80000000, 0));
    g_assert_nonnull(find(table, 0x40000001, 0));
}

static void
test_caches(void)
{
    g_autofree Table *emulated = apply(request(NULL, NULL, "emulated"));
    g_autofree Table *none = apply(request(NULL, NULL, "none"));

    g_assert_cmphex(find(emulated, 4, 0)->eax, ==, 0x121);
    g_assert_cmphex(find(emulated, 4, 3)->eax, ==, 0x163);
    g_assert_cmphex(find(emulated, 4, 3)->ebx, ==, 15u << 22 | 63);
    g_assert_cmpuint(find(emulated, 4, 3)->ecx, ==, 16384 - 1); /* sets: 16 MiB */
    g_assert_cmphex(find(emulated, 4, 4)->eax, ==, 0);
    g_assert_cmphex(find(emulated, 2, 0)->eax, ==, 0xff01);
    g_assert_null(find(none, 4, 0));
    g_assert_cmphex(find(none, 2, 0)->eax, ==, 1);
}

/* AMD has the same caches in leaves of its own. */
static void
test_caches_amd(void)
{
    VmmMsg *msg = request("0.0:ebx=68747541/ffffffff 80000000.0:eax=8000001e/ffffffff "
                          "80000001.0:ecx=400000/400000 80000005.0:ecx=1/ffffffff "
                          "80000006.0:ecx=1/ffffffff",
                          NULL, "emulated");
    g_autofree Table *table = apply(msg);

    g_assert_null(find(table, 4, 0));
    g_assert_cmphex(find(table, 0x80000005, 0)->ecx, ==, 0x20080140);
    g_assert_cmphex(find(table, 0x80000006, 0)->ecx, ==, 0x04008140);
    g_assert_cmphex(find(table, 0x80000006, 0)->edx, ==, 0x00808140);
    g_assert_cmphex(find(table, 0x8000001d, 2)->eax, ==, 0x143);
}

static void
test_hidden(void)
{
    VmmMsg *msg = request(NULL, NULL, NULL);
    g_autofree Table *table = NULL;

    vmm_msg_put_bool(msg, "kvm-leaves", false);
    vmm_msg_put_bool(msg, "pmu", false);
    table = apply(msg);
    g_assert_null(find(table, 0x40000000, 0));
    g_assert_null(find(table, 0x40000001, 0));
    g_assert_null(find(table, 0xa, 0));
}

/* KVM's leaves give way, and go where they are not wanted; those that the edits make stay. */
static void
test_hyperv(void)
{
    for (int hidden = 0; hidden <= 1; hidden++) {
        VmmMsg *msg = request("40000000.0:eax=40000005/ffffffff 40000001.0:eax=31237648/ffffffff "
                              "40000101.0:eax=0/80",
                              NULL, NULL);
        g_autofree Table *table = NULL;

        vmm_msg_put_bool(msg, "hyperv-leaves", true);
        vmm_msg_put_bool(msg, "kvm-leaves", !hidden);
        table = apply(msg);
        g_assert_cmphex(find(table, 0x40000000, 0)->eax, ==, 0x40000005);
        g_assert_cmphex(find(table, 0x40000001, 0)->eax, ==, 0x31237648);
        if (hidden) {
            g_assert_null(find(table, 0x40000100, 0));
            g_assert_null(find(table, 0x40000101, 0));
        } else {
            g_assert_cmphex(find(table, 0x40000100, 0)->eax, ==, 0x40000101);
            g_assert_cmphex(find(table, 0x40000101, 0)->eax, ==, 0x01007e7b);
        }
    }
}

static void
test_numbers(void)
{
    vmm_msg_auto msg = request(NULL, "10a=400000000c000069 cf=20", NULL);
    CpuConfig config;
    VmmError err;

    vmm_msg_put_u64(msg, "tsc-khz", 2000000);
    g_assert_true(cpu_config_read(&config, msg, &err));
    g_assert_cmpuint(config.n_msrs, ==, 2);
    g_assert_cmphex(config.msrs[0].index, ==, 0x10a);
    g_assert_cmphex(config.msrs[0].value, ==, 0x400000000c000069);
    g_assert_cmpuint(config.tsc_khz, ==, 2000000);
    g_assert_true(config.pmu && config.kvm_leaves);
    cpu_config_clear(&config);
}

static void
assert_refused(const char *cpuid, const char *msrs, const char *cache)
{
    vmm_msg_auto msg = request(cpuid, msrs, cache);
    CpuConfig config;
    VmmError err;

    g_assert_false(cpu_config_read(&config, msg, &err));
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_INVALID);
    cpu_config_clear(&config);
}

static void
test_refused(void)
{
    static const char *const edits[] = {
        "1",
        "1.0",
        "1.0:ebp=0/0",
        "1.0:eax=0",
        "1.0:eax=0/",
        "x.0:eax=0/0",
        "1.0:eax=0/0 ",
        " 1.0:eax=0/0",
        "1.0:eax=0/0,2",
        "100000000.0:eax=0/0",
        "1.0:eax=-1/0",
        "1.0:eax=0x1/0",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(edits); i++)
        assert_refused(edits[i], NULL, NULL);
    assert_refused(NULL, "10a", NULL);
    assert_refused(NULL, "10a=1 ", NULL);
    assert_refused(NULL, "10a=10000000000000000", NULL);
    assert_refused(NULL, NULL, "warm");
}

static void
test_too_many(void)
{
    g_autoptr(GString) edits = g_string_new("1.0:eax=1/1");

    for (int i = 0; i < 256; i++)
        g_string_append(edits, " 1.0:eax=1/1");
    assert_refused(edits->str, NULL, NULL);
}

static void
test_full(void)
{
    vmm_msg_auto msg = request("18.0:eax=1/1", NULL, NULL);
    g_autofree Table *table = g_new0(Table, 1);
    CpuConfig config;
    VmmError err;

    table->head.nent = G_N_ELEMENTS(host);
    memcpy(table->head.entries, host, sizeof(host));
    g_assert_true(cpu_config_read(&config, msg, &err));
    g_assert_false(cpu_config_cpuid(&config, &table->head, G_N_ELEMENTS(host), &err));
    cpu_config_clear(&config);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpu-config/nothing", test_nothing);
    g_test_add_func("/cpu-config/edit", test_edit);
    g_test_add_func("/cpu-config/no-pkru", test_no_pkru);
    g_test_add_func("/cpu-config/no-xsave", test_no_xsave);
    g_test_add_func("/cpu-config/no-extended", test_no_extended);
    g_test_add_func("/cpu-config/caches", test_caches);
    g_test_add_func("/cpu-config/caches-amd", test_caches_amd);
    g_test_add_func("/cpu-config/hidden", test_hidden);
    g_test_add_func("/cpu-config/hyperv", test_hyperv);
    g_test_add_func("/cpu-config/numbers", test_numbers);
    g_test_add_func("/cpu-config/refused", test_refused);
    g_test_add_func("/cpu-config/too-many", test_too_many);
    g_test_add_func("/cpu-config/full", test_full);
    return g_test_run();
}
