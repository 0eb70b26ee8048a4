#include "driver/guest-news.h"

#include "driver/agent.h"
#include "driver/device-channel.h"
#include "driver/device-controller.h"
#include "driver/device-disk.h"
#include "driver/device-memballoon.h"
#include "driver/device-watchdog.h"
#include "driver/disk-resize.h"
#include "driver/guest-clock.h"
#include "driver/hotplug.h"
#include "driver/iothreads.h"
#include "driver/save.h"

#include <stdio.h>
#include <string.h>

/* Channels */

static gboolean
is_agent(const Device *channel)
{
    return g_strcmp0(device_channel_name(channel), CHANNEL_AGENT) == 0;
}

static void
channel_opened(Domain *domain, const char *controller, guint64 port, gboolean open)
{
    Device *channel = device_channel_at(domain->live->devices, controller, port);

    gboolean news = channel && device_channel_set_open(channel, open);

    if (!channel || !is_agent(channel))
        return;
    if (open)
        agent_opened(domain); /* no news to a daemon that started meanwhile, which has to connect */
    else
        agent_closed(domain);
    if (!news)
        return;
    domain_tell(domain, agent,
                open ? VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
                     : VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
                VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL);
}

static void
heard_port(Domain *domain, VmmMsg *event)
{
    const char *id = "";
    guint64 port = 0;
    bool open = false;

    if (vmm_msg_get_string(event, "id", &id) && vmm_msg_get_u64(event, "port", &port) &&
        vmm_msg_get_bool(event, "open", &open))
        channel_opened(domain, id, port, open);
}

void
guest_news_started(Domain *domain)
{
    const GPtrArray *devices = domain->live->devices;

    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);

        if (dev->kind == &device_channel && is_agent(dev))
            domain_tell(domain, agent, VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
                        VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED);
    }
}

/* The balloon */

/* @size: bytes that the guest gave back; it may claim anything. */
static void
balloon_is(Domain *domain, guint64 size)
{
    DomainDef *live = domain->live;
    guint64 kib = live->memory_kib - MIN(size / 1024, live->memory_kib);

    if (kib == live->current_memory_kib)
        return;
    live->current_memory_kib = kib;
    domain_tell(domain, balloon, kib);
}

static void
heard_balloon(Domain *domain, VmmMsg *event)
{
    guint64 size;

    if (vmm_msg_get_u64(event, "size", &size))
        balloon_is(domain, size);
}

/* Devices that look after a guest in trouble */

/* What the machine did about it follows. */
static void
heard_watchdog(Domain *domain, VmmMsg *event)
{
    const char *action = "";
    int number;

    vmm_msg_get_string(event, "action", &action);
    number = device_watchdog_event(action);
    if (number >= 0)
        domain_tell(domain, watchdog, number);
}

static void
heard_crash_loaded(Domain *domain, VmmMsg *event)
{
    domain_emit(domain, VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_CRASHLOADED);
}

/* Disks */

static const Device *
disk_of(const Domain *domain, VmmMsg *event)
{
    const char *id = "";

    vmm_msg_get_string(event, "device", &id);
    for (guint i = 0; i < domain->live->devices->len; i++) {
        const Device *dev = g_ptr_array_index(domain->live->devices, i);

        if (dev->kind == &device_disk && g_strcmp0(dev->alias, id) == 0)
            return dev;
    }
    return NULL;
}

static int
io_error_action(const char *action)
{
    return strcmp(action, VMM_ACTION_PAUSE) == 0 ? VIR_DOMAIN_EVENT_IO_ERROR_PAUSE
           : strcmp(action, "ignore") == 0       ? VIR_DOMAIN_EVENT_IO_ERROR_NONE
                                                 : VIR_DOMAIN_EVENT_IO_ERROR_REPORT;
}

static void
heard_io_error(Domain *domain, VmmMsg *event)
{
    const Device *disk = disk_of(domain, event);
    const char *action = "", *error = "", *path;

    if (!disk)
        return;
    vmm_msg_get_string(event, "action", &action);
    vmm_msg_get_string(event, "error", &error);
    path = device_disk_source(disk);
    domain_tell(domain, io_error, path ? path : "", disk->alias,
                io_error_action(action), strcmp(error, "enospc") == 0 ? "enospc" : "");
}

