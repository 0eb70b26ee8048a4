/* Detaching: the guest is asked, and lets go of it some time. */
#include "driver/hotplug-private.h"

#include "driver/agent.h"
#include "driver/device-address.h"
#include "driver/error.h"

/* How long a call of detach waits for the guest, in ms, as libvirt does: after that it has asked, and the
 * event tells the rest. A guest that has not let go of the device until then may be asked again. */
#define DETACH_WAIT_MS 5000

typedef struct Leaving {
    Domain *domain;
    char *alias;
    Verb *verb;  /* who waits; NULL: nobody */
    guint timer; /* 0: the guest may be asked again */
} Leaving;

static void
leaving_free(gpointer data)
{
    Leaving *leaving = data;

    g_clear_handle_id(&leaving->timer, g_source_remove);
    g_free(leaving->alias);
    g_free(leaving);
}

static void
leaving_tell(Leaving *leaving)
{
    Verb *verb = g_steal_pointer(&leaving->verb);

    if (verb)
        change_finish(verb);
}

static gboolean
waited_enough(gpointer data)
{
    Leaving *leaving = data;

    leaving->timer = 0;
    leaving_tell(leaving);
    return G_SOURCE_REMOVE;
}

static Leaving *
leaving_new(Domain *domain, const char *alias)
{
    Leaving *leaving = g_new0(Leaving, 1);

    leaving->domain = domain;
    leaving->alias = g_strdup(alias);
    leaving->timer = g_timeout_add(DETACH_WAIT_MS, waited_enough, leaving);
    if (!domain->leaving)
        domain->leaving = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, leaving_free);
    g_hash_table_replace(domain->leaving, leaving->alias, leaving);
    return leaving;
}

static Leaving *
leaving_find(const Domain *domain, const char *alias)
{
    return domain->leaving ? g_hash_table_lookup(domain->leaving, alias) : NULL;
}

static void
removed(Domain *domain, const char *alias)
{
    Device *dev = domain->live ? change_find_alias(domain->live, alias) : NULL;
    g_autofree char *name = g_strdup(alias);
    Leaving *leaving = leaving_find(domain, name);
    Verb *verb = leaving ? g_steal_pointer(&leaving->verb) : NULL;

    if (leaving)
        g_hash_table_remove(domain->leaving, name);
    if (dev) {
        device_release(dev);
        g_ptr_array_remove(domain->live->devices, dev);
        domain_write_live(domain);
        agent_channel_left(domain);
        domain_tell(domain, device, DEVICE_EVENT_REMOVED, name);
    }
    if (verb)
        change_finish(verb);
}

void
hotplug_removed(Domain *domain, VmmMsg *event)
{
    const char *id;

    if (vmm_msg_get_string(event, "id", &id))
        removed(domain, id);
}

void
hotplug_forget(Domain *domain)
{
    GHashTable *all = g_steal_pointer(&domain->leaving);
    GHashTableIter at;
    gpointer leaving;

    if (!all)
        return;
    g_hash_table_iter_init(&at, all);
    while (g_hash_table_iter_next(&at, NULL, &leaving)) {
        Verb *verb = g_steal_pointer(&((Leaving *)leaving)->verb);

        if (verb)
            verb_fail(verb, VIR_ERR_OPERATION_FAILED, "domain is not running");
    }
    g_hash_table_unref(all);
}

/* A device that the VMM does not know, because it went while no daemon listened, is gone. */
static void
asked_to_leave(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;
    Change *change = verb->detail;
    Leaving *leaving;

    if (g_error_matches(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG)) {
        removed(verb->domain, change->subject);
        change_finish(verb);
        return;
    }
    if (error || !domain_is_active(verb->domain)) {
        verb_finish(verb, error);
        return;
    }
    leaving = leaving_new(verb->domain, change->subject);
    if (change->alias) /* virDomainDetachDeviceAlias() does not wait */
        change_finish(verb);
    else
        leaving->verb = verb;
}

/* Part of another device: that one has been told. */
static void
taken_out(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;
    Change *change = verb->detail;

    if (error && !g_error_matches(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG)) {
        verb_finish(verb, error);
        return;
    }
    removed(verb->domain, change->subject);
    change_finish(verb);
}

static void
take_out(Verb *verb, const Device *dev)
{
    Change *change = verb->detail;
    const DeviceLowering to = change_lowering(verb, verb->domain->live->devices);

    dev->kind->unplug(dev, &to);
    vmm_link_send(guest_link(verb->domain->guest), g_ptr_array_steal_index(change->requests, 0),
                  VMM_LINK_NO_TIMEOUT, taken_out, verb);
}

