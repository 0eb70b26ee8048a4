/* agent-guestinfo: virDomainGetGuestInfo(): one command for each kind of information. */
#include "driver/agent-info.h"
#include "driver/agent.h"
#include "driver/domain-agent.h"
#include "driver/error.h"
#include "driver/json.h"

typedef struct GuestInfo {
    guint types;             /* still to be asked for */
    gboolean all;            /* nobody asked for a type: what the agent does not know is left out */
    const struct Part *part; /* that is asked for now */
    GVariantBuilder params;
} GuestInfo;

/* Adds what @returned, an answer, says; FALSE with @error. */
typedef gboolean (*Describe)(GVariant *returned, const DomainDef *def, GVariantBuilder *params,
                             GError **error);

static void
add_text(GVariantBuilder *params, GVariant *from, const char *key, const char *name)
{
    const char *text;

    if (json_get_text(from, key, &text))
        agent_param_add(params, g_variant_new_string(text), "%s", name);
}

/* Users */

static gboolean
add_user(GVariant *user, gsize index, GVariantBuilder *params, GError **error)
{
    g_autoptr(GVariant) time = json_member(user, "login-time", "*");
    const char *name, *domain;
    double seconds;

    if (!json_get_text(user, "user", &name))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "'user' missing in reply of guest-get-users");
    agent_param_add(params, g_variant_new_string(name), "user.%zu.name", index);
    if (json_get_text(user, "domain", &domain))
        agent_param_add(params, g_variant_new_string(domain), "user.%zu.domain", index);
    if (time && g_variant_is_of_type(time, G_VARIANT_TYPE_DOUBLE))
        seconds = g_variant_get_double(time);
    else if (time && g_variant_is_of_type(time, G_VARIANT_TYPE_INT64))
        seconds = g_variant_get_int64(time);
    else
        seconds = -1;
    if (!(seconds >= 0 && seconds < 1e15))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "'login-time' missing in reply of guest-get-users");
    agent_param_add(params, g_variant_new_uint64(seconds * 1000), "user.%zu.login-time", index);
    return TRUE;
}

static gboolean
describe_users(GVariant *returned, const DomainDef *def, GVariantBuilder *params, GError **error)
{
    gsize n;

    if (!g_variant_is_of_type(returned, G_VARIANT_TYPE("av")))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "guest-get-users reply was missing return data");
    n = g_variant_n_children(returned);
    agent_param_add(params, g_variant_new_uint32(n), "user.count");
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) boxed = g_variant_get_child_value(returned, i);
        g_autoptr(GVariant) user = g_variant_get_variant(boxed);

        if (!add_user(user, i, params, error))
            return FALSE;
    }
    return TRUE;
}

/* The system */

static gboolean
describe_os(GVariant *returned, const DomainDef *def, GVariantBuilder *params, GError **error)
{
    static const char *const keys[][2] = {
        { "id", "os.id" },
        { "name", "os.name" },
        { "pretty-name", "os.pretty-name" },
        { "version", "os.version" },
        { "version-id", "os.version-id" },
        { "machine", "os.machine" },
        { "variant", "os.variant" },
        { "variant-id", "os.variant-id" },
        { "kernel-release", "os.kernel-release" },
        { "kernel-version", "os.kernel-version" },
    };

    if (!g_variant_is_of_type(returned, G_VARIANT_TYPE_VARDICT))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "guest-get-osinfo reply was missing return data");
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        add_text(params, returned, keys[i][0], keys[i][1]);
    return TRUE;
}

static gboolean
describe_timezone(GVariant *returned, const DomainDef *def, GVariantBuilder *params, GError **error)
{
    gint64 offset;

    if (!g_variant_is_of_type(returned, G_VARIANT_TYPE_VARDICT))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "guest-get-timezone reply was missing return data");
    add_text(params, returned, "zone", "timezone.name");
    if (!json_get_int(returned, "offset", G_MININT, G_MAXINT, &offset))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "'offset' missing in reply of guest-get-timezone");
    agent_param_add(params, g_variant_new_int32(offset), "timezone.offset");
    return TRUE;
}

static gboolean
describe_hostname(GVariant *returned, const DomainDef *def, GVariantBuilder *params, GError **error)
{
    const char *name;

    if (!json_get_text(returned, "host-name", &name))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "'host-name' missing in guest-get-host-name reply");
    agent_param_add(params, g_variant_new_string(name), "hostname");
    return TRUE;
}

static gboolean
describe_filesystems(GVariant *returned, const DomainDef *def, GVariantBuilder *params,
                     GError **error)
{
    g_autoptr(GPtrArray) all = agent_filesystems_read(returned, error);

    if (all)
        agent_filesystems_describe(all, def, params);
    return all != NULL;
}

/* Interfaces */

