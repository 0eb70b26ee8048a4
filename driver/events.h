/* events: what happens to domains, for whoever tells clients of it.
 *
 * All come in the main context. @domain is alive for the call; at VIR_DOMAIN_EVENT_UNDEFINED and at the
 * end of a transient domain it is already out of the list. Numbers are libvirt's. NULL: nobody listens.
 */
#pragma once

#include "driver/job-info.h"

#include <glib.h>

struct Domain;
struct HostObject;

typedef enum DeviceEvent {
    DEVICE_EVENT_ADDED,
    DEVICE_EVENT_REMOVED,
    DEVICE_EVENT_REMOVAL_FAILED,
    N_DEVICE_EVENTS
} DeviceEvent;

typedef enum PmEvent {
    PM_EVENT_SUSPEND,
    PM_EVENT_SUSPEND_DISK,
    PM_EVENT_WAKEUP,
    N_PM_EVENTS
} PmEvent;

typedef struct DriverEvents {
    /* virDomainEventType and its detail enums. */
    void (*lifecycle)(gpointer data, struct Domain *domain, int event, int detail);
    void (*reboot)(gpointer data, struct Domain *domain);
    void (*pm)(gpointer data, struct Domain *domain, PmEvent event);
    void (*device)(gpointer data, struct Domain *domain, DeviceEvent event, const char *alias);
    /* virDomainEventTrayChangeReason */
    void (*tray)(gpointer data, struct Domain *domain, const char *alias, int reason);
    void (*watchdog)(gpointer data, struct Domain *domain,
                     int action); /* virDomainEventWatchdogAction */
    /* The guest has set its clock: seconds by which it is ahead of UTC, or, where its <clock> does not vary, of what it
     * showed at first. */
    void (*rtc)(gpointer data, struct Domain *domain, gint64 offset_s);
    /* The driver cannot make sense of a guest's process that is there, or was left by it. */
    void (*control_error)(gpointer data, struct Domain *domain);
    /* The image @before of the drive or disk @alias is missing, so @now is there instead, or nothing (NULL):
     * virConnectDomainEventDiskChangeReason, which says whether the disk is gone with it. */
    void (*disk_change)(gpointer data, struct Domain *domain, const char *before, const char *now,
                        const char *alias, int reason);
    /* The guest has this much RAM now. */
    void (*balloon)(gpointer data, struct Domain *domain, guint64 kib);
    /* The host failed the disk @alias, whose image is @path: virDomainEventIOErrorAction; "enospc" or "". */
    void (*io_error)(gpointer data, struct Domain *domain, const char *path, const char *alias,
                     int action, const char *reason);
    /* Something was written so many bytes behind the threshold of the disk @target's image @path. */
    void (*block_threshold)(gpointer data, struct Domain *domain, const char *target,
                            const char *path, guint64 threshold, guint64 excess);
    /* virConnectDomainEventAgentLifecycleState and -Reason */
    void (*agent)(gpointer data, struct Domain *domain, int state, int reason);
    /* A long job has come to its good end. */
    void (*job)(gpointer data, struct Domain *domain, const JobInfo *info);
    /* virDomainMetadataType; @uri is that of an element's namespace, or "" */
    void (*metadata)(gpointer data, struct Domain *domain, int type, const char *uri);
    /* What was set of a running guest's limits: a{sv} by libvirt's names, VIR_DOMAIN_TUNABLE_*. */
    void (*tunable)(gpointer data, struct Domain *domain, GVariant *params);
    /* A network (virNetworkEventLifecycleType) or a pool (virStoragePoolEventLifecycleType), and that a pool's volumes
     * were looked at anew. */
    void (*host_object)(gpointer data, struct HostObject *object, int event);
    void (*pool_refresh)(gpointer data, struct HostObject *pool);
    gpointer data;
} DriverEvents;