static void
ask_to_leave(Verb *verb)
{
    Change *change = verb->detail;
    Leaving *leaving = leaving_find(verb->domain, change->subject);
    VmmLink *link = guest_link(verb->domain->guest);
    VmmMsg *request;

    if (leaving && leaving->timer) {
        g_autoptr(GError) error = NULL;

        driver_error(&error, VIR_ERR_OPERATION_FAILED,
                     "Device %s is already in the process of unplug", change->subject);
        verb_finish(verb, error);
        return;
    }
    request = vmm_link_request(link, VMM_REMOVE_DEVICE);
    vmm_msg_put_string(request, "id", change->subject);
    vmm_link_send(link, request, VMM_LINK_TIMEOUT_MS, asked_to_leave, verb);
}

static void
begin_leaving(Verb *verb)
{
    const Change *change = verb->detail;
    const Device *dev = change_find_alias(verb->domain->live, change->subject);

    if (dev->kind->unplug && !verb->domain->host->env->simulated)
        take_out(verb, dev);
    else
        ask_to_leave(verb);
}

/* The device of @def that is meant. */
static Device *
find_subject(const DomainDef *def, const Change *change, gboolean config, GError **error)
{
    Device *dev;

    if (!change->alias)
        return change_find(def, change, config, error);
    dev = change_find_alias(def, change->alias);
    if (!dev)
        driver_error(error, VIR_ERR_DEVICE_MISSING, "no device found with alias %s", change->alias);
    return dev;
}

static gboolean
may_leave(const Change *change, const Device *dev, GError **error)
{
    gboolean live = (change->affects & VIR_DOMAIN_AFFECT_LIVE) != 0;

    return dev->kind->find ||
           driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                        live ? "live detach of device '%s' is not supported"
                             : "persistent detach of device '%s' is not supported",
                        dev->kind->element);
}

static gboolean
detach_from_config(DomainDef *def, const Change *change, GError **error)
{
    Device *dev = find_subject(def, change, TRUE, error);

    if (!dev || !may_leave(change, dev, error))
        return FALSE;
    g_ptr_array_remove(def->devices, dev);
    return domain_def_check(def, error);
}

static gboolean
refuse_place(const Device *dev, const char *with, const char *because, GError **error)
{
    return driver_error(error, VIR_ERR_OPERATION_FAILED,
                        "cannot hot unplug %s device with %sPCI guest address: %04x:%02x:%02x.%u%s", dev->kind->element,
                        with, dev->pci.domain, dev->pci.bus, dev->pci.slot, dev->pci.function, because);
}

/* A guest gives a slot up whole, with all functions in it; and bus 0 has none that it can give up. */
static gboolean
check_place(const GPtrArray *devices, const Device *dev, GError **error)
{
    if (!dev->pci.known)
        return TRUE;
    for (guint i = 0; i < devices->len; i++) {
        const Device *other = g_ptr_array_index(devices, i);

        if (other != dev && other->pci.known && device_same_slot(other, dev))
            return refuse_place(dev, "multifunction ", "", error);
    }
    return dev->pci.bus > 0 || refuse_place(dev, "", " - not allowed by controller", error);
}

static gboolean
find_live(const Domain *domain, Change *change, GError **error)
{
    const Device *dev = find_subject(domain->live, change, FALSE, error);

    if (!dev || !may_leave(change, dev, error) || !check_place(domain->live->devices, dev, error))
        return FALSE;
    change->subject = g_strdup(dev->alias);
    return TRUE;
}

static void
detach_begin(Verb *verb)
{
    Change *change = verb->detail;
    g_autoptr(GError) error = NULL;
    gboolean live;

    if (!change_begin(verb, TRUE))
        return;
    live = (change->affects & VIR_DOMAIN_AFFECT_LIVE) != 0;
    if ((change->wanted && !change->wanted->kind->find &&
         !change_refuse_kind(change, "detach", &error)) ||
        !change_check_config(verb, detach_from_config, &error) ||
        (live && !find_live(verb->domain, change, &error)))
        verb_finish(verb, error);
    else if (live)
        begin_leaving(verb);
    else
        change_finish(verb);
}

void
domain_detach_device(Domain *domain, const char *xml, guint flags, DomainDone done, gpointer data)
{
    const Verb verb = {
        domain, flags, change_new(xml, NULL), change_free, detach_begin, done, data
    };

    verb_start_checked("detach-device", &verb, "virDomainDetachDeviceFlags", CHANGE_AFFECTS);
}

void
domain_detach_device_alias(Domain *domain, const char *alias, guint flags, DomainDone done,
                           gpointer data)
{
    const Verb verb = { domain, flags, change_new(NULL, alias), change_free, detach_begin,
                        done,   data };

    verb_start_checked("detach-device", &verb, "virDomainDetachDeviceAlias", CHANGE_AFFECTS);
}
