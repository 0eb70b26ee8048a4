#include "daemon/api.h"

#include "daemon/api-agent.h"
#include "daemon/api-block-job.h"
#include "daemon/api-domain-save.h"
#include "daemon/api-snapshot.h"
#include "daemon/api-test.h"
#include "daemon/api-tuning.h"
#include "driver/device-stats.h"
#include "driver/disk-resize.h"
#include "driver/disk-verbs.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/peek.h"
#include "driver/stats.h"

/* A verb of the driver that takes flags and answers through a DomainDone. */
typedef void (*Verb)(Domain *domain, guint flags, DomainDone done, gpointer data);

static void
run_verb(Call *call, Verb verb)
{
    guint flags;

    call_get(call, "(u)", &flags);
    verb(call_object(call)->domain, flags, call_done, call);
}

static void
started(gpointer data, const GError *error)
{
    if (!error)
        call_bind(data, call_object(data)->domain);
    call_done(data, error);
}

static void
create(Call *call)
{
    guint flags;

    call_get(call, "(u)", &flags);
    domain_start(call_object(call)->domain, flags, started, call);
}

static void
shutdown_guest(Call *call)
{
    run_verb(call, domain_shutdown);
}

static void
reboot(Call *call)
{
    run_verb(call, domain_reboot);
}

static void
reset(Call *call)
{
    run_verb(call, domain_reset);
}

static void
inject_nmi(Call *call)
{
    run_verb(call, domain_inject_nmi);
}

static void
send_key(Call *call)
{
    g_autoptr(GVariant) codes = NULL;
    DomainKeys keys;
    guint flags;

    call_get(call, "(uu@auu)", &keys.codeset, &keys.hold_ms, &codes, &flags);
    keys.codes = g_variant_get_fixed_array(codes, &keys.n, sizeof(guint32));
    domain_send_key(call_object(call)->domain, &keys, flags, call_done, call);
}

static void
destroy(Call *call)
{
    run_verb(call, domain_destroy);
}

static void
suspend(Call *call)
{
    domain_suspend(call_object(call)->domain, call_done, call);
}

static void
resume(Call *call)
{
    domain_resume(call_object(call)->domain, call_done, call);
}

static void
pm_wakeup(Call *call)
{
    run_verb(call, domain_pm_wakeup);
}

static void
undefine(Call *call)
{
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    if (domain_undefine(call_object(call)->domain, flags, &error))
        call_reply_nothing(call);
    else
        call_fail(call, error);
}

static void
get_xml(Call *call)
{
    g_autofree char *xml = NULL;
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    xml = domain_xml(call_object(call)->domain, flags, &error);
    call_reply_text(call, xml, error);
}

static void
get_state(Call *call)
{
    GError *error = NULL;
    int state, reason;
    guint flags;

    call_get(call, "(u)", &flags);
    if (!driver_check_flags(flags, 0, "virDomainGetState", &error)) {
        call_fail(call, error);
        return;
    }
    domain_state(call_object(call)->domain, &state, &reason);
    call_reply(call, g_variant_new("((ii))", state, reason));
}

static void
stats_ready(gpointer data)
{
    Call *call = data;
    GError *error = NULL;
    GVariant *stats;
    guint groups, flags;

    call_get(call, "(uu)", &groups, &flags);
    stats = domain_stats(call_object(call)->domain, groups, flags, &error);
    if (stats)
        call_reply(call, g_variant_new("(@a{sv})", stats));
    else
        call_fail(call, error);
}

static void
get_stats(Call *call)
{
    g_autoptr(GPtrArray) domains = g_ptr_array_new();
    guint groups, flags;

    call_get(call, "(uu)", &groups, &flags);
    g_ptr_array_add(domains, call_object(call)->domain);
    stats_refresh(domains, groups, stats_ready, call);
}

static void
block_resize(Call *call)
{
    const char *disk;
    guint64 size;
    guint flags;

    call_get(call, "(&stu)", &disk, &size, &flags);
    domain_block_resize(call_object(call)->domain, disk, size, flags, call_done, call);
}

