/* node-memory-tune: how the host merges pages that are the same (KSM). */
#include "cli/commands.h"

#include "cli/args.h"
#include "cli/connection.h"
#include "cli/output.h"
#include "cli/params.h"
#include "cli/session.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static const struct {
    const char *option, *param;
} values[] = {
    { "shm-pages-to-scan", VIR_NODE_MEMORY_SHARED_PAGES_TO_SCAN },
    { "shm-sleep-millisecs", VIR_NODE_MEMORY_SHARED_SLEEP_MILLISECS },
    { "shm-merge-across-nodes", VIR_NODE_MEMORY_SHARED_MERGE_ACROSS_NODES },
};

static void
print_lines(GVariant *params)
{
    GVariantIter iter;
    const char *key;
    GVariant *wrapped;

    output("%s", _("Shared memory:\n"));
    g_variant_iter_init(&iter, params);
    while (g_variant_iter_loop(&iter, "{&sv}", &key, &wrapped)) {
        g_autoptr(GVariant) value = variant_unwrap(wrapped);
        g_autofree char *text = params_text(key, value);

        output("\t%-15s %s\n", key, text);
    }
}

static gboolean
show(Connection *connection, GError **error)
{
    g_autoptr(GVariant) reply =
        connection_call(connection, connection_root(connection), CONNECT_INTERFACE,
                        "NodeGetMemoryParameters", g_variant_new("(u)", 0), "(a{sv})", error);
    g_autoptr(GVariant) params = reply ? g_variant_get_child_value(reply, 0) : NULL;

    if (!params)
        output_error("%s", _("Unable to get number of memory parameters"));
    else if (output_is_json())
        params_print(params, params_text);
    else
        print_lines(params);
    return params != NULL;
}

static gboolean
change(Connection *connection, GVariant *wanted, GError **error)
{
    g_autoptr(GVariant) reply =
        connection_call(connection, connection_root(connection), CONNECT_INTERFACE,
                        "NodeSetMemoryParameters", g_variant_new("(@a{sv}u)", wanted, 0), "()", error);

    if (!reply)
        output_error("%s", _("Unable to change memory parameters"));
    return reply != NULL;
}

static gboolean
run_node_memory_tune(Session *session, const Args *args, GError **error)
{
    g_auto(GVariantDict) wanted = G_VARIANT_DICT_INIT(NULL);
    gboolean any = FALSE;

    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        int value = args_int(args, values[i].option, 0);

        if (!args_has(args, values[i].option))
            continue;
        if (value < 0)
            return cli_fail(error,
                            _("Numeric value '%s' for <%s> option is malformed or out of range"),
                            args_string(args, values[i].option), values[i].option);
        g_variant_dict_insert(&wanted, values[i].param, "u", (guint)value);
        any = TRUE;
    }
    return any ? change(session->connection, g_variant_dict_end(&wanted), error)
               : show(session->connection, error);
}

static const Option node_memory_tune_options[] = {
    { "shm-pages-to-scan", OPTION_INT, OPTION_CHANGES, N_("how many pages are looked at in one go") },
    { "shm-sleep-millisecs", OPTION_INT, OPTION_CHANGES, N_("how long to rest then") },
    { "shm-merge-across-nodes", OPTION_INT, OPTION_CHANGES, N_("1: pages of different NUMA nodes, too; 0: not") },
    { NULL },
};

const Command command_node_memory_tune = {
    "node-memory-tune",
    N_("print or change how the host merges pages that are the same"),
    NULL,
    node_memory_tune_options,
    run_node_memory_tune,
    COMMAND_JSON,
};
