#include "daemon/dbus-events.h"

#include "daemon/dbus-path.h"
#include "daemon/dbus-quirks.h"
#include "daemon/journal.h"

/* A signal can only fail for a closed connection, which ends the daemon anyway. */
static void
emit(const DbusRoot *root, const char *path, const char *interface, const char *signal,
     GVariant *args)
{
    g_dbus_connection_emit_signal(dbus_root_bus(root), NULL, path, interface, signal, args, NULL);
}

static void
lifecycle(gpointer data, Domain *domain, int event, int detail)
{
    const DbusRoot *root = data;
    g_autofree char *path = dbus_path_of(dbus_root_path(root), domain);

    emit(root, dbus_root_path(root), "org.libvirt.Connect", "DomainEvent",
         g_variant_new("(oii)", path, event, detail));
    journal_lifecycle(domain, event);
}

/* A signal of the domain's own object. */
static void
emit_of(const DbusRoot *root, Domain *domain, const char *signal, GVariant *args)
{
    g_autofree char *path = dbus_path_of(dbus_root_path(root), domain);

    emit(root, path, "org.libvirt.Domain", signal, args);
}

static void
reboot(gpointer data, Domain *domain)
{
    emit_of(data, domain, "Reboot", NULL);
}

static void
device(gpointer data, Domain *domain, DeviceEvent event, const char *alias)
{
    static const char *const signals[N_DEVICE_EVENTS] = {
        [DEVICE_EVENT_ADDED] = "DeviceAdded",
        [DEVICE_EVENT_REMOVED] = "DeviceRemoved",
        [DEVICE_EVENT_REMOVAL_FAILED] = "DeviceRemovalFailed",
    };

    emit_of(data, domain, signals[event], g_variant_new("(s)", alias));
}

static void
pm(gpointer data, Domain *domain, PmEvent event)
{
    static const char *const signals[N_PM_EVENTS] = {
        [PM_EVENT_SUSPEND] = "PMSuspend",
        [PM_EVENT_SUSPEND_DISK] = "PMSuspendDisk",
        [PM_EVENT_WAKEUP] = "PMWakeup",
    };

    emit_of(data, domain, signals[event], g_variant_new("(i)", 0)); /* libvirt has no reasons yet */
}

static void
tray(gpointer data, Domain *domain, const char *alias, int reason)
{
    emit_of(data, domain, "TrayChange", g_variant_new("(si)", alias, reason));
}

static void
rtc(gpointer data, Domain *domain, gint64 offset_s)
{
    emit_of(data, domain, "RTCChange", g_variant_new("(x)", offset_s));
}

static void
control_error(gpointer data, Domain *domain)
{
    emit_of(data, domain, "ControlError", NULL);
}

static void
disk_change(gpointer data, Domain *domain, const char *before, const char *now, const char *alias,
            int reason)
{
    emit_of(data, domain, "DiskChange",
            g_variant_new("(sssi)", before, now ? now : "", alias, reason));
}

static void
balloon(gpointer data, Domain *domain, guint64 kib)
{
    emit_of(data, domain, "BalloonChange", g_variant_new("(t)", kib));
}

static void
metadata(gpointer data, Domain *domain, int type, const char *uri)
{
    emit_of(data, domain, "MetadataChange", g_variant_new("(is)", type, uri));
}

static void
agent(gpointer data, Domain *domain, int state, int reason)
{
    emit_of(data, domain, "AgentEvent", g_variant_new("(ii)", state, reason));
}

static void
watchdog(gpointer data, Domain *domain, int action)
{
    emit_of(data, domain, "Watchdog", g_variant_new("(i)", action));
}

static void
job(gpointer data, Domain *domain, const JobInfo *info)
{
    g_autoptr(GVariant) params =
        g_variant_ref_sink(g_variant_new("(@a{sv})", job_info_params(info)));

    emit_of(data, domain, "JobCompleted", dbus_quirks_wrap(params));
}

static void
io_error(gpointer data, Domain *domain, const char *path, const char *alias, int action,
         const char *reason)
{
    emit_of(data, domain, "IOError", g_variant_new("(ssis)", path, alias, action, reason));
}

static void
block_threshold(gpointer data, Domain *domain, const char *target, const char *path,
                guint64 threshold, guint64 excess)
{
    emit_of(data, domain, "BlockThreshold",
            g_variant_new("(sstt)", target, path, threshold, excess));
}

static void
tunable(gpointer data, Domain *domain, GVariant *params)
{
    g_autoptr(GVariant) args = g_variant_ref_sink(g_variant_new("(@a{sv})", params));

    emit_of(data, domain, "Tunable", dbus_quirks_wrap(args));
}

static void
host_object(gpointer data, HostObject *object, int event)
{
    static const char *const signals[N_HOST_KINDS] = {
        [HOST_NETWORK] = "NetworkEvent",
        [HOST_POOL] = "StoragePoolEvent",
        [HOST_NODE_DEVICE] = "NodeDeviceEvent",
    };
    const DbusRoot *root = data;
    g_autofree char *path = dbus_path_of_host(dbus_root_path(root), object);
    HostKind kind = object->facts->kind;

    emit(root, dbus_root_path(root), "org.libvirt.Connect", signals[kind],
         kind == HOST_NETWORK ? g_variant_new("(oi)", path, event)
                              : g_variant_new("(oii)", path, event, 0));
}

static void
pool_refresh(gpointer data, HostObject *pool)
{
    const DbusRoot *root = data;
    g_autofree char *path = dbus_path_of_host(dbus_root_path(root), pool);

    emit(root, path, "org.libvirt.StoragePool", "Refresh", NULL);
}

DriverEvents
dbus_events(DbusRoot *root)
{
    return (DriverEvents){
        .lifecycle = lifecycle,
        .reboot = reboot,
        .device = device,
        .pm = pm,
        .tray = tray,
        .rtc = rtc,
        .control_error = control_error,
        .disk_change = disk_change,
        .balloon = balloon,
        .metadata = metadata,
        .agent = agent,
        .watchdog = watchdog,
        .job = job,
        .io_error = io_error,
        .block_threshold = block_threshold,
        .tunable = tunable,
        .host_object = host_object,
        .pool_refresh = pool_refresh,
        .data = root,
    };
}
