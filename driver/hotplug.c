#include "driver/hotplug.h"

#include "driver/agent.h"
#include "driver/device-disk.h"
#include "driver/device-xml.h"
#include "driver/domain-list.h"
#include "driver/error.h"
#include "driver/pci-layout.h"
#include "driver/verb.h"

#include <string.h>

/* How long a call of detach waits for the guest, in ms, as libvirt does: after that it has asked, and the
 * event tells the rest. A guest that has not let go of the device until then may be asked again. */
#define DETACH_WAIT_MS 5000

/* One call: what it means, and what becomes of it. */
typedef struct Change {
    char *xml, *alias; /* what the caller gave: one of the two */
    guint affects;
    Device *wanted;
    DomainDef *config; /* the persistent definition to be; NULL: stays */
    DomainDef *live;   /* the live one to be; NULL: stays */
    char *subject;     /* the alias of the device in it that this is about */
    GPtrArray *requests;
} Change;

static Change *
change_new(const char *xml, const char *alias)
{
    Change *change = g_new0(Change, 1);

    change->xml = g_strdup(xml);
    change->alias = g_strdup(alias);
    change->requests = g_ptr_array_new_with_free_func((GDestroyNotify)vmm_msg_free);
    return change;
}

static void
change_free(gpointer data)
{
    Change *change = data;

    g_free(change->xml);
    g_free(change->alias);
    device_free(change->wanted);
    domain_def_free(change->config);
    domain_def_free(change->live);
    g_free(change->subject);
    g_ptr_array_unref(change->requests);
    g_free(change);
}

static Device *
find_alias(const DomainDef *def, const char *alias)
{
    for (guint i = 0; i < def->devices->len; i++) {
        Device *dev = g_ptr_array_index(def->devices, i);

        if (g_strcmp0(dev->alias, alias) == 0)
            return dev;
    }
    return NULL;
}

/* Puts the device called @alias of @from in the place of @to's, or adds it; only it, because the guest may
 * have changed others meanwhile. */
static void
take_device(DomainDef *to, const DomainDef *from, const char *alias)
{
    Device *old = find_alias(to, alias);

    if (old)
        g_ptr_array_remove(to->devices, old);
    g_ptr_array_add(to->devices, device_copy(find_alias(from, alias)));
    domain_def_complete(to);
}

/* The last step: the live definition is the new one already, now the persistent one. */
static void
change_finish(Verb *verb)
{
    Change *change = verb->detail;
    g_autoptr(GError) error = NULL;

    if (change->config)
        verb_save(verb, g_steal_pointer(&change->config), &error);
    verb_finish(verb, error);
}

/* What all begin with: FALSE with the verb finished. */
static gboolean
change_begin(Verb *verb, gboolean live_alias)
{
    Change *change = verb->detail;
    guint affects = verb_affects(verb);
    g_autoptr(GError) error = NULL;

    if (!affects) /* it is over, and @change gone */
        return FALSE;
    change->affects = affects;
    if (change->xml)
        change->wanted = device_xml_parse(change->xml, live_alias, &error);
    if (error)
        verb_finish(verb, error);
    return !error;
}

static gboolean
refuse_kind(const Change *change, const char *what, GError **error)
{
    gboolean live = (change->affects & VIR_DOMAIN_AFFECT_LIVE) != 0;

    return driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                        "%s %s of device '%s' is not supported", live ? "live" : "persistent", what,
                        change->wanted->kind->element);
}

/* Attaching */

/* What a definition would give it, once for both definitions: a MAC address. Part of another device has its place
 * from that one, in each of them. */
static void
complete_alone(Change *change)
{
    g_autoptr(GPtrArray) alone = g_ptr_array_new();

    g_ptr_array_add(alone, change->wanted);
    if (change->wanted->kind->complete && !change->wanted->kind->plug)
        change->wanted->kind->complete(alone);
}

static gboolean
may_attach(const DomainDef *def, const Device *dev, gboolean config, GError **error)
{
    return !dev->kind->may_attach || dev->kind->may_attach(def->devices, dev, config, error);
}

