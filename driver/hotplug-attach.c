#include "driver/hotplug-private.h"

#include "driver/device-disk.h"
#include "driver/pci-layout.h"

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
attach_to_config(DomainDef *def, const Change *change, GError **error)
{
    if (!may_attach(def, change->wanted, TRUE, error))
        return FALSE;
    g_ptr_array_add(def->devices, device_copy(change->wanted));
    domain_def_complete(def);
    return domain_def_check(def, error);
}

static gboolean
lower_alone(Verb *verb, Device *dev, GError **error)
{
    Change *change = verb->detail;
    const DeviceLowering to = change_lowering(verb, change->live->devices);

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
    if (domain_is_left(domain, error)) {
        verb_finish(verb, error);
        return;
    }
    if (error || !domain_is_active(domain)) {
        device_release(change_find_alias(change->live, change->subject));
        if (domain_is_active(domain))
            domain_write_live(domain);
        verb_finish(verb, error);
        return;
    }
    change_take_device(domain->live, change->live, change->subject);
    domain_write_live(domain);
    domain_tell(domain, device, DEVICE_EVENT_ADDED, change->subject);
    change_finish(verb);
}

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
    if (means_medium(domain, change)) {
        if (change_check_config(verb, attach_to_config, &error))
            change_update_live(verb);
        else
            verb_finish(verb, error);
        return;
    }
    if (change->wanted->kind->find)
        complete_alone(change);
    if ((!change->wanted->kind->find && !change_refuse_kind(change, "attach", &error)) ||
        !change_check_config(verb, attach_to_config, &error) ||
        (live && !attach_to_live(verb, &error)))
        verb_finish(verb, error);
    else if (live)
        change_send(verb, attached);
    else
        change_finish(verb);
}

void
domain_attach_device(Domain *domain, const char *xml, guint flags, DomainDone done, gpointer data)
{
    const Verb verb = {
        domain, flags, change_new(xml, NULL), change_free, attach_begin, done, data
    };

    verb_start_checked("attach-device", &verb, "virDomainAttachDeviceFlags", CHANGE_AFFECTS);
}
