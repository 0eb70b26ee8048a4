/* metadata: a domain's title, its description, and what other programs keep in its definition. */
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/verb.h"
#include "driver/xml-metadata.h"

#include <string.h>

#define AFFECTS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

typedef struct Change {
    int type;                    /* virDomainMetadataType */
    char *metadata, *key, *uri; /* NULL: none */
    DomainDef *live, *config;    /* as they will be */
} Change;

static void
change_free(gpointer data)
{
    Change *change = data;

    g_free(change->metadata);
    g_free(change->key);
    g_free(change->uri);
    domain_def_free(change->live);
    domain_def_free(change->config);
    g_free(change);
}

/* On the bus there is no NULL: nothing is an empty text. */
static char *
copy_text(const char *text)
{
    return *text ? g_strdup(text) : NULL;
}

/* An argument that must, or must not, be there; in libvirt's words. */
static gboolean
check_argument(const char *name, const char *value, gboolean wanted, const char *function,
               GError **error)
{
    return wanted == (value != NULL) ||
           driver_error_argument(error, wanted ? "%s in %s must not be NULL" : "%s in %s must be NULL",
                                 name, function);
}

static gboolean
check_type(int type, GError **error)
{
    return (type >= 0 && type <= VIR_DOMAIN_METADATA_ELEMENT) ||
           driver_error(error, VIR_ERR_INVALID_ARG, "unknown metadata type '%d'", type);
}

static gboolean
check_change(const Change *change, GError **error)
{
    static const char function[] = "virDomainSetMetadata";
    gboolean element = change->type == VIR_DOMAIN_METADATA_ELEMENT;

    if (change->type == VIR_DOMAIN_METADATA_TITLE && change->metadata &&
        strchr(change->metadata, '\n'))
        return driver_error_argument(error, "metadata title can't contain newlines");
    return check_type(change->type, error) &&
           check_argument("uri", change->uri, element, function, error) &&
           check_argument("key", change->key, element && change->metadata, function, error);
}

/* A copy of @def with the change; one that could not be read again is refused. */
static DomainDef *
changed(const DomainDef *def, const Change *change, GError **error)
{
    g_autoptr(DomainDef) copy = domain_def_copy(def);
    char **text = change->type == VIR_DOMAIN_METADATA_TITLE         ? &copy->title
                  : change->type == VIR_DOMAIN_METADATA_DESCRIPTION ? &copy->description
                                                                    : &copy->metadata;
    g_autofree char *old = g_steal_pointer(text);

    if (change->type != VIR_DOMAIN_METADATA_ELEMENT)
        *text = g_strdup(change->metadata);
    else if (!xml_metadata_set(old, change->uri, change->key, change->metadata, text, error))
        return NULL;
    return domain_xml_check_written(copy, error) ? g_steal_pointer(&copy) : NULL;
}

static void
swap(char **one, char **other)
{
    char *kept = *one;

    *one = *other;
    *other = kept;
}

/* The texts alone: the rest of a live definition is in use. */
static void
set_live(Domain *domain, Change *change)
{
    if (!change->live)
        return;
    swap(&domain->live->title, &change->live->title);
    swap(&domain->live->description, &change->live->description);
    swap(&domain->live->metadata, &change->live->metadata);
    domain_write_live(domain);
}

static gboolean
make_changes(Verb *verb, guint affects, GError **error)
{
    const Domain *domain = verb->domain;
    Change *change = verb->detail;

    if (affects & VIR_DOMAIN_AFFECT_LIVE &&
        !(change->live = changed(domain->live, change, error)))
        return FALSE;
    if (affects & VIR_DOMAIN_AFFECT_CONFIG &&
        !(change->config = changed(domain->persistent, change, error)))
        return FALSE;
    return !change->config || verb_save(verb, g_steal_pointer(&change->config), error);
}

static void
set_begin(Verb *verb)
{
    Change *change = verb->detail;
    guint affects = verb_affects(verb);
    g_autoptr(GError) error = NULL;

    if (!affects)
        return;
    if (make_changes(verb, affects, &error)) {
        set_live(verb->domain, change);
        domain_tell(verb->domain, metadata, change->type, change->uri ? change->uri : "");
    }
    verb_finish(verb, error);
}

void
domain_set_metadata(Domain *domain, const DomainMetadata *to, guint flags, DomainDone done,
                    gpointer data)
{
    Change *change = g_new0(Change, 1);
    g_autoptr(GError) error = NULL;

    change->type = to->type;
    change->metadata = copy_text(to->metadata);
    change->key = copy_text(to->key);
    change->uri = copy_text(to->uri);
    /* Of a removal the key is nobody's business; a client that sends one gets what it wants. */
    if (!change->metadata)
        g_clear_pointer(&change->key, g_free);
    if (!check_change(change, &error)) {
        done(data, error);
        change_free(change);
        return;
    }
    verb_start_checked("set-metadata",
                       &(Verb){ domain, flags, change, change_free, set_begin, done, data },
                       "virDomainSetMetadata", AFFECTS);
}

char *
domain_get_metadata(const Domain *domain, int type, const char *uri, guint flags, GError **error)
{
    const char *wanted = *uri ? uri : NULL;
    const DomainDef *def;
    char *text;

    if (!driver_check_flags(flags, AFFECTS, "virDomainGetMetadata", error) ||
        !check_type(type, error) ||
        !check_argument("uri", wanted, type == VIR_DOMAIN_METADATA_ELEMENT, "virDomainGetMetadata",
                        error) ||
        !(def = domain_affected_def(domain, flags, error)))
        return NULL;
    text = type == VIR_DOMAIN_METADATA_TITLE         ? g_strdup(def->title)
           : type == VIR_DOMAIN_METADATA_DESCRIPTION ? g_strdup(def->description)
                                                     : xml_metadata_get(def->metadata, uri);
    if (!text)
        driver_error(error, VIR_ERR_NO_DOMAIN_METADATA,
                     "Requested metadata element is not present");
    return text;
}