static gboolean
attach_to_config(const Domain *domain, Change *change, GError **error)
{
    g_autoptr(DomainDef) def = domain_def_copy(domain->persistent);

    if (!may_attach(def, change->wanted, TRUE, error))
        return FALSE;
    g_ptr_array_add(def->devices, device_copy(change->wanted));
    domain_def_complete(def);
    if (!domain_def_check(def, error))
        return FALSE;
    change->config = g_steal_pointer(&def);
    return TRUE;
}

static VmmMsg *
add_request(gpointer data, const char *class, const char *id)
{
    Verb *verb = data;
    Change *change = verb->detail;
    VmmMsg *msg = vmm_link_request(guest_link(verb->domain->guest), VMM_ADD_DEVICE);

    vmm_msg_put_string(msg, "class", class);
    vmm_msg_put_string(msg, "id", id);
    g_ptr_array_add(change->requests, msg);
    return msg;
}

static VmmMsg *
tell_request(gpointer data, const char *id)
{
    Verb *verb = data;
    Change *change = verb->detail;
    VmmMsg *msg = vmm_link_request(guest_link(verb->domain->guest), VMM_TELL_DEVICE);

    vmm_msg_put_string(msg, "id", id);
    g_ptr_array_add(change->requests, msg);
    return msg;
}

static gboolean
cid_taken(gpointer data, guint cid)
{
    Verb *verb = data;

    return domain_list_has_cid(verb->domain->host->list, verb->domain, cid);
}

static DeviceLowering
lowering_among(Verb *verb, const GPtrArray *devices)
{
    const Domain *domain = verb->domain;

    return (DeviceLowering){
        .simulated = domain->host->env->simulated,
        .domain_name = domain_name(domain),
        .run_dir = guest_dir(domain->guest),
        .vsock_dir = guest_vsock_dir(domain->guest),
        .vsock_broker = domain->host->env->vsock,
        .cid_taken = cid_taken,
        .add = add_request,
        .tell = tell_request,
        .data = verb,
        .devices = devices,
    };
}

static gboolean
lower_alone(Verb *verb, Device *dev, GError **error)
{
    Change *change = verb->detail;
    const DeviceLowering to = lowering_among(verb, change->live->devices);

    if (dev->kind->plug && !to.simulated)
        return dev->kind->plug(dev, &to, error);
    return device_lower(dev, &to, error);
}

static gboolean
attach_to_live(Verb *verb, GError **error)
{
    Change *change = verb->detail;
    Domain *domain = verb->domain;
    Device *dev = device_copy(change->wanted);

    change->live = domain_def_copy(domain->live);
    if (!may_attach(domain->live, dev, FALSE, error) ||
        (change->live->virt != DOMAIN_VIRT_TEST &&
         !pci_layout_plug(change->live->devices, dev, error))) {
        device_free(dev);
        return FALSE;
    }
    g_ptr_array_add(change->live->devices, dev);
    domain_def_complete(change->live);
    domain_def_assign_aliases(change->live);
    change->subject = g_strdup(dev->alias);
    return domain_def_check(change->live, error) && lower_alone(verb, dev, error);
}

static void
attached(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;
    Change *change = verb->detail;
    Domain *domain = verb->domain;

    domain->coming = NULL;
    if (error || !domain_is_active(domain)) {
        device_release(find_alias(change->live, change->subject));
        if (domain_is_active(domain))
            domain_write_live(domain);
        verb_finish(verb, error);
        return;
    }
    take_device(domain->live, change->live, change->subject);
    domain_write_live(domain);
    domain_tell(domain, device, DEVICE_EVENT_ADDED, change->subject);
    change_finish(verb);
}

/* Sends the only request; the device is written down before, so that a daemon that is killed in between
 * leaves no device that nobody knows. */
static void
send_change(Verb *verb, VmmLinkReply reply)
{
    Change *change = verb->detail;
    Domain *domain = verb->domain;
    g_autofree gpointer *requests = g_ptr_array_steal(change->requests, NULL);
    DomainDef *before = domain->live;

    domain->live = change->live;
    domain_write_live(domain);
    domain->live = before;
    domain->coming = change->live;
    vmm_link_send(guest_link(domain->guest), requests[0], VMM_LINK_TIMEOUT_MS, reply, verb);
}

static void update_live(Verb *verb);

