/* top: what the guests do now, in one call for each look. */
#include "cli/commands.h"

#include "cli/domain-names.h"
#include "cli/domain-stats.h"
#include "cli/domain.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/terminal.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GROUPS                                                                                     \
    (VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON |              \
     VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK)

/* What only grows; shown as its growth in a second. */
typedef enum {
    COUNT_CPU_NS,
    COUNT_READ,
    COUNT_WRITTEN,
    COUNT_RECEIVED,
    COUNT_SENT,
    N_COUNTS,
} Count;

typedef struct Sample {
    char *name;
    int state;
    guint vcpus;
    guint64 memory_kib;
    guint64 counts[N_COUNTS];
    double rates[N_COUNTS]; /* in a second; 0 at the first look */
} Sample;

static void
sample_free(gpointer data)
{
    Sample *sample = data;

    g_free(sample->name);
    g_free(sample);
}

typedef struct Look {
    GPtrArray *samples; /* of Sample */
    gint64 time_us;
} Look;

static void
look_clear(Look *look)
{
    g_clear_pointer(&look->samples, g_ptr_array_unref);
}

static guint64
number(GVariantDict *stats, const char *key)
{
    g_autoptr(GVariant) value = variant_dict_unwrap(stats, key, "t");
    g_autoptr(GVariant) narrow = value ? NULL : variant_dict_unwrap(stats, key, "u");

    if (value)
        return g_variant_get_uint64(value);
    return narrow ? g_variant_get_uint32(narrow) : 0;
}

/* The sum of "block.0.rd.bytes", "block.1.rd.bytes", ... */
static guint64
sum(GVariantDict *stats, const char *group, const char *figure)
{
    g_autofree char *count_key = g_strdup_printf("%s.count", group);
    guint64 n = number(stats, count_key), total = 0;

    for (guint64 i = 0; i < n; i++) {
        g_autofree char *key = g_strdup_printf("%s.%" G_GUINT64_FORMAT ".%s", group, i, figure);
        total += number(stats, key);
    }
    return total;
}

static Sample *
sample_new(const char *name, GVariant *record)
{
    g_autoptr(GVariantDict) stats = g_variant_dict_new(record);
    g_autoptr(GVariant) state = variant_dict_unwrap(stats, "state.state", "i");
    Sample *sample = g_new0(Sample, 1);

    sample->name = g_strdup(name);
    sample->state = state ? g_variant_get_int32(state) : VIR_DOMAIN_NOSTATE;
    sample->vcpus = (guint)number(stats, "vcpu.current");
    sample->memory_kib = number(stats, "balloon.current");
    sample->counts[COUNT_CPU_NS] = number(stats, "cpu.time");
    sample->counts[COUNT_READ] = sum(stats, "block", "rd.bytes");
    sample->counts[COUNT_WRITTEN] = sum(stats, "block", "wr.bytes");
    sample->counts[COUNT_RECEIVED] = sum(stats, "net", "rx.bytes");
    sample->counts[COUNT_SENT] = sum(stats, "net", "tx.bytes");
    return sample;
}

static const Sample *
find_sample(const Look *look, const char *name)
{
    for (guint i = 0; look->samples && i < look->samples->len; i++) {
        const Sample *sample = look->samples->pdata[i];
        if (strcmp(sample->name, name) == 0)
            return sample;
    }
    return NULL;
}

/* A guest that was started again counts from zero. */
static void
set_rates(Look *now, const Look *before)
{
    double seconds = (double)(now->time_us - before->time_us) / G_USEC_PER_SEC;

    for (guint i = 0; i < now->samples->len; i++) {
        Sample *sample = now->samples->pdata[i];
        const Sample *old = find_sample(before, sample->name);
        for (Count c = 0; old && seconds > 0 && c < N_COUNTS; c++)
            if (sample->counts[c] >= old->counts[c])
                sample->rates[c] = (double)(sample->counts[c] - old->counts[c]) / seconds;
    }
}

static int
busiest_first(gconstpointer a, gconstpointer b)
{
    const Sample *one = *(Sample *const *)a, *other = *(Sample *const *)b;
    double difference = other->rates[COUNT_CPU_NS] - one->rates[COUNT_CPU_NS];

    if (difference != 0)
        return difference < 0 ? -1 : 1;
    return strcmp(one->name, other->name);
}

static void
add_sample(gpointer samples, const char *name, GVariant *record)
{
    g_ptr_array_add(samples, sample_new(name, record));
}

static gboolean
look_at(Session *session, const Look *before, Look *ret, GError **error)
{
    g_autoptr(GPtrArray) samples = g_ptr_array_new_with_free_func(sample_free);

    if (!domain_stats_all(session->connection, GROUPS, VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE,
                          add_sample, samples, error))
        return FALSE;
    ret->time_us = g_get_monotonic_time();
    ret->samples = g_steal_pointer(&samples);
    set_rates(ret, before);
    g_ptr_array_sort(ret->samples, busiest_first);
    return TRUE;
}

/* "12.5M": bytes in a second, in powers of 1024. */
static char *
rate_text(double bytes)
{
    static const char units[] = "BKMGT";
    gsize unit = 0;

    for (; bytes >= 1024 && unit + 2 < sizeof units; unit++)
        bytes /= 1024;
    return g_strdup_printf(unit ? "%.1f%c" : "%.0f%c", bytes, units[unit]);
}

