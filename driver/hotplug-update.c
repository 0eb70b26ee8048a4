#include "driver/hotplug-private.h"

#include "driver/device-disk.h"

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
update_config(DomainDef *def, const Change *change, GError **error)
{
    Device *old = change_find(def, change, TRUE, error);

    if (!old)
        return FALSE;
    replace_device(def, old, change->wanted);
    return domain_def_check(def, error);
}

static void
tell_tray(Domain *domain, const Device *old, const Device *dev)
{
    if (!device_disk_is_cdrom(dev) ||
        g_strcmp0(device_disk_source(old), device_disk_source(dev)) == 0)
        return;
    if (device_disk_has_medium(old))
        domain_tell(domain, tray, dev->alias, VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN);
    if (device_disk_has_medium(dev))
        domain_tell(domain, tray, dev->alias, VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE);
}

/* What was refused is not on the host either. */
static void
take_back(const Domain *domain, const Change *change)
{
    const Device *dev = change_find_alias(change->live, change->subject);
    const Device *was = change_find_alias(domain->live, change->subject);

    if (was && dev->kind->take_back && !dev->simulated)
        dev->kind->take_back(dev, was);
}

static void
updated(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;
    Change *change = verb->detail;
    Domain *domain = verb->domain;
    g_autofree char *subject = g_strdup(change->subject);

    domain->coming = NULL;
    if (domain_is_left(domain, error)) {
        verb_finish(verb, error);
        return;
    }
    if (error || !domain_is_active(domain)) {
        if (domain_is_active(domain)) {
            take_back(domain, change);
            domain_write_live(domain);
        }
        verb_finish(verb, error);
        return;
    }
    tell_tray(domain, change_find_alias(domain->live, subject),
              change_find_alias(change->live, subject));
    change_take_device(domain->live, change->live, subject);
    domain_write_live(domain);
    change_finish(verb);
}

/* Without a host to change, what is wanted is what there is. */
static gboolean
update_device_of(Verb *verb, VmmMsg *tell, GError **error)
{
    Change *change = verb->detail;
    Device *dev = change_find_alias(change->live, change->subject);
    const DeviceLowering to = change_lowering(verb, change->live->devices);

    if (!to.simulated)
        return dev->kind->update(dev, change->wanted, &to, tell, error);
    replace_device(change->live, dev, change->wanted);
    return TRUE;
}

static gboolean
prepare_update(Verb *verb, GError **error)
{
    Change *change = verb->detail;
    Domain *domain = verb->domain;
    const Device *old = change_find(domain->live, change, FALSE, error);
    VmmMsg *tell;

    if (!old)
        return FALSE;
    tell = vmm_link_request(guest_link(domain->guest), VMM_TELL_DEVICE);
    g_ptr_array_add(change->requests, tell);
    vmm_msg_put_string(tell, "id", old->alias);
    change->subject = g_strdup(old->alias);
    change->live = domain_def_copy(domain->live);
    return update_device_of(verb, tell, error);
}

void
change_update_live(Verb *verb)
{
    g_autoptr(GError) error = NULL;

    if (prepare_update(verb, &error))
        change_send(verb, updated);
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
    if ((!change->wanted->kind->update && !change_refuse_kind(change, "update", &error)) ||
        !change_check_config(verb, update_config, &error))
        verb_finish(verb, error);
    else if (live)
        change_update_live(verb);
    else
        change_finish(verb);
}

void
domain_update_device(Domain *domain, const char *xml, guint flags, DomainDone done, gpointer data)
{
    const Verb verb = {
        domain, flags, change_new(xml, NULL), change_free, update_begin, done, data
    };

    /* By force: a guest cannot lock its drive's tray here. */
    verb_start_checked("update-device", &verb, "virDomainUpdateDeviceFlags",
                       CHANGE_AFFECTS | VIR_DOMAIN_DEVICE_MODIFY_FORCE);
}
