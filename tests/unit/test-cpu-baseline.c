/* virConnectBaselineCPU: what two models have in common is what the installed libvirt says it is, where that is the one
 * whose models these are; and what it refuses. */
#include "driver/cpu-baseline.h"
#include "driver/cpu-models.h"
#include "driver/error.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

#define X86 "<arch>x86_64</arch>"

static virConnectPtr connection;

static void
drop_error(void *data, virErrorPtr error)
{
}

static char *
of_model(const char *model, const char *more)
{
    return g_strdup_printf("<cpu>" X86 "<model>%s</model>%s</cpu>", model, more);
}

/* Both say the same, or refuse for the same reason. */
static void
assert_same(const char *const *documents, guint flags)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *ours = cpu_baseline(documents, flags, &error);
    char *theirs = virConnectBaselineCPU(connection, (const char **)documents,
                                         g_strv_length((char **)documents), flags);

    g_assert_cmpstr(ours, ==, theirs);
    if (!theirs)
        g_assert_cmpstr(error->message, ==, virGetLastErrorMessage());
    if (!theirs)
        g_assert_cmpint(error->code, ==, virGetLastErrorCode());
    free(theirs);
}

static void
assert_pair(const char *one, const char *other)
{
    g_autofree char *first = of_model(one, ""), *second = of_model(other, "");

    assert_same((const char *const[]){ first, second, NULL }, 0);
}

/* The vendor is that of some, or not. */
static void
assert_vendors(const char *one, const char *other)
{
    g_autofree char *first = of_model(one, ""), *second = of_model(other, "<vendor>Intel</vendor>");
    g_autofree char *third = of_model(one, "<vendor>AMD</vendor><feature name='invtsc'/>");

    assert_same((const char *const[]){ first, second, NULL },
                VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
    assert_same((const char *const[]){ third, second, NULL }, 0);
    assert_same((const char *const[]){ third, first, third, NULL }, 0);
}

/* The peer, with the same models. */
static gboolean
is_there(void)
{
    unsigned long version = 0;

    virSetErrorFunc(NULL, drop_error);
    if (virGetVersion(&version, NULL, NULL) < 0 || version / 1000 != 9000) {
        g_test_skip("the models are libvirt 9.0's, this is another one");
        return FALSE;
    }
    connection = virConnectOpen("test:///default");
    g_assert_nonnull(connection);
    return TRUE;
}

static void
test_pairs(void)
{
    char **names = NULL;
    int n;

    if (!is_there())
        return;
    n = virConnectGetCPUModelNames(connection, "x86_64", &names, 0);
    g_assert_cmpint(n, >, 50);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            assert_pair(names[i], names[j]);
        assert_vendors(names[i], names[i]);
        assert_vendors(names[i], names[n - 1 - i]);
    }
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    virConnectClose(connection);
}

static const char *const refused[][3] = {
    { NULL },
    { "nonsense" },
    { "<cpu>" },
    { "<domain/>" },
    { "<cpu/>" },
    { "<cpu><model>486</model></cpu>" },
    { "<cpu>" X86 "</cpu>" },
    { "<cpu>" X86 "<model/></cpu>" },
    { "<cpu mode='custom'>" X86 "<model>486</model></cpu>" },
    { "<cpu><arch>nope</arch><model>486</model></cpu>" },
    { "<cpu><arch>mips</arch><model>486</model></cpu>" },
    { "<cpu>" X86 "<model>nope</model></cpu>" },
    { "<cpu>" X86 "<model>486</model><vendor>nope</vendor></cpu>" },
    { "<cpu>" X86 "<model>486</model><feature name='nope'/></cpu>" },
    { "<cpu>" X86 "<model>486</model><feature/></cpu>" },
    { "<cpu>" X86 "<model>486</model><feature name=''/></cpu>" },
    { "<cpu>" X86 "<model>486</model><feature name='nx'/><feature name='nx'/></cpu>" },
    { "<cpu>" X86 "<model>EPYC</model></cpu>",
      "<cpu><arch>aarch64</arch><model>cortex-a53</model></cpu>" },
    { "<cpu>" X86 "<model>EPYC</model></cpu>", "<cpu/>" },
    { "<cpu>" X86 "<model>EPYC</model></cpu>",
      "<cpu>" X86 "<model>486</model><vendor>nope</vendor></cpu>" },
};