static void
set_block_threshold(Call *call)
{
    const char *disk;
    guint64 threshold;
    guint flags;

    call_get(call, "(&stu)", &disk, &threshold, &flags);
    domain_set_block_threshold(call_object(call)->domain, disk, threshold, flags, call_done, call);
}

static void
block_peek(Call *call)
{
    GError *error = NULL;
    const char *disk;
    guint64 offset, size;
    GVariant *bytes;
    guint flags;

    call_get(call, "(&sttu)", &disk, &offset, &size, &flags);
    bytes = domain_block_peek(call_object(call)->domain, disk, offset, size, flags, &error);
    if (bytes)
        call_reply(call, g_variant_new("(@ay)", bytes));
    else
        call_fail(call, error);
}

static void
memory_peek(Call *call)
{
    guint64 offset, size;
    guint flags;

    call_get(call, "(ttu)", &offset, &size, &flags);
    domain_memory_peek(call_object(call)->domain, offset, size, flags, call_answer, call);
}

/* As libvirt-dbus, which hands no flags on. */
static void
get_disk_errors(Call *call)
{
    domain_disk_errors(call_object(call)->domain, 0, call_answer, call);
}

/* A guest has none: it is confined by what the kernel gives every process (see NodeGetSecurityModel). */
static void
get_security_labels(Call *call)
{
    call_reply(call, g_variant_new("(@a(sb))", g_variant_new_array(G_VARIANT_TYPE("(sb)"), NULL, 0)));
}

static void
get_vcpus(Call *call)
{
    guint flags;

    call_get(call, "(u)", &flags);
    domain_get_vcpus(call_object(call)->domain, flags, call_answer, call);
}

static void
set_vcpus(Call *call)
{
    guint vcpus, flags;

    call_get(call, "(uu)", &vcpus, &flags);
    domain_set_vcpus(call_object(call)->domain, vcpus, flags, call_answer, call);
}

static void
rename_domain(Call *call)
{
    const char *name;
    guint flags;

    call_get(call, "(&su)", &name, &flags);
    domain_rename(call_object(call)->domain, name, flags, call_done, call);
}

static void
set_metadata(Call *call)
{
    DomainMetadata to;
    guint flags;

    call_get(call, "(i&s&s&su)", &to.type, &to.metadata, &to.key, &to.uri, &flags);
    domain_set_metadata(call_object(call)->domain, &to, flags, call_done, call);
}

static void
get_metadata(Call *call)
{
    g_autofree char *metadata = NULL;
    GError *error = NULL;
    const char *uri;
    guint flags;
    int type;

    call_get(call, "(i&su)", &type, &uri, &flags);
    metadata = domain_get_metadata(call_object(call)->domain, type, uri, flags, &error);
    call_reply_text(call, metadata, error);
}

/* A verb that takes a device's document. */
static void
run_device_verb(Call *call, void (*verb)(Domain *domain, const char *xml, guint flags,
                                         DomainDone done, gpointer data))
{
    const char *xml;
    guint flags;

    call_get(call, "(&su)", &xml, &flags);
    verb(call_object(call)->domain, xml, flags, call_done, call);
}

static void
attach_device(Call *call)
{
    run_device_verb(call, domain_attach_device);
}

static void
detach_device(Call *call)
{
    run_device_verb(call, domain_detach_device);
}

static void
update_device(Call *call)
{
    run_device_verb(call, domain_update_device);
}

static void
set_memory(Call *call)
{
    guint64 kib;
    guint flags;

    call_get(call, "(tu)", &kib, &flags);
    domain_set_memory(call_object(call)->domain, kib, flags, call_done, call);
}

static void
set_memory_stats_period(Call *call)
{
    int period_s;
    guint flags;

    call_get(call, "(iu)", &period_s, &flags);
    domain_set_memory_stats_period(call_object(call)->domain, period_s, flags, call_done, call);
}

