#include "tests/bus/storm.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>

#define CALL_TIMEOUT_MS 30000
#define ROOT            "<controller type='pci' index='0' model='pcie-root'/>"
#define PORT            "<controller type='pci' model='pcie-root-port'/>" /* to plug something into */
#define TAP             "<interface type='ethernet'><model type='virtio'/></interface>"
#define RNG             "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"

typedef struct Client {
    Storm *storm;
    GDBusConnection *bus;
    GRand *rand;
    GThread *thread;
    StormSlot slots[STORM_SLOTS];
    guint version; /* the last one that was given out */
    guint done, refused;
} Client;

struct Storm {
    Fixture *fixture;
    char *kernel, *cmdline;
    Client clients[STORM_CLIENTS];
    gboolean taps, faults;
    int over; /* atomic */
};

static GDBusConnection *
open_bus(const char *address)
{
    g_autoptr(GError) error = NULL;
    GDBusConnection *bus =
        g_dbus_connection_new_for_address_sync(address,
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, &error);

    g_assert_no_error(error);
    return bus;
}

/* Changes */

typedef enum Outcome {
    DONE,
    REFUSED,
    GONE, /* the daemon */
} Outcome;

static gboolean
is_gone(const GError *error)
{
    static const char *const names[] = { "org.freedesktop.DBus.Error.NoReply",
                                         "org.freedesktop.DBus.Error.ServiceUnknown",
                                         "org.freedesktop.DBus.Error.NameHasNoOwner", NULL };
    g_autofree char *name = g_dbus_error_get_remote_error(error);

    return name && g_strv_contains(names, name);
}

static gboolean
tells_of_disk(const GError *error)
{
    return strstr(error->message, g_strerror(EIO)) || strstr(error->message, g_strerror(ENOSPC));
}

/* Anything that is refused is a fault but where the disk has one, for nobody else touches the domain. */
static Outcome
call(Client *client, const char *path, const char *interface, const char *member, GVariant *args)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_sync(client->bus, BUS_NAME, path, interface, member, args, NULL,
                                    G_DBUS_CALL_FLAGS_NO_AUTO_START, CALL_TIMEOUT_MS, NULL, &error);

    if (reply)
        return DONE;
    if (is_gone(error))
        return GONE;
    if (!client->storm->faults || !tells_of_disk(error))
        g_error("%s of %s: %s", member, path, error->message);
    return REFUSED;
}

static const char *
name_of(const StormSlot *slot, const StormState *state)
{
    return state->renamed ? slot->other_name : slot->name;
}

static char *
document(const Client *client, const StormSlot *slot)
{
    return g_strdup_printf(
        "<domain type='kvm'><name>%s</name><uuid>%s</uuid><title>%u</title>"
        "<memory unit='MiB'>16</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type><kernel>%s</kernel>"
        "<cmdline>%s</cmdline></os><features><acpi/></features>"
        "<devices>" ROOT PORT PORT PORT PORT PORT "<serial type='pty'/>%s</devices></domain>",
        name_of(slot, &slot->doubt), slot->uuid, slot->doubt.version, client->storm->kernel,
        client->storm->cmdline, client->storm->taps ? TAP : "");
}

static Outcome
define(Client *client, StormSlot *slot)
{
    g_autofree char *xml = document(client, slot);

    return call(client, ROOT_PATH, CONNECT, "DomainDefineXML", g_variant_new("(s)", xml));
}

static Outcome
start(Client *client, StormSlot *slot)
{
    return call(client, slot->path, DOMAIN, "Create", g_variant_new("(u)", 0));
}

static Outcome
attach(Client *client, StormSlot *slot)
{
    guint flags = VIR_DOMAIN_AFFECT_CONFIG | (slot->known.running ? VIR_DOMAIN_AFFECT_LIVE : 0);

    return call(client, slot->path, DOMAIN, "AttachDevice", g_variant_new("(su)", RNG, flags));
}

static Outcome
destroy(Client *client, StormSlot *slot)
{
    return call(client, slot->path, DOMAIN, "Destroy", g_variant_new("(u)", 0));
}

static Outcome
set_autostart(Client *client, StormSlot *slot)
{
    return call(
        client, slot->path, "org.freedesktop.DBus.Properties", "Set",
        g_variant_new("(ssv)", DOMAIN, "Autostart", g_variant_new_boolean(slot->doubt.autostart)));
}

static Outcome
rename_it(Client *client, StormSlot *slot)
{
    return call(client, slot->path, DOMAIN, "Rename",
                g_variant_new("(su)", name_of(slot, &slot->doubt), 0));
}

static Outcome
save(Client *client, StormSlot *slot)
{
    return call(client, slot->path, DOMAIN, "ManagedSave", g_variant_new("(u)", 0));
}

static Outcome
remove_saved(Client *client, StormSlot *slot)
{
    return call(client, slot->path, DOMAIN, "ManagedSaveRemove", g_variant_new("(u)", 0));
}

static Outcome
undefine(Client *client, StormSlot *slot)
{
    return call(client, slot->path, DOMAIN, "Undefine",
                g_variant_new("(u)", VIR_DOMAIN_UNDEFINE_MANAGED_SAVE));
}

typedef Outcome (*Change)(Client *client, StormSlot *slot);

static Change
choose_start(StormState *next)
{
    next->running = TRUE;
    next->live_devices = next->saved ? next->saved_devices : next->devices;
    next->saved = FALSE;
    return start;
}

static Change
choose_end(StormState *next, Change change)
{
    next->saved = change == save;
    next->saved_devices = next->live_devices;
    next->running = FALSE;
    next->live_devices = 0;
    return change;
}

