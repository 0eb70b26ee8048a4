#include "driver/hotplug-private.h"

#include "driver/device-xml.h"
#include "driver/domain-list.h"
#include "driver/error.h"

Change *
change_new(const char *xml, const char *alias)
{
    Change *change = g_new0(Change, 1);

    change->xml = g_strdup(xml);
    change->alias = g_strdup(alias);
    change->requests = g_ptr_array_new_with_free_func((GDestroyNotify)vmm_msg_free);
    change->images = image_wait_new();
    return change;
}

void
change_free(gpointer data)
{
    Change *change = data;

    g_free(change->xml);
    g_free(change->alias);
    device_free(change->wanted);
    domain_def_free(change->live);
    g_free(change->subject);
    g_ptr_array_unref(change->requests);
    image_wait_free(change->images);
    g_free(change);
}

Device *
change_find_alias(const DomainDef *def, const char *alias)
{
    for (guint i = 0; i < def->devices->len; i++) {
        Device *dev = g_ptr_array_index(def->devices, i);

        if (g_strcmp0(dev->alias, alias) == 0)
            return dev;
    }
    return NULL;
}

void
change_take_device(DomainDef *to, const DomainDef *from, const char *alias)
{
    Device *old = change_find_alias(to, alias);

    if (old)
        g_ptr_array_remove(to->devices, old);
    g_ptr_array_add(to->devices, device_copy(change_find_alias(from, alias)));
    domain_def_complete(to);
}

static DomainDef *
configured(Verb *verb, GError **error)
{
    Change *change = verb->detail;
    g_autoptr(DomainDef) def = verb_copy_config(verb, error);

    return def && change->configure(def, change, error) ? g_steal_pointer(&def) : NULL;
}

gboolean
change_check_config(Verb *verb, ChangeConfigure configure, GError **error)
{
    Change *change = verb->detail;
    g_autoptr(DomainDef) def = NULL;

    if (!(change->affects & VIR_DOMAIN_AFFECT_CONFIG))
        return TRUE;
    change->configure = configure;
    def = configured(verb, error);
    return def != NULL;
}

/* The domain may have been defined anew while the guest's process was waited for. */
void
change_finish(Verb *verb)
{
    Change *change = verb->detail;
    DomainDef *def = NULL;
    g_autoptr(GError) error = NULL;

    if (change->configure)
        def = configured(verb, &error);
    if (def)
        verb_save(verb, def, &error);
    verb_finish(verb, error);
}

gboolean
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
    if (error) {
        verb_finish(verb, error);
        return FALSE;
    }
    return !(affects & VIR_DOMAIN_AFFECT_LIVE) || verb_link(verb) != NULL;
}

gboolean
change_refuse_kind(const Change *change, const char *what, GError **error)
{
    gboolean live = (change->affects & VIR_DOMAIN_AFFECT_LIVE) != 0;

    return driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                        "%s %s of device '%s' is not supported", live ? "live" : "persistent", what,
                        change->wanted->kind->element);
}

Device *
change_find(const DomainDef *def, const Change *change, gboolean config, GError **error)
{
    return change->wanted->kind->find(def->devices, change->wanted, config, error);
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

DeviceLowering
change_lowering(Verb *verb, const GPtrArray *devices)
{
    const Domain *domain = verb->domain;

    return (DeviceLowering){
        .simulated = domain->host->env->simulated,
        .domain_name = domain_name(domain),
        .iothreads = &domain->live->iothreads,
        .run_dir = guest_dir(domain->guest),
        .vsock_dir = guest_vsock_dir(domain->guest),
        .vsock_broker = domain->host->env->vsock,
        .cid_taken = cid_taken,
        .add = add_request,
        .tell = tell_request,
        .data = verb,
        .devices = devices,
        .images = ((Change *)verb->detail)->images,
        .connect_broker = domain->host->env->connect,
    };
}

/* The guest may have ended while images were waited for, and the link, which numbered the request, been lost. */
static gboolean
is_still_there(const Domain *domain, const VmmLink *link, GError **error)
{
    return (domain_is_active(domain) && guest_link(domain->guest) == link) ||
           driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
}

/* The device is written down before, so that a daemon that is killed in between leaves no device that nobody knows; one
 * that cannot be written down is none that the guest gets. However long the process takes, its answer is waited for: one
 * that was given up would leave a device that nobody knows, or a medium that is not the one that was told. */
static void
images_ready(gpointer data, const GError *not_ready)
{
    Verb *verb = data;
    Change *change = verb->detail;
    Domain *domain = verb->domain;
    g_autofree gpointer *requests = NULL;
    g_autoptr(GError) error = not_ready ? g_error_copy(not_ready) : NULL;

    if (error || !is_still_there(domain, change->link, &error) ||
        !domain_write_live_as(domain, change->live, &error)) {
        change->reply(verb, NULL, error);
        return;
    }
    requests = g_ptr_array_steal(change->requests, NULL);
    domain->coming = change->live;
    vmm_link_send(guest_link(domain->guest), requests[0], VMM_LINK_NO_TIMEOUT, change->reply, verb);
}

void
change_send(Verb *verb, VmmLinkReply reply)
{
    Change *change = verb->detail;

    change->link = guest_link(verb->domain->guest);
    change->reply = reply;
    image_wait_begin(change->images, IMAGE_WAIT_MS, images_ready, verb);
}
