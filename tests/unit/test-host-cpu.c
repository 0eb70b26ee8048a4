/* host-cpu: what guests can have, of what a KVM that is written down here supports. */
#include "driver/host-cpu.h"

#include <linux/kvm.h>
#include <string.h>

static HostCpu
read_kvm(const struct kvm_cpuid_entry2 *entries, guint n)
{
    g_autofree struct kvm_cpuid2 *supported =
        g_malloc0(sizeof(*supported) + n * sizeof(supported->entries[0]));
    HostCpu host = { .has_kvm = FALSE };

    supported->nent = n;
    memcpy(supported->entries, entries, n * sizeof(*entries));
    host_cpu_read_kvm(&host, supported);
    return host;
}

static void
test_words(void)
{
    static const struct kvm_cpuid_entry2 entries[] = {
        { .function = 1, .ecx = 1u << 28 },
        { .function = 7, .index = 0, .ebx = 1u << 5 },
        { .function = 0x80000008, .eax = 0x3027 },
    };
    HostCpu host = read_kvm(entries, G_N_ELEMENTS(entries));
    g_autofree char *names = cpu_bits_names(&host.kvm, " ");

    g_assert_cmpstr(names, ==, "avx hypervisor avx2");
    g_assert_cmpuint(host.physical_bits, ==, 39);
    g_assert_true(host.has_kvm);
}

/* Shadow stacks and branch tracking, which have no names. */
static void
test_cet(void)
{
    static const struct kvm_cpuid_entry2 entries[] = {
        { .function = 7, .index = 0, .ecx = 1u << 7 | 1u << 3, .edx = 1u << 20 | 1u << 4 },
    };
    HostCpu host = read_kvm(entries, G_N_ELEMENTS(entries));

    g_assert_cmphex(host.kvm.words[cpu_word_find(7, 0, CPU_ECX)], ==, 1u << 3);
    g_assert_cmphex(host.kvm.words[cpu_word_find(7, 0, CPU_EDX)], ==, 1u << 4);
}

/* Tiles without the state that is in them: KVM says so to a process that has not asked for it. */
static void
test_amx(void)
{
    struct kvm_cpuid_entry2 entries[] = {
        { .function = 7, .index = 0, .edx = 1u << 25 | 1u << 24 | 1u << 22 | 1u << 4 },
        { .function = 7, .index = 1, .eax = 1u << 21 | 1u << 4, .edx = 1u << 8 },
        { .function = 0xd, .index = 0, .eax = 0x2e7 },
    };
    HostCpu without = read_kvm(entries, G_N_ELEMENTS(entries)), with;
    g_autofree char *names = cpu_bits_names(&without.kvm, " "), *all = NULL;

    entries[2].eax |= 3u << 17;
    with = read_kvm(entries, G_N_ELEMENTS(entries));
    all = cpu_bits_names(&with.kvm, " ");
    g_assert_cmpstr(names, ==, "hypervisor fsrm avx-vnni");
    g_assert_cmpstr(all, ==,
                    "hypervisor fsrm amx-bf16 amx-tile amx-int8 avx-vnni amx-fp16 amx-complex");
}

/* Whoever has no KVM is told why. */
static void
test_no_kvm(void)
{
    HostCpu host;
    g_autoptr(GError) error = NULL;

    host_cpu_probe("/nonexistent/kvm", &host, &error);
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, g_strerror(ENOENT)));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/host-cpu/words", test_words);
    g_test_add_func("/host-cpu/cet", test_cet);
    g_test_add_func("/host-cpu/amx", test_amx);
    g_test_add_func("/host-cpu/no-kvm", test_no_kvm);
    return g_test_run();
}