/* What to do next, and in @slot->doubt what comes of it. */
static Change
choose(Client *client, StormSlot *slot)
{
    StormState *next = &slot->doubt;
    guint dice = g_rand_int_range(client->rand, 0, 14);

    if (!next->defined || dice < 3) {
        next->defined = TRUE;
        next->version = ++client->version;
        next->devices = 0;
        return define;
    }
    if (dice < 5 && next->devices < 3 && next->live_devices < 3) {
        next->devices++;
        next->live_devices += next->running;
        return attach;
    }
    if (dice < 8)
        return next->running ? choose_end(next, destroy) : choose_start(next);
    if (dice < 9) {
        next->autostart = !next->autostart;
        return set_autostart;
    }
    if (dice == 13 && !next->running && !next->saved) {
        next->renamed = !next->renamed;
        return rename_it;
    }
    if (dice < 11 && next->running)
        return choose_end(next, save);
    if (dice < 11 && next->saved) {
        next->saved = FALSE;
        return remove_saved;
    }
    if (next->running) /* one that runs and is undefined would be transient: it ends first */
        return choose_end(next, destroy);
    *next = (StormState){ 0 };
    return undefine;
}

static guint
count_live_devices(Client *client, const StormSlot *slot)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        client->bus, BUS_NAME, slot->path, DOMAIN, "GetXMLDesc", g_variant_new("(u)", 0),
        G_VARIANT_TYPE("(s)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, CALL_TIMEOUT_MS, NULL, &error);
    const char *xml;
    guint n = 0;

    g_assert_no_error(error);
    g_variant_get(reply, "(&s)", &xml);
    while ((xml = strstr(xml, "<rng "))) {
        xml++;
        n++;
    }
    return n;
}

/* A device that the guest has got already stays there where its definition cannot be written, as in libvirt. */
static void
take_back(Client *client, StormSlot *slot)
{
    client->refused++;
    if (slot->doubt.live_devices != slot->known.live_devices && slot->known.running)
        slot->known.live_devices = count_live_devices(client, slot);
    slot->doubt = slot->known;
}

static gpointer
rage(gpointer data)
{
    Client *client = data;

    while (!g_atomic_int_get(&client->storm->over)) {
        StormSlot *slot = &client->slots[g_rand_int_range(client->rand, 0, STORM_SLOTS)];
        Change change;
        Outcome outcome;

        slot->doubt = slot->known;
        change = choose(client, slot);
        if (change == start)
            slot->pid = 0;
        outcome = change(client, slot);
        if (outcome == GONE)
            break;
        if (outcome == REFUSED) {
            take_back(client, slot);
        } else {
            slot->known = slot->doubt;
            client->done++;
        }
    }
    return NULL;
}

void
storm_begin(Storm *storm)
{
    g_atomic_int_set(&storm->over, FALSE);
    for (guint i = 0; i < STORM_CLIENTS; i++)
        storm->clients[i].thread = g_thread_new("storm", rage, &storm->clients[i]);
}

void
storm_end(Storm *storm)
{
    g_atomic_int_set(&storm->over, TRUE);
    for (guint i = 0; i < STORM_CLIENTS; i++)
        g_thread_join(g_steal_pointer(&storm->clients[i].thread));
}

StormSlot *
storm_slot(Storm *storm, guint client, guint slot)
{
    return &storm->clients[client].slots[slot];
}

void
storm_use_taps(Storm *storm)
{
    storm->taps = TRUE;
}

void
storm_expect_faults(Storm *storm)
{
    storm->faults = TRUE;
}

guint
storm_count_refused(const Storm *storm)
{
    guint n = 0;

    for (guint i = 0; i < STORM_CLIENTS; i++)
        n += storm->clients[i].refused;
    return n;
}

guint
storm_count(const Storm *storm)
{
    guint n = 0;

    for (guint i = 0; i < STORM_CLIENTS; i++)
        n += storm->clients[i].done;
    return n;
}

static void
client_init(Client *client, Storm *storm, guint number, guint32 seed)
{
    client->storm = storm;
    client->bus = open_bus(storm->fixture->address);
    client->rand = g_rand_new_with_seed(seed + number);
    for (guint i = 0; i < STORM_SLOTS; i++) {
        StormSlot *slot = &client->slots[i];
        g_autofree char *node = NULL;

        slot->name = g_strdup_printf("storm-%u-%u", number, i);
        slot->other_name = g_strdup_printf("storm-%u-%u-other", number, i);
        slot->uuid = g_strdup_printf(STORM_UUID, number, i);
        node = g_strdelimit(g_strdup(slot->uuid), "-", '_');
        slot->path = g_strconcat(ROOT_PATH "/domain/_", node, NULL);
    }
}

Storm *
storm_new(Fixture *fixture, const char *kernel, const char *cmdline, guint32 seed)
{
    Storm *storm = g_new0(Storm, 1);

    storm->fixture = fixture;
    storm->kernel = g_strdup(kernel);
    storm->cmdline = g_strdup(cmdline);
    for (guint i = 0; i < STORM_CLIENTS; i++)
        client_init(&storm->clients[i], storm, i, seed);
    return storm;
}

void
storm_free(Storm *storm)
{
    if (!storm)
        return;
    for (guint i = 0; i < STORM_CLIENTS; i++) {
        Client *client = &storm->clients[i];

        for (guint j = 0; j < STORM_SLOTS; j++) {
            g_free(client->slots[j].name);
            g_free(client->slots[j].other_name);
            g_free(client->slots[j].uuid);
            g_free(client->slots[j].path);
        }
        g_dbus_connection_close_sync(client->bus, NULL, NULL);
        g_object_unref(client->bus);
        g_rand_free(client->rand);
    }
    g_free(storm->kernel);
    g_free(storm->cmdline);
    g_free(storm);
}
