#include "cli/event-kinds.h"

#include "cli/connection.h"
#include "cli/domain-names.h"
#include "cli/params.h"

#include <glib/gi18n.h>
#include <string.h>

/* @names[@number], or a word for a number that is newer than we are. */
static const char *
pick(const char *const *names, gsize n_names, int number)
{
    return number >= 0 && (gsize)number < n_names ? _(names[number]) : _("unknown");
}

#define PICK(names, number) pick(names, G_N_ELEMENTS(names), number)

static char *
lifecycle(GVariant *parameters)
{
    int event, detail;

    g_variant_get(parameters, "(oii)", NULL, &event, &detail);
    return g_strdup_printf("%s %s", domain_event_name(event),
                           domain_event_detail_name(event, detail));
}

static char *
rtc_change(GVariant *parameters)
{
    gint64 offset_s;

    g_variant_get(parameters, "(x)", &offset_s);
    return g_strdup_printf("%" G_GINT64_FORMAT, offset_s);
}

static char *
watchdog(GVariant *parameters)
{
    static const char *const actions[] = { N_("none"),      N_("pause"),    N_("reset"),
                                           N_("poweroff"),  N_("shutdown"), N_("debug"),
                                           N_("inject-nmi") };
    int action;

    g_variant_get(parameters, "(i)", &action);
    return g_strdup(PICK(actions, action));
}

static const char *const io_error_actions[] = { N_("none"), N_("pause"), N_("report") };

static char *
io_error(GVariant *parameters)
{
    const char *source, *device;
    int action;

    g_variant_get(parameters, "(&s&sis)", &source, &device, &action, NULL);
    return g_strdup_printf("%s (%s) %s", source, device, PICK(io_error_actions, action));
}

static char *
io_error_reason(GVariant *parameters)
{
    const char *source, *device, *reason;
    int action;

    g_variant_get(parameters, "(&s&si&s)", &source, &device, &action, &reason);
    return g_strdup_printf(_("%s (%s) %s due to %s"), source, device, PICK(io_error_actions, action),
                           reason);
}

/* One end of a connection: (iss). */
static char *
graphics_end(GVariant *end)
{
    static const char *const families[] = { N_("IPv4"), N_("IPv6"), N_("unix") };
    const char *node, *service;
    int family;

    g_variant_get(end, "(i&s&s)", &family, &node, &service);
    return g_strdup_printf("[%s %s %s]", PICK(families, family), node, service);
}

/* Who it is stands on lines of its own. */
static char *
graphics(GVariant *parameters)
{
    static const char *const phases[] = { N_("connect"), N_("initialize"), N_("disconnect") };
    g_autoptr(GVariant) local = NULL, remote = NULL;
    g_autoptr(GVariantIter) identities = NULL;
    g_autofree char *here = NULL, *there = NULL;
    const char *scheme, *type, *name;
    GString *text = g_string_new(NULL);
    int phase;

    g_variant_get(parameters, "(i@(iss)@(iss)&sa(ss))", &phase, &local, &remote, &scheme, &identities);
    here = graphics_end(local);
    there = graphics_end(remote);
    g_string_append_printf(text, _("%s local%s remote%s %s"), PICK(phases, phase), here, there, scheme);
    while (g_variant_iter_next(identities, "(&s&s)", &type, &name))
        g_string_append_printf(text, "\n\t%s=%s", type, name);
    return g_string_free(text, FALSE);
}

static char *
block_job(GVariant *parameters)
{
    static const char *const jobs[] = { N_("Unknown job"),  N_("Block Pull"),          N_("Block Copy"),
                                        N_("Block Commit"), N_("Active Block Commit"), N_("Backup") };
    static const char *const states[] = { N_("completed"), N_("failed"), N_("canceled"), N_("ready") };
    const char *disk;
    int job, state;

    g_variant_get(parameters, "(&sii)", &disk, &job, &state);
    return g_strdup_printf(_("%s for %s %s"), PICK(jobs, job), disk, PICK(states, state));
}

/* A path, in virsh's words: a drive without a medium has none. */
static const char *
path_or_null(const char *path)
{
    return *path ? path : "<null>";
}

static char *
disk_change(GVariant *parameters)
{
    static const char *const reasons[] = { N_("changed"), N_("dropped") };
    const char *before, *now, *alias;
    int reason;

    g_variant_get(parameters, "(&s&s&si)", &before, &now, &alias, &reason);
    return g_strdup_printf(_(" disk %s: %s -> %s: %s"), alias, path_or_null(before), path_or_null(now),
                           PICK(reasons, reason));
}

static char *
tray_change(GVariant *parameters)
{
    static const char *const reasons[] = { N_("opened"), N_("closed") };
    const char *alias;
    int reason;

    g_variant_get(parameters, "(&si)", &alias, &reason);
    return g_strdup_printf(_(" disk %s: %s"), alias, PICK(reasons, reason));
}

static char *
balloon_change(GVariant *parameters)
{
    guint64 kib;

    g_variant_get(parameters, "(t)", &kib);
    return g_strdup_printf("%" G_GUINT64_FORMAT "KiB", kib);
}

static char *
device(GVariant *parameters)
{
    char *alias;

    g_variant_get(parameters, "(s)", &alias);
    return alias;
}

static char *
agent_lifecycle(GVariant *parameters)
{
    static const char *const states[] = { N_("unknown"), N_("connected"), N_("disconnected") };
    static const char *const reasons[] = { N_("unknown"), N_("domain started"),
                                           N_("channel event") };
    int state, reason;

    g_variant_get(parameters, "(ii)", &state, &reason);
    return g_strdup_printf(_("state: '%s' reason: '%s'"), PICK(states, state),
                           PICK(reasons, reason));
}

