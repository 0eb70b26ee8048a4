#include "cli/domain-stats.h"

#include "cli/output.h"
#include "cli/stats-reader.h"

#include <glib/gi18n.h>

#define IN_COLUMNS "GetAllDomainStatsInColumns"

typedef struct Question {
    Connection *connection;
    guint groups, flags;
    DomainStatsEach each;
    gpointer data;
} Question;

static GVariant *
ask(const Question *question, const char *interface, const char *method, const char *type,
    GError **error)
{
    return connection_call(question->connection, connection_root(question->connection), interface,
                           method, g_variant_new("(uu)", question->groups, question->flags), type,
                           error);
}

/* vmctld's own method. */
static gboolean
ask_in_columns(const Question *question, GError **error)
{
    g_autoptr(GVariant) answer =
        ask(question, VMCTL_CONNECT_INTERFACE, IN_COLUMNS, STATS_COLUMNS, error);
    g_autoptr(StatsReader) reader = answer ? stats_reader_new(answer) : NULL;

    if (!reader)
        return answer && cli_fail(error, _("the answer of %s.%s makes no sense"),
                                  VMCTL_CONNECT_INTERFACE, IN_COLUMNS);
    while (stats_reader_next(reader)) {
        g_autoptr(GVariant) record = stats_reader_record(reader);

        question->each(question->data, stats_reader_name(reader), record);
    }
    return TRUE;
}

/* libvirt-dbus' way. */
static gboolean
ask_in_records(const Question *question, GError **error)
{
    g_autoptr(GVariantIter) records = NULL;
    const char *name;
    GVariant *record;
    g_autoptr(GVariant) answer =
        ask(question, CONNECT_INTERFACE, "GetAllDomainStats", "(a(sa{sv}))", error);

    if (!answer)
        return FALSE;
    g_variant_get(answer, "(a(sa{sv}))", &records);
    while (g_variant_iter_loop(records, "(&s@a{sv})", &name, &record))
        question->each(question->data, name, record);
    return TRUE;
}

gboolean
domain_stats_all(Connection *connection, guint groups, guint flags, DomainStatsEach each,
                 gpointer data, GError **error)
{
    const Question question = { connection, groups, flags, each, data };
    g_autoptr(GError) failure = NULL;

    if (ask_in_columns(&question, &failure))
        return TRUE;
    if (error_is_unknown_method(failure))
        return ask_in_records(&question, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}