/* As libvirt's others; these it takes. */
static const char *const taken[][3] = {
    { "<cpu>" X86 "<model>486</model><vendor/></cpu>" },
    { "<cpu match='exact'>" X86 "<model>486</model><model>kvm64</model></cpu>" },
    { "<cpu><arch>i686</arch><model>486</model></cpu>" },
    { "<cpu>" X86 "<model>kvm64</model><feature policy='disable' name='nx'/></cpu>" },
    { "<cpu>" X86 "<model>EPYC</model><feature name='monitor'/></cpu>" },
    { "<cpu>" X86 "<model>EPYC</model><vendor>AMD</vendor></cpu>",
      "<cpu>" X86 "<model>EPYC-Milan</model><vendor>AMD</vendor><feature name='topoext'/></cpu>" },
};

static void
test_documents(void)
{
    if (!is_there())
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++)
        assert_same(refused[i], 0);
    for (gsize i = 0; i < G_N_ELEMENTS(taken); i++) {
        assert_same(taken[i], 0);
        assert_same(taken[i], VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
    }
    virConnectClose(connection);
}

static void
test_refused(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(cpu_baseline(refused[i], 0, &error));
        g_assert_nonnull(error);
    }
}

/* What libvirt's test driver cannot be asked. */
static void
test_migratable(void)
{
    g_autofree char *document = of_model("Haswell", "<feature name='invtsc'/><feature name='ss'/>");
    const char *const documents[] = { document, NULL };
    g_autoptr(GError) error = NULL;
    g_autofree char *plain = cpu_baseline(documents, 0, &error);
    g_autofree char *moves =
        cpu_baseline(documents, VIR_CONNECT_BASELINE_CPU_MIGRATABLE, &error);
    g_autofree char *all = cpu_baseline(documents,
                                        VIR_CONNECT_BASELINE_CPU_MIGRATABLE |
                                            VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES,
                                        &error);

    g_assert_no_error(error);
    g_assert_nonnull(strstr(plain, "name='invtsc'"));
    g_assert_null(strstr(moves, "name='invtsc'"));
    g_assert_nonnull(strstr(moves, "name='ss'"));
    g_assert_null(strstr(all, "name='invtsc'"));
    g_assert_nonnull(strstr(all, "name='avx2'"));
}

/* Those that libvirt has not are given to none but those who have named them. */
static void
test_ours(void)
{
    g_autofree char *level = of_model("x86-64-v3", "");
    const char *const alone[] = { level, NULL };
    g_autoptr(GError) error = NULL;
    g_autofree char *same = cpu_baseline(alone, 0, &error);

    g_assert_no_error(error);
    g_assert_nonnull(strstr(same, "<model fallback='forbid'>x86-64-v3</model>"));
    for (gsize i = 0; i < cpu_n_models; i++) {
        g_autofree char *with = of_model(cpu_models[i].name, "");
        g_autofree char *common = NULL;

        if (strcmp(cpu_models[i].name, "x86-64-v3") == 0)
            continue;
        common = cpu_baseline((const char *const[]){ level, with, NULL }, 0, &error);
        g_assert_no_error(error);
        g_assert_null(strstr(common, "x86-64-"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpu-baseline/pairs", test_pairs);
    g_test_add_func("/cpu-baseline/documents", test_documents);
    g_test_add_func("/cpu-baseline/refused", test_refused);
    g_test_add_func("/cpu-baseline/migratable", test_migratable);
    g_test_add_func("/cpu-baseline/ours", test_ours);
    return g_test_run();
}