/* libvirt's older way to change a medium. */
static gboolean
means_medium(const Domain *domain, const Change *change)
{
    return change->affects & VIR_DOMAIN_AFFECT_LIVE && device_disk_is_cdrom(change->wanted) &&
           change->wanted->kind->find(domain->live->devices, change->wanted, FALSE, NULL);
}

static void
attach_begin(Verb *verb)
{
    Change *change = verb->detail;
    Domain *domain = verb->domain;
    g_autoptr(GError) error = NULL;
    gboolean live;

    if (!change_begin(verb, FALSE))
        return;
    live = (change->affects & VIR_DOMAIN_AFFECT_LIVE) != 0;
    if (live && !verb_link(verb))
        return;
    if (means_medium(domain, change)) {
        update_live(verb);
        return;
    }
    if (change->wanted->kind->find)
        complete_alone(change);
    if ((!change->wanted->kind->find && !refuse_kind(change, "attach", &error)) ||
        (change->affects & VIR_DOMAIN_AFFECT_CONFIG && !attach_to_config(domain, change, &error)) ||
        (live && !attach_to_live(verb, &error)))
        verb_finish(verb, error);
    else if (live)
        send_change(verb, attached);
    else
        change_finish(verb);
}

/* Changing */

static Device *
find_wanted(const DomainDef *def, const Change *change, gboolean config, GError **error)
{
    return change->wanted->kind->find(def->devices, change->wanted, config, error);
}

/* The new one takes the place of the old one, with what it does not say of alias and address. */
static void
replace_device(DomainDef *def, Device *old, const Device *wanted)
{
    Device *dev = device_copy(wanted);

    if (!dev->pci.known)
        dev->pci = old->pci;
    if (!dev->alias)
        dev->alias = g_strdup(old->alias);
    dev->simulated = old->simulated;
    g_ptr_array_remove(def->devices, old);
    g_ptr_array_add(def->devices, dev);
    domain_def_complete(def);
}

static gboolean
update_config(const Domain *domain, Change *change, GError **error)
{
    g_autoptr(DomainDef) def = domain_def_copy(domain->persistent);
    Device *old = find_wanted(def, change, TRUE, error);

    if (!old)
        return FALSE;
    replace_device(def, old, change->wanted);
    if (!domain_def_check(def, error))
        return FALSE;
    change->config = g_steal_pointer(&def);
    return TRUE;
}

static void
tell_tray(Domain *domain, const Device *old, const Device *dev)
{
    if (!device_disk_is_cdrom(dev))
        return;
    if (device_disk_has_medium(old))
        domain_tell(domain, tray, dev->alias, VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN);
    if (device_disk_has_medium(dev))
        domain_tell(domain, tray, dev->alias, VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE);
}

static void
updated(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;
    Change *change = verb->detail;
    Domain *domain = verb->domain;
    g_autofree char *subject = g_strdup(change->subject);

    domain->coming = NULL;
    if (error || !domain_is_active(domain)) {
        if (domain_is_active(domain))
            domain_write_live(domain);
        verb_finish(verb, error);
        return;
    }
    tell_tray(domain, find_alias(domain->live, subject), find_alias(change->live, subject));
    take_device(domain->live, change->live, subject);
    domain_write_live(domain);
    change_finish(verb);
}

/* Without a host to change, what is wanted is what there is. */
static gboolean
update_device_of(const Domain *domain, Change *change, VmmMsg *tell, GError **error)
{
    Device *dev = find_alias(change->live, change->subject);

    if (!domain->host->env->simulated)
        return dev->kind->update(dev, change->wanted, tell, error);
    replace_device(change->live, dev, change->wanted);
    return TRUE;
}

static gboolean
prepare_update(Verb *verb, GError **error)
{
    Change *change = verb->detail;
    Domain *domain = verb->domain;
    const Device *old = find_wanted(domain->live, change, FALSE, error);
    VmmMsg *tell;

    if (!old)
        return FALSE;
    tell = vmm_link_request(guest_link(domain->guest), VMM_TELL_DEVICE);
    g_ptr_array_add(change->requests, tell);
    vmm_msg_put_string(tell, "id", old->alias);
    change->subject = g_strdup(old->alias);
    change->live = domain_def_copy(domain->live);
    return update_device_of(domain, change, tell, error);
}

