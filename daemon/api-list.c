#include "daemon/api-list.h"

#include "daemon/columns.h"

/* Those that the call's flags mean and its answer may tell of; NULL: it has failed. */
static GPtrArray *
wanted_domains(Call *call)
{
    GPtrArray *domains;
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    domains = call_list(call, flags, &error);
    if (!domains)
        call_fail(call, error);
    return domains;
}

void
api_list_domains(Call *call)
{
    g_autoptr(GPtrArray) domains = wanted_domains(call);

    if (domains)
        call_reply(call, g_variant_new("(*)", call_names(call, domains)));
}

static guint
shown_id(const Domain *domain)
{
    return MAX(domain_id(domain), 0);
}

static GVariant *
list_row(Call *call, Domain *domain)
{
    int state, reason;

    domain_state(domain, &state, &reason);
    return g_variant_new("(*ssuiibb)", call_name(call, domain), domain_name(domain),
                         domain_uuid(domain), shown_id(domain), state, reason,
                         domain_is_persistent(domain), domain_autostart(domain));
}

void
api_list_all_domains(Call *call)
{
    g_autoptr(GPtrArray) domains = wanted_domains(call);
    GVariantBuilder rows;

    if (!domains)
        return;
    g_variant_builder_init(&rows, G_VARIANT_TYPE("a(ossuiibb)"));
    for (guint i = 0; i < domains->len; i++)
        g_variant_builder_add_value(&rows, list_row(call, domains->pdata[i]));
    call_reply(call, g_variant_new("(a(ossuiibb))", &rows));
}

void
api_list_all_titles(Call *call)
{
    g_autoptr(GPtrArray) domains = wanted_domains(call);
    GVariantBuilder titles;

    if (!domains)
        return;
    g_variant_builder_init(&titles, G_VARIANT_TYPE("a{os}"));
    for (guint i = 0; i < domains->len; i++) {
        Domain *domain = domains->pdata[i];
        g_autofree char *title = domain_title(domain);

        if (*title)
            g_variant_builder_add_value(
                &titles,
                g_variant_new_dict_entry(call_name(call, domain), g_variant_new_string(title)));
    }
    call_reply(call, g_variant_new("(a{os})", &titles));
}

/* In columns */

#define MARK_PERSISTENT 1
#define MARK_AUTOSTART  2

typedef struct ListColumns {
    TextColumn *names, *uuids;
    GArray *ids, *states, *reasons, *marks;
} ListColumns;

static void
add_row(ListColumns *columns, const Domain *domain)
{
    guint id = shown_id(domain);
    guint8 marks = (domain_is_persistent(domain) ? MARK_PERSISTENT : 0) |
                   (domain_autostart(domain) ? MARK_AUTOSTART : 0);
    int state, reason;

    domain_state(domain, &state, &reason);
    text_column_add(columns->names, domain_name(domain));
    text_column_add(columns->uuids, domain_uuid(domain));
    g_array_append_val(columns->ids, id);
    g_array_append_val(columns->states, state);
    g_array_append_val(columns->reasons, reason);
    g_array_append_val(columns->marks, marks);
}

void
api_list_columns(Call *call)
{
    g_autoptr(GPtrArray) domains = wanted_domains(call);
    ListColumns columns;

    if (!domains)
        return;
    columns = (ListColumns){
        g_byte_array_new(),
        g_byte_array_new(),
        g_array_new(FALSE, FALSE, sizeof(guint)),
        g_array_new(FALSE, FALSE, sizeof(int)),
        g_array_new(FALSE, FALSE, sizeof(int)),
        g_array_new(FALSE, FALSE, sizeof(guint8)),
    };
    for (guint i = 0; i < domains->len; i++)
        add_row(&columns, domains->pdata[i]);
    call_reply(call, g_variant_new("(******)", text_column_end(columns.names),
                                   text_column_end(columns.uuids), column_end("u", columns.ids),
                                   column_end("i", columns.states),
                                   column_end("i", columns.reasons),
                                   column_end("y", columns.marks)));
}
