#include "driver/lifecycle-action.h"

#include "driver/alter.h"
#include "driver/error.h"
#include "driver/launch-machine.h"

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
    Alteration alteration;
    guint type;
    DomainAction action;
} Wish;

static gboolean
set_config(const Alteration *alteration, DomainDef *def, GError **error)
{
    const Wish *wish = (const Wish *)alteration;

    *types[wish->type].of(def) = wish->action;
    return TRUE;
}

static VmmMsg *
tell(Alteration *alteration, const Domain *domain, VmmLink *link, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    VmmMsg *request = vmm_link_request(link, VMM_SET_ACTION);

    vmm_msg_put_string(request, types[wish->type].key, launch_machine_action(wish->action));
    return request;
}

static gboolean
set_live(const Alteration *alteration, Domain *domain, GError **error)
{
    return set_config(alteration, domain->live, error);
}

static const AlterationKind kind = {
    .job = "set-lifecycle-action",
    .function = "virDomainSetLifecycleAction",
    .config = set_config,
    .tell = tell,
    .live = set_live,
    .free = g_free,
};

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
    wish->alteration.kind = &kind;
    alter(domain, &wish->alteration, flags, done, data);
}