static void
add_interface(GVariant *iface, gsize index, GVariantBuilder *params)
{
    static const char *const types[] = {
        [VIR_IP_ADDR_TYPE_IPV4] = "ipv4",
        [VIR_IP_ADDR_TYPE_IPV6] = "ipv6",
    };
    g_autoptr(GVariant) addresses = g_variant_get_child_value(iface, 2);
    gsize n = g_variant_n_children(addresses);
    const char *name, *mac;

    g_variant_get(iface, "(&s&sa(isu))", &name, &mac, NULL);
    agent_param_add(params, g_variant_new_string(name), "if.%zu.name", index);
    if (*mac)
        agent_param_add(params, g_variant_new_string(mac), "if.%zu.hwaddr", index);
    agent_param_add(params, g_variant_new_uint32(n), "if.%zu.addr.count", index);
    for (gsize i = 0; i < n; i++) {
        const char *text;
        guint prefix;
        int type;

        g_variant_get_child(addresses, i, "(i&su)", &type, &text, &prefix);
        agent_param_add(params, g_variant_new_string(types[type]), "if.%zu.addr.%zu.type", index,
                        i);
        agent_param_add(params, g_variant_new_string(text), "if.%zu.addr.%zu.addr", index, i);
        agent_param_add(params, g_variant_new_uint32(prefix), "if.%zu.addr.%zu.prefix", index, i);
    }
}

static gboolean
describe_interfaces(GVariant *returned, const DomainDef *def, GVariantBuilder *params,
                    GError **error)
{
    GVariant *read = agent_interfaces_read(returned, error);
    g_autoptr(GVariant) list = read ? g_variant_ref_sink(read) : NULL;

    if (!list)
        return FALSE;
    agent_param_add(params, g_variant_new_uint32(g_variant_n_children(list)), "if.count");
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) iface = g_variant_get_child_value(list, i);

        add_interface(iface, i, params);
    }
    return TRUE;
}

/* In libvirt's order. */
static const struct Part {
    guint type;
    const char *execute;
    Describe describe;
} parts[] = {
    { VIR_DOMAIN_GUEST_INFO_USERS, "guest-get-users", describe_users },
    { VIR_DOMAIN_GUEST_INFO_OS, "guest-get-osinfo", describe_os },
    { VIR_DOMAIN_GUEST_INFO_TIMEZONE, "guest-get-timezone", describe_timezone },
    { VIR_DOMAIN_GUEST_INFO_HOSTNAME, "guest-get-host-name", describe_hostname },
    { VIR_DOMAIN_GUEST_INFO_FILESYSTEM, "guest-get-fsinfo", describe_filesystems },
    { VIR_DOMAIN_GUEST_INFO_DISKS, "guest-get-disks", agent_disks_describe },
    { VIR_DOMAIN_GUEST_INFO_INTERFACES, "guest-network-get-interfaces", describe_interfaces },
};

static guint
known_types(void)
{
    guint known = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        known |= parts[i].type;
    return known;
}

static void
info_free(gpointer data)
{
    GuestInfo *info = data;

    g_variant_builder_clear(&info->params);
    g_free(info);
}

static void ask_next(AgentVerb *verb);

static void
got_part(AgentVerb *verb, GVariant *returned, const GError *error)
{
    GuestInfo *info = verb->detail;
    g_autoptr(GError) problem = NULL;

    if (error && !(info->all && verb->unsupported))
        agent_verb_finish(verb, NULL, error);
    else if (returned &&
             !info->part->describe(returned, domain_def(verb->domain), &info->params, &problem))
        agent_verb_finish(verb, NULL, problem);
    else
        ask_next(verb);
}

static void
ask_next(AgentVerb *verb)
{
    GuestInfo *info = verb->detail;

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (!(info->types & parts[i].type))
            continue;
        info->types &= ~parts[i].type;
        info->part = &parts[i];
        agent_verb_ask(verb, parts[i].execute, NULL, got_part);
        return;
    }
    agent_verb_finish(verb, g_variant_builder_end(&info->params), NULL);
}

void
domain_get_guest_info(Domain *domain, guint types, guint flags, DomainReply done, gpointer data)
{
    const guint known = known_types();
    AgentVerb verb = {
        .domain = domain, .begin = ask_next, .done = done, .data = data, .detail_free = info_free
    };
    GuestInfo *info;

    if (types & ~known) {
        g_autoptr(GError) error = NULL;

        driver_error(&error, VIR_ERR_INVALID_ARG, "unsupported guest information types '0x%x'",
                     types & ~known);
        done(data, NULL, error);
        return;
    }
    info = g_new0(GuestInfo, 1);
    info->all = types == 0;
    info->types = types ? types : known;
    g_variant_builder_init(&info->params, G_VARIANT_TYPE_VARDICT);
    verb.detail = info;
    agent_verb_start("get-guest-info", &verb, "virDomainGetGuestInfo", flags, 0);
}
