#include "daemon/api-node.h"

#include "driver/node.h"

#include <libvirt/libvirt.h>

void
api_node_cpu_map(Call *call)
{
    g_autoptr(GArray) map = NULL;
    GVariantBuilder online;
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    map = node_cpu_map(call_object(call)->driver, flags, &error);
    if (!map) {
        call_fail(call, error);
        return;
    }
    g_variant_builder_init(&online, G_VARIANT_TYPE("ab"));
    for (guint i = 0; i < map->len; i++)
        g_variant_builder_add(&online, "b", g_array_index(map, gboolean, i));
    call_reply(call, g_variant_new("(ab)", &online));
}

typedef struct Figure {
    const char *name;
    guint64 value;
} Figure;

static void
reply_figures(Call *call, const Figure *figures, gsize n)
{
    GVariantBuilder all;

    g_variant_builder_init(&all, G_VARIANT_TYPE("a{st}"));
    for (gsize i = 0; i < n; i++)
        g_variant_builder_add(&all, "{st}", figures[i].name, figures[i].value);
    call_reply(call, g_variant_new("(a{st})", &all));
}

void
api_node_cpu_stats(Call *call)
{
    GError *error = NULL;
    guint flags;
    HostCpuTimes cpu;
    int number;

    call_get(call, "(iu)", &number, &flags);
    if (node_cpu(call_object(call)->driver, number, flags, &cpu, &error)) {
        const Figure figures[] = {
            { VIR_NODE_CPU_STATS_KERNEL, cpu.kernel },
            { VIR_NODE_CPU_STATS_USER, cpu.user },
            { VIR_NODE_CPU_STATS_IDLE, cpu.idle },
            { VIR_NODE_CPU_STATS_IOWAIT, cpu.iowait },
        };

        reply_figures(call, figures, G_N_ELEMENTS(figures));
    } else {
        call_fail(call, error);
    }
}

void
api_node_free_memory(Call *call)
{
    GError *error = NULL;
    guint64 bytes;

    if (node_free_memory(call_object(call)->driver, &bytes, &error))
        call_reply(call, g_variant_new("(t)", bytes));
    else
        call_fail(call, error);
}

void
api_node_info(Call *call)
{
    HostNode node;

    node_info(call_object(call)->driver, &node);
    call_reply(call, g_variant_new("((stuuuuuu))", node.model, node.memory_kib, node.cpus, node.mhz,
                                   node.nodes, node.sockets, node.cores, node.threads));
}

void
api_node_memory_parameters(Call *call)
{
    GError *error = NULL;
    GVariant *params;
    guint flags;

    call_get(call, "(u)", &flags);
    params = driver_memory_parameters(call_object(call)->driver, flags, &error);
    call_answer(call, params, error);
    g_clear_error(&error);
}

void
api_node_set_memory_parameters(Call *call)
{
    g_autoptr(GVariant) params = NULL;
    GError *error = NULL;
    guint flags;

    call_get(call, "(@a{sv}u)", &params, &flags);
    if (!call_check_params(call, params))
        return;
    if (driver_set_memory_parameters(call_object(call)->driver, params, flags, &error))
        call_reply_nothing(call);
    else
        call_fail(call, error);
}

void
api_node_memory_stats(Call *call)
{
    GError *error = NULL;
    HostMemory memory;
    guint flags;
    int cell;

    call_get(call, "(iu)", &cell, &flags);
    if (node_memory(call_object(call)->driver, cell, flags, &memory, &error)) {
        const Figure figures[] = {
            { VIR_NODE_MEMORY_STATS_TOTAL, memory.total },
            { VIR_NODE_MEMORY_STATS_FREE, memory.free },
            { VIR_NODE_MEMORY_STATS_BUFFERS, memory.buffers },
            { VIR_NODE_MEMORY_STATS_CACHED, memory.cached },
        };
        /* A cell's buffers are part of what it calls cached, so libvirt gives two figures there. */
        gboolean whole = cell == VIR_NODE_MEMORY_STATS_ALL_CELLS;

        reply_figures(call, figures, whole ? G_N_ELEMENTS(figures) : 2);
    } else {
        call_fail(call, error);
    }
}

void
api_node_security_model(Call *call)
{
    const char *model, *doi;

    node_security_model(call_object(call)->driver, &model, &doi);
    call_reply(call, g_variant_new("((ss))", model, doi));
}
