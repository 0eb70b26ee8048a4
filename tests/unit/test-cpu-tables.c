/* The tables of CPU features and named models, against the installed libvirt's where it is the one that they follow. */
#include "driver/guest-cpu.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

static void
test_names(void)
{
    static const char *const some[] = { "rdctl-no", "invtsc", "avx2", "vme", "fpu" };
    CpuBits bits = { { 0 } };
    g_autofree char *names = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(some); i++)
        g_assert_true(cpu_bits_add_name(&bits, some[i]));
    names = cpu_bits_names(&bits, ", ");
    g_assert_cmpstr(names, ==, "fpu, vme, avx2, invtsc, rdctl-no");
    g_assert_cmpuint(cpu_bits_count(&bits), ==, 5);
    g_assert_cmphex(bits.words[0], ==, 3);
    g_assert_cmphex(bits.words[cpu_word_find(7, 0, CPU_EBX)], ==, 0x20);
    g_assert_cmphex(bits.words[cpu_word_find(0x80000007, 0, CPU_EDX)], ==, 0x100);
    g_assert_false(cpu_bits_add_name(&bits, "kvmclock"));
    g_assert_true(cpu_feature_known("arch-capabilities"));
}

static void
test_names_are_unique(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (int i = 0; i < CPU_N_WORDS; i++) {
        g_assert_cmpint(cpu_word_find(cpu_words[i].leaf, cpu_words[i].index, cpu_words[i].reg), ==,
                        i);
        for (int bit = 0; bit < 32; bit++)
            g_assert_true(!cpu_words[i].names[bit] ||
                          g_hash_table_add(seen, (gpointer)cpu_words[i].names[bit]));
    }
}

static void
test_signatures(void)
{
    /* Nehalem, Skylake-Server, Opteron of family 15, EPYC-Rome, EPYC-Milan. */
    static const guint32 values[] = { 0x106a3, 0x50654, 0x60fb1, 0x830f10, 0xa00f11 };
    static const CpuSignature parts[] = {
        { 6, 26, 3 }, { 6, 85, 4 }, { 15, 107, 1 }, { 23, 49, 0 }, { 25, 1, 1 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        CpuSignature read = cpu_signature_read(values[i]);

        g_assert_cmpuint(read.family, ==, parts[i].family);
        g_assert_cmpuint(read.model, ==, parts[i].model);
        g_assert_cmpuint(read.stepping, ==, parts[i].stepping);
        g_assert_cmphex(cpu_signature_write(&parts[i]), ==, values[i]);
    }
}

/* Every word of the table is a feature, every base a model before it; a minus takes away what is there. */
static void
test_models(void)
{
    for (gsize i = 0; i < cpu_n_models; i++) {
        g_auto(GStrv) words = g_strsplit(cpu_models[i].features, " ", -1);
        const CpuModel *base = cpu_models[i].base ? cpu_model_find(cpu_models[i].base) : NULL;
        CpuBits of_base = { { 0 } };

        g_assert_true(cpu_model_find(cpu_models[i].name) == &cpu_models[i]);
        g_assert_true(!cpu_models[i].base || (base && base < &cpu_models[i]));
        if (base)
            cpu_model_bits(base, &of_base);
        for (char **word = words; *word && **word; word++) {
            g_assert_true(cpu_feature_known(*word + (**word == '-')));
            g_assert_cmpint(cpu_bits_have(&of_base, *word + (**word == '-')), ==, **word == '-');
        }
    }
}

/* libvirt's expansion of a model, through its test driver, names the features that ours has. */
static void
compare_model(virConnectPtr connection, const CpuModel *model)
{
    g_autofree char *xml = g_strdup_printf("<cpu><arch>x86_64</arch>"
                                           "<model>%s</model></cpu>",
                                           model->name);
    g_autoptr(GRegex) regex = g_regex_new("policy='([^']*)' name='([^']*)'", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    const char *cpus[] = { xml };
    char *expanded =
        virConnectBaselineCPU(connection, cpus, 1, VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
    CpuBits ours, theirs = { { 0 } };
    g_autofree char *our_names = NULL, *their_names = NULL;

    g_assert_nonnull(expanded);
    cpu_model_bits(model, &ours);
    for (g_regex_match(regex, expanded, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL)) {
        g_autofree char *policy = g_match_info_fetch(match, 1);
        g_autofree char *name = g_match_info_fetch(match, 2);

        g_assert_true(cpu_feature_known(name));
        if (strcmp(policy, "require") == 0)
            cpu_bits_add_name(&theirs, name);
    }
    free(expanded);
    our_names = cpu_bits_names(&ours, " ");
    their_names = cpu_bits_names(&theirs, " ");
    g_assert_cmpstr(our_names, ==, their_names);
}

/* Those that libvirt 9.0 does not have; the last ones are nobody's but ours. */
static const char *const newer[] = { "SapphireRapids", "EPYC-Genoa", "x86-64-v1", "x86-64-v2",
                                     "x86-64-v3",      "x86-64-v4",  NULL };

static void
drop_error(void *data, virErrorPtr error)
{
}

static void
test_models_are_libvirts(void)
{
    virConnectPtr connection;
    unsigned long version = 0;
    char **names = NULL;
    int n;

    virSetErrorFunc(NULL, drop_error);
    if (virGetVersion(&version, NULL, NULL) < 0 || version / 1000 != 9000) {
        g_test_skip("the models are libvirt 9.0's, this is another one");
        return;
    }
    connection = virConnectOpen("test:///default");
    g_assert_nonnull(connection);
    n = virConnectGetCPUModelNames(connection, "x86_64", &names, 0);
    g_assert_cmpint(n, ==, cpu_n_models - g_strv_length((char **)newer));
    for (int i = 0; i < n; i++) {
        g_assert_cmpstr(cpu_models[i].name, ==, names[i]);
        compare_model(connection, &cpu_models[i]);
        free(names[i]);
    }
    free(names);
    for (gsize i = n; i < cpu_n_models; i++)
        g_assert_true(g_strv_contains(newer, cpu_models[i].name));
    virConnectClose(connection);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpu-tables/names", test_names);
    g_test_add_func("/cpu-tables/names-are-unique", test_names_are_unique);
    g_test_add_func("/cpu-tables/signatures", test_signatures);
    g_test_add_func("/cpu-tables/models", test_models);
    g_test_add_func("/cpu-tables/models-are-libvirts", test_models_are_libvirts);
    return g_test_run();
}