static char *
migration_iteration(GVariant *parameters)
{
    int iteration;

    g_variant_get(parameters, "(i)", &iteration);
    return g_strdup_printf(_("iteration: '%d'"), iteration);
}

/* A line for each parameter. */
static char *
lines(GVariant *parameters)
{
    g_autoptr(GVariant) params = g_variant_get_child_value(parameters, 0);
    GString *text = g_string_new(NULL);
    GVariantIter iter;
    GVariant *wrapped;
    const char *name;

    g_variant_iter_init(&iter, params);
    while (g_variant_iter_loop(&iter, "{&sv}", &name, &wrapped)) {
        g_autoptr(GVariant) value = variant_unwrap(wrapped);
        g_autofree char *words = params_text(name, value);

        g_string_append_printf(text, "\n\t%s: %s", name, words);
    }
    return g_string_free(text, FALSE);
}

static char *
metadata_change(GVariant *parameters)
{
    static const char *const types[] = { N_("description"), N_("title"), N_("element") };
    const char *uri;
    int type;

    g_variant_get(parameters, "(i&s)", &type, &uri);
    return g_strdup_printf(_("type %s, uri %s"), PICK(types, type), *uri ? uri : _("none"));
}

static char *
block_threshold(GVariant *parameters)
{
    const char *disk, *path;
    guint64 threshold, excess;

    g_variant_get(parameters, "(&s&stt)", &disk, &path, &threshold, &excess);
    return g_strdup_printf("dev: %s(%s) %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, disk, path,
                           threshold, excess);
}

/* In virsh's order. What libvirt tells in an older form, too, is one signal on the bus, which then comes as both kinds;
 * the disk of a block job is its target in both. */
const EventKind event_kinds[] = {
    { "lifecycle", "DomainEvent", "(oii)", TRUE, lifecycle },
    { "reboot", "Reboot", "()", FALSE, NULL },
    { "rtc-change", "RTCChange", "(x)", FALSE, rtc_change },
    { "watchdog", "Watchdog", "(i)", FALSE, watchdog },
    { "io-error", "IOError", "(ssis)", FALSE, io_error },
    { "graphics", "Graphics", "(i(iss)(iss)sa(ss))", FALSE, graphics },
    { "io-error-reason", "IOError", "(ssis)", FALSE, io_error_reason },
    { "control-error", "ControlError", "()", FALSE, NULL },
    { "block-job", "BlockJob", "(sii)", FALSE, block_job },
    { "disk-change", "DiskChange", "(sssi)", FALSE, disk_change },
    { "tray-change", "TrayChange", "(si)", FALSE, tray_change },
    { "pm-wakeup", "PMWakeup", "(i)", FALSE, NULL },
    { "pm-suspend", "PMSuspend", "(i)", FALSE, NULL },
    { "balloon-change", "BalloonChange", "(t)", FALSE, balloon_change },
    { "pm-suspend-disk", "PMSuspendDisk", "(i)", FALSE, NULL },
    { "device-removed", "DeviceRemoved", "(s)", FALSE, device },
    { "block-job-2", "BlockJob", "(sii)", FALSE, block_job },
    { "tunable", "Tunable", "(a{sv})", FALSE, lines },
    { "agent-lifecycle", "AgentEvent", "(ii)", FALSE, agent_lifecycle },
    { "device-added", "DeviceAdded", "(s)", FALSE, device },
    { "migration-iteration", "MigrationIteration", "(i)", FALSE, migration_iteration },
    { "job-completed", "JobCompleted", "(a{sv})", FALSE, lines },
    { "device-removal-failed", "DeviceRemovalFailed", "(s)", FALSE, device },
    { "metadata-change", "MetadataChange", "(is)", FALSE, metadata_change },
    { "block-threshold", "BlockThreshold", "(sstt)", FALSE, block_threshold },
    { "memory-failure" },
    { "memory-device-size-change" },
    { NULL },
};

static char *
network_lifecycle(GVariant *parameters)
{
    static const char *const events[] = { N_("Defined"), N_("Undefined"), N_("Started"),
                                          N_("Stopped") };
    int event;

    g_variant_get(parameters, "(oi)", NULL, &event);
    return g_strdup(PICK(events, event));
}

const EventKind network_event_kinds[] = {
    { "lifecycle", "NetworkEvent", "(oi)", TRUE, network_lifecycle },
    { NULL },
};

static char *
pool_lifecycle(GVariant *parameters)
{
    static const char *const events[] = { N_("Defined"), N_("Undefined"), N_("Started"),
                                          N_("Stopped"), N_("Created"),   N_("Deleted") };
    int event;

    g_variant_get(parameters, "(oii)", NULL, &event, NULL);
    return g_strdup(PICK(events, event));
}

const EventKind pool_event_kinds[] = {
    { "lifecycle", "StoragePoolEvent", "(oii)", TRUE, pool_lifecycle },
    { "refresh", "Refresh", "()", FALSE, NULL },
    { NULL },
};

static char *
device_lifecycle(GVariant *parameters)
{
    static const char *const events[] = { N_("Created"), N_("Deleted"), N_("Defined"),
                                          N_("Undefined") };
    int event;

    g_variant_get(parameters, "(oii)", NULL, &event, NULL);
    return g_strdup(PICK(events, event));
}

const EventKind device_event_kinds[] = {
    { "lifecycle", "NodeDeviceEvent", "(oii)", TRUE, device_lifecycle },
    { "update" },
    { NULL },
};

const EventKind *
event_kind_find(const EventKind *kinds, const char *name)
{
    for (const EventKind *kind = kinds; kind->name; kind++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    return NULL;
}