static void
memory_stats(Call *call)
{
    guint flags;

    call_get(call, "(u)", &flags);
    domain_memory_stats(call_object(call)->domain, flags, call_answer, call);
}

static GVariant *
get_active(const ApiObject *object, GError **error)
{
    return g_variant_new_boolean(domain_is_active(object->domain));
}

static GVariant *
get_autostart(const ApiObject *object, GError **error)
{
    return g_variant_new_boolean(domain_autostart(object->domain));
}

static gboolean
set_autostart(const ApiObject *object, GVariant *value, GError **error)
{
    return domain_set_autostart(object->domain, g_variant_get_boolean(value), error);
}

/* The bus has no -1 here: a domain that does not run shows 0, as with libvirt-dbus. */
static GVariant *
get_id(const ApiObject *object, GError **error)
{
    return g_variant_new_uint32(MAX(domain_id(object->domain), 0));
}

static GVariant *
get_name(const ApiObject *object, GError **error)
{
    return g_variant_new_string(domain_name(object->domain));
}

static GVariant *
get_os_type(const ApiObject *object, GError **error)
{
    return g_variant_new_string(domain_os_type(object->domain));
}

static GVariant *
get_persistent(const ApiObject *object, GError **error)
{
    return g_variant_new_boolean(domain_is_persistent(object->domain));
}

static GVariant *
get_updated(const ApiObject *object, GError **error)
{
    return g_variant_new_boolean(domain_is_updated(object->domain));
}

static GVariant *
get_uuid(const ApiObject *object, GError **error)
{
    return g_variant_new_string(domain_uuid(object->domain));
}

static const Property properties[] = {
    { "Active", get_active },
    { "Autostart", get_autostart, set_autostart },
    { "Id", get_id },
    { "Name", get_name },
    { "OSType", get_os_type },
    { "Persistent", get_persistent },
    { "SchedulerType", api_get_scheduler_type },
    { "UUID", get_uuid },
    { "Updated", get_updated },
    { NULL },
};