static void
update_live(Verb *verb)
{
    g_autoptr(GError) error = NULL;

    if (prepare_update(verb, &error))
        send_change(verb, updated);
    else
        verb_finish(verb, error);
}

static void
update_begin(Verb *verb)
{
    Change *change = verb->detail;
    g_autoptr(GError) error = NULL;
    gboolean live;

    if (!change_begin(verb, TRUE))
        return;
    live = (change->affects & VIR_DOMAIN_AFFECT_LIVE) != 0;
    if (live && !verb_link(verb))
        return;
    if ((!change->wanted->kind->update && !refuse_kind(change, "update", &error)) ||
        (change->affects & VIR_DOMAIN_AFFECT_CONFIG &&
         !update_config(verb->domain, change, &error)))
        verb_finish(verb, error);
    else if (live)
        update_live(verb);
    else
        change_finish(verb);
}

/* Detaching: the guest is asked, and lets go of it some time. */

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
    Device *dev = domain->live ? find_alias(domain->live, alias) : NULL;
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
    const DeviceLowering to = lowering_among(verb, verb->domain->live->devices);

    dev->kind->unplug(dev, &to);
    vmm_link_send(guest_link(verb->domain->guest), g_ptr_array_steal_index(change->requests, 0),
                  VMM_LINK_TIMEOUT_MS, taken_out, verb);
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
    const Device *dev = find_alias(verb->domain->live, change->subject);

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
        return find_wanted(def, change, config, error);
    dev = find_alias(def, change->alias);
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
detach_from_config(const Domain *domain, Change *change, GError **error)
{
    g_autoptr(DomainDef) def = domain_def_copy(domain->persistent);
    Device *dev = find_subject(def, change, TRUE, error);

    if (!dev || !may_leave(change, dev, error))
        return FALSE;
    g_ptr_array_remove(def->devices, dev);
    if (!domain_def_check(def, error))
        return FALSE;
    change->config = g_steal_pointer(&def);
    return TRUE;
}

static gboolean
find_live(const Domain *domain, Change *change, GError **error)
{
    const Device *dev = find_subject(domain->live, change, FALSE, error);

    if (!dev || !may_leave(change, dev, error))
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
    if (live && !verb_link(verb))
        return;
    if ((change->wanted && !change->wanted->kind->find && !refuse_kind(change, "detach", &error)) ||
        (change->affects & VIR_DOMAIN_AFFECT_CONFIG &&
         !detach_from_config(verb->domain, change, &error)) ||
        (live && !find_live(verb->domain, change, &error)))
        verb_finish(verb, error);
    else if (live)
        begin_leaving(verb);
    else
        change_finish(verb);
}

/* The verbs */

#define AFFECTS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

void
domain_attach_device(Domain *domain, const char *xml, guint flags, DomainDone done, gpointer data)
{
    const Verb verb = {
        domain, flags, change_new(xml, NULL), change_free, attach_begin, done, data
    };

    verb_start_checked("attach-device", &verb, "virDomainAttachDeviceFlags", AFFECTS);
}

void
domain_update_device(Domain *domain, const char *xml, guint flags, DomainDone done, gpointer data)
{
    const Verb verb = {
        domain, flags, change_new(xml, NULL), change_free, update_begin, done, data
    };

    /* By force: a guest cannot lock its drive's tray here. */
    verb_start_checked("update-device", &verb, "virDomainUpdateDeviceFlags",
                       AFFECTS | VIR_DOMAIN_DEVICE_MODIFY_FORCE);
}

void
domain_detach_device(Domain *domain, const char *xml, guint flags, DomainDone done, gpointer data)
{
    const Verb verb = {
        domain, flags, change_new(xml, NULL), change_free, detach_begin, done, data
    };

    verb_start_checked("detach-device", &verb, "virDomainDetachDeviceFlags", AFFECTS);
}

void
domain_detach_device_alias(Domain *domain, const char *alias, guint flags, DomainDone done,
                           gpointer data)
{
    const Verb verb = { domain, flags, change_new(NULL, alias), change_free, detach_begin,
                        done,   data };

    verb_start_checked("detach-device", &verb, "virDomainDetachDeviceAlias", AFFECTS);
}