static void
add_row(Table *table, const Sample *sample)
{
    g_autofree char *cpu = g_strdup_printf("%.1f", sample->rates[COUNT_CPU_NS] / 1e7);
    g_autofree char *vcpus = g_strdup_printf("%u", sample->vcpus);
    g_autofree char *memory = g_strdup_printf("%" G_GUINT64_FORMAT, sample->memory_kib / 1024);
    g_autofree char *read = rate_text(sample->rates[COUNT_READ]);
    g_autofree char *written = rate_text(sample->rates[COUNT_WRITTEN]);
    g_autofree char *received = rate_text(sample->rates[COUNT_RECEIVED]);
    g_autofree char *sent = rate_text(sample->rates[COUNT_SENT]);

    table_add(table, (const char *const[]){ sample->name, domain_state_name(sample->state), cpu,
                                            vcpus, memory, read, written, received, sent, NULL });
}

static char *
table_text(const Look *look)
{
    const char *titles[] = { _("Name"),   _("State"),   _("%CPU"), _("vCPUs"), _("MiB"),
                             _("Read/s"), _("Write/s"), _("Rx/s"), _("Tx/s"),  NULL };
    g_autoptr(Table) table = table_new(titles);

    for (guint i = 0; i < look->samples->len; i++)
        add_row(table, look->samples->pdata[i]);
    return table_format(table);
}

static GVariant *
sample_value(const Sample *sample)
{
    static const char *const keys[N_COUNTS] = { "cpu-percent", "read-bytes-per-s",
                                                "write-bytes-per-s", "rx-bytes-per-s",
                                                "tx-bytes-per-s" };
    GVariantBuilder object;

    g_variant_builder_init(&object, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&object, "{sv}", "name", g_variant_new_string(sample->name));
    g_variant_builder_add(&object, "{sv}", "state",
                          g_variant_new_string(domain_state_name(sample->state)));
    g_variant_builder_add(&object, "{sv}", "vcpus", g_variant_new_uint32(sample->vcpus));
    g_variant_builder_add(&object, "{sv}", "memory-kib", g_variant_new_uint64(sample->memory_kib));
    for (Count c = 0; c < N_COUNTS; c++)
        g_variant_builder_add(
            &object, "{sv}", keys[c],
            g_variant_new_double(sample->rates[c] / (c == COUNT_CPU_NS ? 1e7 : 1)));
    return g_variant_builder_end(&object);
}

static void
print_json(const Look *look)
{
    GVariantBuilder all;

    g_variant_builder_init(&all, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < look->samples->len; i++)
        g_variant_builder_add_value(&all, sample_value(look->samples->pdata[i]));
    output_json(g_variant_builder_end(&all));
}

/* From the screen's upper left corner; in raw mode a new line needs a return as well. */
static void
print_screen(const Look *look)
{
    g_autofree char *text = table_text(look);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    output("\033[H\033[J");
    output(_("vmctl top: %u guests run; q leaves"), look->samples->len);
    output("\r\n\r\n");
    for (gsize i = 0; lines[i]; i++)
        output("%s\r\n", lines[i]);
}

static void
print_batch(const Look *look)
{
    g_autofree char *text = table_text(look);

    output("%s\n", text);
}

/* Waits for the next look; TRUE: the user wants to leave. */
static gboolean
wait_for_key(int delay_ms)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    char key;

    if (poll(&input, 1, delay_ms) <= 0)
        return FALSE;
    return read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q' || key == '\x03';
}

typedef struct Top {
    Session *session;
    gboolean screen;     /* on a terminal, until a key ends it */
    int delay_ms, count; /* 0: without end */
} Top;

static gboolean
watch(const Top *top, GError **error)
{
    Look before = { 0 };
    gboolean done = TRUE;

    for (int i = 0; done && (top->count == 0 || i < top->count); i++) {
        Look now = { 0 };

        if (i > 0 && top->screen && wait_for_key(top->delay_ms))
            break;
        if (i > 0 && !top->screen)
            g_usleep((gulong)top->delay_ms * 1000);
        done = look_at(top->session, &before, &now, error);
        if (done && output_is_json())
            print_json(&now);
        else if (done && top->screen)
            print_screen(&now);
        else if (done)
            print_batch(&now);
        fflush(stdout);
        look_clear(&before);
        before = now;
    }
    look_clear(&before);
    return done;
}

static gboolean
run_top(Session *session, const Args *args, GError **error)
{
    Top top = { .session = session,
                .delay_ms = args_int(args, "delay", 2000),
                .count = args_int(args, "count", 0) };
    gboolean done;

    if (top.delay_ms < 1 || top.count < 0)
        return cli_fail(error, "%s", _("--delay and --count are numbers above zero"));
    top.screen = !args_has(args, "batch") && !output_is_json() && isatty(STDOUT_FILENO) &&
                 isatty(STDIN_FILENO);
    if (top.screen && !terminal_make_raw(STDIN_FILENO, error))
        return FALSE;
    done = watch(&top, error);
    terminal_restore();
    return done;
}

static const Option top_options[] = {
    { "batch", OPTION_BOOL, 0, N_("print one table after the other, for a file or a pipe"), 'b' },
    { "count", OPTION_INT, OPTION_NAMED_ONLY, N_("end after so many looks"), 'n' },
    { "delay", OPTION_INT, OPTION_NAMED_ONLY, N_("milliseconds between them (default: 2000)"),
      'd' },
    { NULL },
};

const Command command_top = {
    "top",
    N_("watch what the guests do"),
    N_("Processors, memory, disks and network of the guests that run, the busiest first. -b, -n\n"
       "    and -d are short for the options. The first look has no rates yet."),
    top_options,
    run_top,
    COMMAND_JSON,
};