static const Method methods[] = {
    { "AbortJob", "virDomainAbortJob", "domain.write", api_domain_abort_job },
    { "AddIOThread", "virDomainAddIOThread", "domain.write", api_add_iothread },
    { "AttachDevice", "virDomainAttachDeviceFlags", "domain.write", attach_device },
    { "BlockCommit", "virDomainBlockCommit", "domain.block-write" },
    { "BlockCopy", "virDomainBlockCopy", "domain.block-write" },
    { "BlockJobAbort", "virDomainBlockJobAbort", "domain.block-write",
      api_block_job_abort, .test = api_test_not_supported },
    { "BlockPeek", "virDomainBlockPeek", "domain.block-read", block_peek },
    { "BlockPull", "virDomainBlockPull", "domain.block-write" },
    { "BlockRebase", "virDomainBlockRebase", "domain.block-write" },
    { "BlockResize", "virDomainBlockResize", "domain.block-write", block_resize },
    { "BlockJobSetSpeed", "virDomainBlockJobSetSpeed", "domain.block-write",
      api_block_job_set_speed, .test = api_test_not_supported },
    { "CoreDump", "virDomainCoreDumpWithFormat", "domain.core-dump", .test = api_test_core_dump },
    { "Create", "virDomainCreateWithFlags", "domain.start", create },
    { "CreateWithFiles", "virDomainCreateWithFiles", "domain.start",
      .test = api_test_create_with_files },
    { "DelIOThread", "virDomainDelIOThread", "domain.write", api_del_iothread },
    { "Destroy", "virDomainDestroyFlags", "domain.stop", destroy },
    { "DetachDevice", "virDomainDetachDeviceFlags", "domain.write", detach_device },
    { "FSFreeze", "virDomainFSFreeze", "domain.fs-freeze", api_fs_freeze },
    { "FSThaw", "virDomainFSThaw", "domain.fs-freeze", api_fs_thaw },
    { "FSTrim", "virDomainFSTrim", "domain.fs-trim", api_fs_trim },
    { "GetBlockIOParameters", "virDomainGetBlkioParameters", "domain.read", api_get_blkio },
    { "GetBlockIOTune", "virDomainGetBlockIoTune", "domain.read", api_get_iotune },
    { "GetBlockJobInfo", "virDomainGetBlockJobInfo", "domain.read",
      api_get_block_job_info, .test = api_test_not_supported },
    { "GetControlInfo", "virDomainGetControlInfo", "domain.read", api_domain_control_info },
    { "GetDiskErrors", "virDomainGetDiskErrors", "domain.read", get_disk_errors },
    { "GetEmulatorPinInfo", "virDomainGetEmulatorPinInfo", "domain.read", api_get_emulator_pin },
    { "GetFSInfo", "virDomainGetFSInfo", "domain.fs-freeze", api_get_fs_info },
    { "GetGuestVcpus", "virDomainGetGuestVcpus", "domain.write", api_get_guest_vcpus },
    { "GetHostname", "virDomainGetHostname", "domain.write", api_get_hostname },
    { "GetInterfaceParameters", "virDomainGetInterfaceParameters", "domain.read",
      api_get_interface_parameters },
    { "GetIOThreadInfo", "virDomainGetIOThreadInfo", "domain.read", api_get_iothreads },
    { "GetJobInfo", "virDomainGetJobInfo", "domain.read", api_domain_job_info },
    { "GetJobStats", "virDomainGetJobStats", "domain.read", api_domain_job_stats },
    { "GetMemoryParameters", "virDomainGetMemoryParameters", "domain.read",
      api_get_memory_parameters },
    { "GetMetadata", "virDomainGetMetadata", "domain.read", get_metadata },
    { "GetNumaParameters", "virDomainGetNumaParameters", "domain.read", api_get_numa },
    { "GetPerfEvents", "virDomainGetPerfEvents", "domain.read" },
    { "GetSchedulerParameters", "virDomainGetSchedulerParametersFlags", "domain.read",
      api_get_scheduler },
    { "GetSecurityLabelList", "virDomainGetSecurityLabelList", "domain.read",
      get_security_labels, .test = api_test_not_supported },
    { "GetState", "virDomainGetState", "domain.read", get_state },
    { "GetStats", "virDomainListGetStats", "domain.read", get_stats },
    { "GetTime", "virDomainGetTime", "domain.write", api_get_time },
    { "GetVcpuPinInfo", "virDomainGetVcpuPinInfo", "domain.read", api_get_vcpu_pins },
    { "GetVcpus", "virDomainGetVcpusFlags", "domain.read", get_vcpus, VIR_DOMAIN_VCPU_GUEST,
      "domain.write" },
    { "GetXMLDesc", "virDomainGetXMLDesc", "domain.read", get_xml,
      VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE, "domain.read-secure" },
    { "HasManagedSaveImage", "virDomainHasManagedSaveImage", "domain.read",
      api_domain_has_managed_save },
    { "InjectNMI", "virDomainInjectNMI", "domain.inject-nmi", inject_nmi },
    { "InterfaceAddresses", "virDomainInterfaceAddresses", "domain.write",
      api_interface_addresses },
    { "ListDomainSnapshots", "virDomainListAllSnapshots", "domain.read", api_list_snapshots },
    { "ManagedSave", "virDomainManagedSave", "domain.hibernate", api_domain_managed_save },
    { "ManagedSaveRemove", "virDomainManagedSaveRemove", "domain.hibernate",
      api_domain_managed_save_remove },
    { "MemoryPeek", "virDomainMemoryPeek", "domain.mem-read", memory_peek },
    { "MemoryStats", "virDomainMemoryStats", "domain.read", memory_stats },
    { "MigrateGetCompressionCache", "virDomainMigrateGetCompressionCache", "domain.migrate" },
    { "MigrateGetMaxSpeed", "virDomainMigrateGetMaxSpeed", "domain.migrate" },
    { "MigrateSetCompressionCache", "virDomainMigrateSetCompressionCache", "domain.migrate" },
    { "MigrateSetMaxDowntime", "virDomainMigrateSetMaxDowntime", "domain.migrate" },
    { "MigrateSetMaxSpeed", "virDomainMigrateSetMaxSpeed", "domain.migrate" },
    { "MigrateStartPostCopy", "virDomainMigrateStartPostCopy", "domain.migrate" },
    { "MigrateToURI3", "virDomainMigrateToURI3", "domain.migrate" },
    { "OpenGraphicsFD", "virDomainOpenGraphicsFD", "domain.open-graphics" },
    { "PinEmulator", "virDomainPinEmulator", "domain.write", api_pin_emulator },
    { "PinIOThread", "virDomainPinIOThread", "domain.write", api_pin_iothread },
    { "PinVcpu", "virDomainPinVcpuFlags", "domain.write", api_pin_vcpu },
    { "PMWakeup", "virDomainPMWakeup", "domain.pm-control", pm_wakeup },
    { "Reboot", "virDomainReboot", "domain.init-control", reboot },
    { "Rename", "virDomainRename", "domain.write", rename_domain },
    { "Reset", "virDomainReset", "domain.reset", reset },
    { "Resume", "virDomainResume", "domain.suspend", resume },
    { "Save", "virDomainSaveFlags", "domain.hibernate", api_domain_save },
    { "SendKey", "virDomainSendKey", "domain.send-input", send_key },
    { "SendProcessSignal", "virDomainSendProcessSignal", "domain.send-signal",
      .test = api_test_send_process_signal },
    { "SetBlockIOParameters", "virDomainSetBlkioParameters", "domain.write", api_set_blkio },
    { "SetBlockIOTune", "virDomainSetBlockIoTune", "domain.write", api_set_iotune },
    { "SetBlockThreshold", "virDomainSetBlockThreshold", "domain.write",
      set_block_threshold },
    { "SetGuestVcpus", "virDomainSetGuestVcpus", "domain.write", api_set_guest_vcpus },
    { "SetInterfaceParameters", "virDomainSetInterfaceParameters", "domain.write",
      api_set_interface_parameters },
    { "SetMemory", "virDomainSetMemoryFlags", "domain.write", set_memory },
    { "SetMemoryParameters", "virDomainSetMemoryParameters", "domain.write",
      api_set_memory_parameters },
    { "SetMemoryStatsPeriod", "virDomainSetMemoryStatsPeriod", "domain.write",
      set_memory_stats_period },
    { "SetMetadata", "virDomainSetMetadata", "domain.write", set_metadata },
    { "SetNumaParameters", "virDomainSetNumaParameters", "domain.write", api_set_numa },
    { "SetPerfEvents", "virDomainSetPerfEvents", "domain.write" },
    { "SetSchedulerParameters", "virDomainSetSchedulerParametersFlags", "domain.write",
      api_set_scheduler },
    { "SetUserPassword", "virDomainSetUserPassword", "domain.set-password", api_set_user_password },
    { "SetTime", "virDomainSetTime", "domain.set-time", api_set_time },
    { "SetVcpus", "virDomainSetVcpusFlags", "domain.write", set_vcpus },
    { "Shutdown", "virDomainShutdownFlags", "domain.init-control", shutdown_guest },
    { "SnapshotCurrent", "virDomainSnapshotCurrent", "domain.read", api_snapshot_current },
    { "SnapshotCreateXML", "virDomainSnapshotCreateXML", "domain.snapshot",
      api_snapshot_create },
    { "SnapshotLookupByName", "virDomainSnapshotLookupByName", "domain.read",
      api_snapshot_lookup },
    { "Suspend", "virDomainSuspend", "domain.suspend", suspend },
    { "Undefine", "virDomainUndefineFlags", "domain.delete", undefine },
    { "UpdateDevice", "virDomainUpdateDeviceFlags", "domain.write", update_device },
    { NULL },
};

const Interface api_domain = { "org.libvirt.Domain", methods, properties };
