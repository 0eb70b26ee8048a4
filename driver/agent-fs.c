/* agent-fs: a guest's file systems. */
#include "driver/agent.h"
#include "driver/agent-info.h"
#include "driver/domain-agent.h"
#include "driver/error.h"
#include "driver/json.h"

/* Freezing and thawing: how many were */

static void
got_count(AgentVerb *verb, GVariant *returned, const GError *error)
{
    gint64 n;

    if (error)
        agent_verb_finish(verb, NULL, error);
    else if (!g_variant_is_of_type(returned, G_VARIANT_TYPE_INT64) ||
             (n = g_variant_get_int64(returned)) < 0 || n > G_MAXINT)
        agent_verb_fail(verb, VIR_ERR_INTERNAL_ERROR, "malformed return value");
    else
        agent_verb_finish(verb, g_variant_new_uint32(n), NULL);
}

static void
ask_freeze(AgentVerb *verb)
{
    char **mountpoints = verb->detail;
    const char *const *list = (const char *const *)mountpoints;

    if (mountpoints[0])
        agent_verb_ask(verb, "guest-fsfreeze-freeze-list",
                       json_object("mountpoints", g_variant_new_strv(list, -1), NULL), got_count);
    else
        agent_verb_ask(verb, "guest-fsfreeze-freeze", NULL, got_count);
}

void
domain_fs_freeze(Domain *domain, const char *const *mountpoints, guint flags, DomainReply done,
                 gpointer data)
{
    const AgentVerb verb = {
        .domain = domain,
        .begin = ask_freeze,
        .done = done,
        .data = data,
        .detail = g_strdupv((char **)mountpoints),
        .detail_free = (GDestroyNotify)g_strfreev,
    };

    agent_verb_start("fs-freeze", &verb, "virDomainFSFreeze", flags, 0);
}

/* Only a simulated guest takes mount points. */
static void
ask_thaw(AgentVerb *verb)
{
    char **mountpoints = verb->detail;
    const char *const *list = (const char *const *)mountpoints;

    agent_verb_ask(verb, "guest-fsfreeze-thaw",
                   mountpoints[0]
                       ? json_object("mountpoints", g_variant_new_strv(list, -1), NULL)
                       : NULL,
                   got_count);
}

static void
refuse_mountpoint(const char *text, DomainReply done, gpointer data)
{
    g_autoptr(GError) error = NULL;

    driver_error(&error, VIR_ERR_ARGUMENT_UNSUPPORTED, "%s", text);
    done(data, NULL, error);
}

void
domain_fs_thaw(Domain *domain, const char *const *mountpoints, guint flags, DomainReply done,
               gpointer data)
{
    AgentVerb verb = {
        .domain = domain,
        .begin = ask_thaw,
        .done = done,
        .data = data,
        .detail_free = (GDestroyNotify)g_strfreev,
    };

    if (mountpoints[0] && !domain_is_simulated(domain)) {
        refuse_mountpoint("specifying mountpoints is not supported", done, data);
        return;
    }
    verb.detail = g_strdupv((char **)mountpoints);
    agent_verb_start("fs-thaw", &verb, "virDomainFSThaw", flags, 0);
}

/* Trimming */

/* What is to be trimmed. */
typedef struct Trim {
    char *mountpoint; /* "": everything; only a simulated guest takes another */
    guint64 minimum;
} Trim;

static void
trim_free(gpointer data)
{
    Trim *trim = data;

    g_free(trim->mountpoint);
    g_free(trim);
}

static void
ask_trim(AgentVerb *verb)
{
    const Trim *trim = verb->detail;
    GVariant *minimum = g_variant_new_uint64(trim->minimum);

    agent_verb_ask(verb, "guest-fstrim",
                   *trim->mountpoint
                       ? json_object("minimum", minimum, "mountpoint",
                                     g_variant_new_string(trim->mountpoint), NULL)
                       : json_object("minimum", minimum, NULL),
                   agent_verb_done);
}

void
domain_fs_trim(Domain *domain, const char *mountpoint, guint64 minimum, guint flags,
               DomainReply done, gpointer data)
{
    AgentVerb verb = {
        .domain = domain, .begin = ask_trim, .done = done, .data = data, .detail_free = trim_free
    };
    Trim *trim;

    if (*mountpoint && !domain_is_simulated(domain)) {
        refuse_mountpoint("Specifying mount point is not supported for now", done, data);
        return;
    }
    verb.detail = trim = g_new(Trim, 1);
    *trim = (Trim){ g_strdup(mountpoint), minimum };
    agent_verb_start("fs-trim", &verb, "virDomainFSTrim", flags, 0);
}

/* What there is */

static GVariant *
public_filesystem(const AgentFilesystem *fs, const DomainDef *def)
{
    GVariantBuilder targets;

    g_variant_builder_init(&targets, G_VARIANT_TYPE_STRING_ARRAY);
    for (guint i = 0; i < fs->disks->len; i++) {
        const AgentDisk *disk = g_ptr_array_index(fs->disks, i);
        const char *target = agent_disk_target(disk, def);

        if (target)
            g_variant_builder_add(&targets, "s", target);
    }
    return g_variant_new("(sssas)", fs->mountpoint, fs->name, fs->type, &targets);
}

static void
got_filesystems(AgentVerb *verb, GVariant *returned, const GError *error)
{
    g_autoptr(GError) problem = error ? g_error_copy(error) : NULL;
    g_autoptr(GPtrArray) all = returned ? agent_filesystems_read(returned, &problem) : NULL;
    GVariantBuilder list;

    if (!all) {
        agent_verb_finish(verb, NULL, problem);
        return;
    }
    g_variant_builder_init(&list, G_VARIANT_TYPE("a(sssas)"));
    for (guint i = 0; i < all->len; i++)
        g_variant_builder_add_value(
            &list, public_filesystem(g_ptr_array_index(all, i), domain_def(verb->domain)));
    agent_verb_finish(verb, g_variant_builder_end(&list), NULL);
}

static void
ask_filesystems(AgentVerb *verb)
{
    agent_verb_ask(verb, "guest-get-fsinfo", NULL, got_filesystems);
}

void
domain_get_fs_info(Domain *domain, guint flags, DomainReply done, gpointer data)
{
    const AgentVerb verb = {
        .domain = domain, .begin = ask_filesystems, .done = done, .data = data
    };

    agent_verb_start("get-fs-info", &verb, "virDomainGetFSInfo", flags, 0);
}
