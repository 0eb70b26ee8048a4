/* The commands about CPUs that documents describe: cpu-baseline, cpu-compare. */
#include "cli/commands.h"

#include "cli/args.h"
#include "cli/cpus.h"
#include "cli/output.h"
#include "cli/session.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static GVariant *
call(Session *session, const char *method, GVariant *parameters, const char *reply_type,
     GError **error)
{
    return connection_call(session->connection, connection_root(session->connection),
                           CONNECT_INTERFACE, method, parameters, reply_type, error);
}

static const ArgsFlag baseline_flags[] = {
    { "features", VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES },
    { "migratable", VIR_CONNECT_BASELINE_CPU_MIGRATABLE },
    { NULL, 0 },
};

static gboolean
run_cpu_baseline(Session *session, const Args *args, GError **error)
{
    g_auto(GStrv) cpus = cpus_read(args_string(args, "file"), error);
    g_autoptr(GVariant) reply = NULL;
    const char *xml;

    if (!cpus)
        return FALSE;
    reply = call(session, "BaselineCPU",
                 g_variant_new("(^asu)", cpus, args_flags(args, baseline_flags)), "(s)", error);
    if (!reply)
        return FALSE;
    g_variant_get(reply, "(&s)", &xml);
    output("%s", xml);
    return TRUE;
}

static const Option cpu_baseline_options[] = {
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("file with the CPUs' XML documents") },
    { "features", OPTION_BOOL, 0, N_("with the features that the model stands for, one by one") },
    { "migratable", OPTION_BOOL, 0, N_("without features that prevent migration") },
    { NULL },
};

const Command command_cpu_baseline = {
    "cpu-baseline",
    N_("print the best CPU that a guest can have on several hosts"),
    N_("The file has a <cpu> element of each host, or whole documents of capabilities or\n"
       "    domains, one behind the other."),
    cpu_baseline_options,
    run_cpu_baseline,
    0,
};

static const ArgsFlag compare_flags[] = {
    { "error", VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE },
    { "validate", VIR_CONNECT_COMPARE_CPU_VALIDATE_XML },
    { NULL, 0 },
};

/* What libvirt's numbers say, from VIR_CPU_COMPARE_INCOMPATIBLE on. */
static const struct {
    const char *word; /* in JSON */
    const char *text;
} comparisons[] = {
    { "incompatible", N_("CPU described in %s is incompatible with host CPU\n") },
    { "identical", N_("CPU described in %s is identical to host CPU\n") },
    { "superset", N_("Host CPU is a superset of CPU described in %s\n") },
};

/* FALSE: the host cannot be that CPU, which is said where others say that it can. */
static gboolean
tell_comparison(int result, const char *file)
{
    gsize row = result > 0 && (gsize)result < G_N_ELEMENTS(comparisons) ? (gsize)result : 0;
    g_autofree char *text = text_about(comparisons[row].text, file, NULL);

    if (output_is_json())
        output_json(g_variant_new_parsed("{'comparison': <%s>}", comparisons[row].word));
    else
        output("%s", text);
    return row > 0;
}

static gboolean
run_cpu_compare(Session *session, const Args *args, GError **error)
{
    const char *file = args_string(args, "file");
    g_auto(GStrv) cpus = cpus_read(file, error);
    g_autoptr(GVariant) reply = NULL;
    int result;

    if (!cpus)
        return FALSE;
    reply = call(session, "CompareCPU",
                 g_variant_new("(su)", cpus[0], args_flags(args, compare_flags)), "(i)", error);
    if (!reply) {
        output_error(_("Failed to compare host CPU with %s"), file);
        return FALSE;
    }
    g_variant_get(reply, "(i)", &result);
    return tell_comparison(result, file);
}

static const Option cpu_compare_options[] = {
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("file with the CPU's XML document") },
    { "error", OPTION_BOOL, 0, N_("fail with the reason where the CPUs are incompatible") },
    { "validate", OPTION_BOOL, 0, N_("check the document against the schema first (not supported)") },
    { NULL },
};

const Command command_cpu_compare = {
    "cpu-compare",
    N_("compare the host's CPU with one that a file describes"),
    N_("It fails where the host lacks something. Of several CPUs in the file, the first counts."),
    cpu_compare_options,
    run_cpu_compare,
    COMMAND_JSON,
};
