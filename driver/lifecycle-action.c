#include "driver/lifecycle-action.h"

#include "driver/error.h"
#include "driver/launch.h"
#include "driver/verb.h"

static const char *const action_words[] = {
    "destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart",
};

static DomainAction *
poweroff_of(DomainDef *def)
{
    return &def->on_poweroff;
}

static DomainAction *
reboot_of(DomainDef *def)
{
    return &def->on_reboot;
}

static DomainAction *
crash_of(DomainDef *def)
{
    return &def->on_crash;
}

static const struct {
    const char *word, *key; /* of an error, and of the VMM */
    DomainAction *(*of)(DomainDef *def);
} types[] = {
    [VIR_DOMAIN_LIFECYCLE_POWEROFF] = { "poweroff", "on-poweroff", poweroff_of },
    [VIR_DOMAIN_LIFECYCLE_REBOOT] = { "reboot", "on-reboot", reboot_of },
    [VIR_DOMAIN_LIFECYCLE_CRASH] = { "crash", "on-crash", crash_of },
};

typedef struct Wish {
    guint type;
    DomainAction action;
    guint affects;
} Wish;

static gboolean
set_config(Verb *verb, GError **error)
{
    const Wish *wish = verb->detail;
    DomainDef *def = domain_def_copy(verb->domain->persistent);

    *types[wish->type].of(def) = wish->action;
    return verb_save(verb, def, error);
}

static void
finish(Verb *verb)
{
    const Wish *wish = verb->detail;
    g_autoptr(GError) error = NULL;

    if (wish->affects & VIR_DOMAIN_AFFECT_CONFIG)
        set_config(verb, &error);
    verb_finish(verb, error);
}

static void
told(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;
    const Wish *wish = verb->detail;
    Domain *domain = verb->domain;

    if (error || !domain_is_active(domain)) {
        verb_finish(verb, error);
        return;
    }
    *types[wish->type].of(domain->live) = wish->action;
    domain_write_live(domain);
    finish(verb);
}

static void
set_begin(Verb *verb)
{
    Wish *wish = verb->detail;
    guint affects = verb_affects(verb);
    VmmLink *link;
    VmmMsg *request;

    if (!affects)
        return;
    wish->affects = affects;
    if (!(affects & VIR_DOMAIN_AFFECT_LIVE)) {
        finish(verb);
        return;
    }
    link = verb_link(verb);
    if (!link)
        return;
    request = vmm_link_request(link, VMM_SET_ACTION);
    vmm_msg_put_string(request, types[wish->type].key, launch_vmm_action(wish->action));
    vmm_link_send(link, request, VMM_LINK_TIMEOUT_MS, told, verb);
}

/* A dump of the guest's memory is what this machine has not got. */
static gboolean
check_action(guint type, guint action, GError **error)
{
    gboolean dump = action == VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_DESTROY ||
                    action == VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_RESTART;

    if (type >= G_N_ELEMENTS(types))
        return driver_error(error, VIR_ERR_INVALID_ARG, "invalid lifecycle type '%u'", type);
    if (action >= G_N_ELEMENTS(action_words))
        return driver_error(error, VIR_ERR_INVALID_ARG, "invalid lifecycle action '%u'", action);
    if (action == VIR_DOMAIN_LIFECYCLE_ACTION_RESTART_RENAME)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "qemu driver doesn't support the 'rename-restart' action for "
                            "'on_reboot'/'on_poweroff'/'on_crash'");
    if (dump && type != VIR_DOMAIN_LIFECYCLE_CRASH)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Lifecycle event '%s' doesn't support '%s' action", types[type].word,
                            action_words[action]);
    return !dump || driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                 "value '%s' of <on_crash> is not supported yet by this machine",
                                 action_words[action]);
}

void
domain_set_lifecycle_action(Domain *domain, guint type, guint action, guint flags, DomainDone done,
                            gpointer data)
{
    g_autoptr(GError) error = NULL;
    Wish *wish;

    if (!check_action(type, action, &error)) {
        done(data, error);
        return;
    }
    wish = g_new0(Wish, 1);
    wish->type = type;
    wish->action = (DomainAction)action; /* the numbers are the same */
    verb_start_checked("set-lifecycle-action",
                       &(Verb){ domain, flags, wish, g_free, set_begin, done, data },
                       "virDomainSetLifecycleAction",
                       VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG);
}
