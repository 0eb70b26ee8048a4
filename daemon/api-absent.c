#include "daemon/api-absent.h"

#include "driver/error.h"
#include "driver/uuid.h"

typedef struct Absent {
    const char *member;
    virErrorNumber code;
    const char *text; /* what goes before the value that was looked for */
} Absent;

static const Absent table[] = {
    { "NWFilterLookupByName", VIR_ERR_NO_NWFILTER, "no nwfilter with matching name" },
    { "NWFilterLookupByUUID", VIR_ERR_NO_NWFILTER, "no nwfilter with matching uuid" },
    { "SecretLookupByUUID", VIR_ERR_NO_SECRET, "no secret with matching uuid" },
    { "SecretLookupByUsage", VIR_ERR_NO_SECRET, "no secret with matching usage" },
    { "StorageVolLookupByKey", VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching key" },
    { "StorageVolLookupByPath", VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching path" },
};

/* What has to be a uuid is looked at before any driver is asked. */
static gboolean
check_uuid(const char *member, const char *value, GError **error)
{
    char uuid[UUID_SIZE];

    return !g_str_has_suffix(member, "ByUUID") || uuid_parse(value, uuid) ||
           driver_error_argument(error, "uuidstr in vir%sString must be a valid UUID", member);
}

static const Absent *
find(const char *member)
{
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        if (g_str_equal(table[i].member, member))
            return &table[i];
    }
    return NULL;
}

/* What a lookup looks for is its one string, wherever it stands among the arguments. */
static char *
looked_for(GVariant *args)
{
    for (gsize i = 0; i < g_variant_n_children(args); i++) {
        g_autoptr(GVariant) arg = g_variant_get_child_value(args, i);

        if (g_variant_is_of_type(arg, G_VARIANT_TYPE_STRING))
            return g_variant_dup_string(arg, NULL);
    }
    g_assert_not_reached();
}

void
api_absent_list(Call *call)
{
    g_autoptr(GPtrArray) none = g_ptr_array_new();

    call_reply(call, g_variant_new("(*)", call_names(call, none)));
}

void
api_absent_lookup(Call *call)
{
    const Absent *absent = find(call_member(call));
    g_autofree char *value = looked_for(call_args(call));
    GError *error = NULL;

    g_assert(absent);
    if (check_uuid(absent->member, value, &error))
        driver_error(&error, absent->code, "%s '%s'", absent->text, value);
    call_fail(call, error);
}