static void
heard_threshold(Domain *domain, VmmMsg *event)
{
    const Device *disk = disk_of(domain, event);
    guint64 threshold = 0, excess = 0;
    const char *path = disk ? device_disk_source(disk) : NULL;

    if (!disk)
        return;
    vmm_msg_get_u64(event, "threshold", &threshold);
    vmm_msg_get_u64(event, "excess", &excess);
    domain_tell(domain, block_threshold, device_disk_target(disk), path ? path : "", threshold,
                excess);
}

static const struct {
    const char *event;
    void (*hear)(Domain *domain, VmmMsg *event);
} news[] = {
    { VMM_EVENT_PORT, heard_port },
    { VMM_EVENT_BALLOON, heard_balloon },
    { VMM_EVENT_DEVICE_REMOVED, hotplug_removed },
    { VMM_EVENT_WATCHDOG, heard_watchdog },
    { VMM_EVENT_CRASH_LOADED, heard_crash_loaded },
    { VMM_EVENT_JOB_ENDED, save_job_ended },
    { VMM_EVENT_IO_ERROR, heard_io_error },
    { VMM_EVENT_BLOCK_THRESHOLD, heard_threshold },
    { VMM_EVENT_RESIZED, disk_resized },
    { VMM_EVENT_RTC_CHANGE, guest_clock_heard },
};

void
guest_news(Domain *domain, VmmMsg *event)
{
    for (gsize i = 0; i < G_N_ELEMENTS(news); i++) {
        if (strcmp(news[i].event, vmm_msg_name(event)) == 0)
            news[i].hear(domain, event);
    }
}

/* After a restart: one question to each device that may have news. */

typedef struct Question {
    Domain *domain;
    char *alias;
} Question;

static void
question_free(Question *question)
{
    domain_unref(question->domain);
    g_free(question->alias);
    g_free(question);
}

static void
hear_balloon(Question *question, VmmMsg *reply)
{
    heard_balloon(question->domain, reply);
}

static void
hear_ports(Question *question, VmmMsg *reply)
{
    for (gsize i = 0; vmm_msg_key(reply, i); i++) {
        const char *key = vmm_msg_key(reply, i);
        bool open = false;
        unsigned port;

        if (sscanf(key, "port-%u-", &port) == 1 && g_str_has_suffix(key, "-guest-open") &&
            vmm_msg_get_bool(reply, key, &open))
            channel_opened(question->domain, question->alias, port, open);
    }
}

static void
answered_balloon(gpointer data, VmmMsg *reply, const GError *error)
{
    Question *question = data;

    if (reply && question->domain->live)
        hear_balloon(question, reply);
    question_free(question);
}

static void
answered_ports(gpointer data, VmmMsg *reply, const GError *error)
{
    Question *question = data;

    if (reply && question->domain->live)
        hear_ports(question, reply);
    question_free(question);
}

static void
ask(Domain *domain, VmmLink *link, const Device *dev, VmmLinkReply reply)
{
    VmmMsg *request = vmm_link_request(link, VMM_TELL_DEVICE);
    Question *question = g_new(Question, 1);

    *question = (Question){ domain_ref(domain), g_strdup(dev->alias) };
    vmm_msg_put_string(request, "id", dev->alias);
    vmm_link_send(link, request, VMM_LINK_TIMEOUT_MS, reply, question);
}

void
guest_news_refresh(Domain *domain)
{
    VmmLink *link = domain->guest ? guest_link(domain->guest) : NULL;
    const GPtrArray *devices = domain->live->devices;
    const Device *balloon = device_memballoon_find(devices);

    if (!link)
        return;
    iothreads_refresh(domain);
    guest_clock_refresh(domain);
    if (balloon)
        ask(domain, link, balloon, answered_balloon);
    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);

        if (device_is_virtio_serial(dev))
            ask(domain, link, dev, answered_ports);
    }
}
