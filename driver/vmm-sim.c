#include "driver/vmm-sim.h"

#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

struct VmmSim {
    int fd;
    guint source, exit_source;
    const char *state;     /* VMM_STATE_* */
    gint64 since_us;       /* of running, monotonic; of no meaning in other states */
    guint64 ran_us;        /* before */
    GHashTable *devices;   /* the ids: a set */
    char *on_poweroff;     /* VMM_ACTION_* */
    void (*exited)(gpointer data);
    gpointer data;
};

static gboolean
is_in(const VmmSim *sim, const char *state)
{
    return strcmp(sim->state, state) == 0;
}

static void
move(VmmSim *sim, const char *state)
{
    gint64 now = g_get_monotonic_time();

    if (is_in(sim, VMM_STATE_RUNNING))
        sim->ran_us += now - sim->since_us;
    sim->since_us = now;
    sim->state = state;
}

guint64
vmm_sim_run_ns(const VmmSim *sim)
{
    guint64 us = sim->ran_us;

    if (is_in(sim, VMM_STATE_RUNNING))
        us += g_get_monotonic_time() - sim->since_us;
    return us * 1000;
}

/* The driver's end is in the same process: a socket that is full or closed is told to the link, too. */
static void
tell(VmmSim *sim, VmmMsg *msg)
{
    if (!vmm_msg_send(sim->fd, msg))
        g_warning("A simulated guest cannot tell '%s': %s", vmm_msg_name(msg), g_strerror(errno));
    vmm_msg_free(msg);
}

static void
tell_reason(VmmSim *sim, const char *event, const char *reason)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_EVENT, 0, event);

    vmm_msg_put_string(msg, "reason", reason);
    if (strcmp(event, VMM_EVENT_STOPPED) == 0) {
        vmm_msg_put_string(msg, "state", VMM_STATE_STOPPED);
        vmm_msg_put_string(msg, "text", "");
    }
    tell(sim, msg);
}

static gboolean
exit_now(gpointer data)
{
    VmmSim *sim = data;

    sim->exit_source = 0;
    sim->exited(sim->data);
    return G_SOURCE_REMOVE;
}

/* Below the link's priority, so that the last event is heard first. */
void
vmm_sim_kill(VmmSim *sim)
{
    move(sim, VMM_STATE_STOPPED);
    if (!sim->exit_source)
        sim->exit_source = g_idle_add_full(G_PRIORITY_DEFAULT + 1, exit_now, sim, NULL);
}

/* Verbs. Each answers NULL, or VMM_ERROR_*. What it tells besides the reply comes from the second function, after
 * the reply. */

static const char *
set_action(VmmSim *sim, VmmMsg *request, VmmMsg *reply)
{
    const char *action;

    if (vmm_msg_get_string(request, "on-poweroff", &action)) {
        g_free(sim->on_poweroff);
        sim->on_poweroff = g_strdup(action);
    }
    return NULL;
}

static const char *
create(VmmSim *sim, VmmMsg *request, VmmMsg *reply)
{
    move(sim, VMM_STATE_CREATED);
    return set_action(sim, request, reply);
}

static const char *
hello(VmmSim *sim, VmmMsg *request, VmmMsg *reply)
{
    vmm_msg_put_u64(reply, "version", VMM_PROTO_VERSION);
    vmm_msg_put_string(reply, "state", sim->state);
    vmm_msg_put_string(reply, "reason", VMM_REASON_USER);
    return NULL;
}

static const char *
add_device(VmmSim *sim, VmmMsg *request, VmmMsg *reply)
{
    const char *id = "";

    vmm_msg_get_string(request, "id", &id);
    g_hash_table_add(sim->devices, g_strdup(id)); /* a console that mirrors a serial port has its id */
    return NULL;
}

static const char *
remove_device(VmmSim *sim, VmmMsg *request, VmmMsg *reply)
{
    const char *id = "";

    vmm_msg_get_string(request, "id", &id);
    return g_hash_table_remove(sim->devices, id) ? NULL : VMM_ERROR_INVALID;
}

static void
removed_device(VmmSim *sim, VmmMsg *request)
{
    VmmMsg *event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_DEVICE_REMOVED);
    const char *id = "";

    vmm_msg_get_string(request, "id", &id);
    vmm_msg_put_string(event, "id", id);
    tell(sim, event);
}

static const char *
run(VmmSim *sim, VmmMsg *request, VmmMsg *reply)
{
    move(sim, VMM_STATE_RUNNING);
    return NULL;
}

static const char *
halt(VmmSim *sim, VmmMsg *request, VmmMsg *reply)
{
    move(sim, VMM_STATE_PAUSED);
    return NULL;
}

/* There is nothing in what was saved but the document, which the driver has read. */
static void
restored(VmmSim *sim, VmmMsg *request)
{
    VmmMsg *event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_JOB_ENDED);

    vmm_msg_put_string(event, "job", "restore");
    vmm_msg_put_string(event, "outcome", VMM_OUTCOME_COMPLETED);
    tell(sim, event);
}

static const char *
accept_only(VmmSim *sim, VmmMsg *request, VmmMsg *reply)
{
    return NULL;
}

static void
reset_done(VmmSim *sim, VmmMsg *request)
{
    tell_reason(sim, VMM_EVENT_RESET, VMM_REASON_RESET);
}

static const char *
power_button(VmmSim *sim, VmmMsg *request, VmmMsg *reply)
{
    return is_in(sim, VMM_STATE_RUNNING) ? NULL : VMM_ERROR_STATE;
}

/* The guest obeys at once. */
static void
power_button_pressed(VmmSim *sim, VmmMsg *request)
{
    const char *then = sim->on_poweroff;

    vmm_msg_get_string(request, "then", &then);
    if (strcmp(then, VMM_ACTION_RESET) == 0) {
        tell_reason(sim, VMM_EVENT_RESET, VMM_REASON_RESET);
    } else if (strcmp(then, VMM_ACTION_PAUSE) == 0) {
        move(sim, VMM_STATE_PAUSED);
        tell_reason(sim, VMM_EVENT_PAUSED, VMM_REASON_POWEROFF);
    } else {
        tell_reason(sim, VMM_EVENT_STOPPED, VMM_REASON_POWEROFF);
        vmm_sim_kill(sim);
    }
}

static const char *
stats(VmmSim *sim, VmmMsg *request, VmmMsg *reply)
{
    guint64 time = GUINT64_TO_LE(vmm_sim_run_ns(sim));

    vmm_msg_put_bytes(reply, "vcpu-times", &time, sizeof(time));
    return NULL;
}

/* Each byte of its memory tells the lowest byte of its own address. */
static const char *
peek(VmmSim *sim, VmmMsg *request, VmmMsg *reply)
{
    guint64 address = 0, size = 0;
    g_autofree guint8 *bytes = NULL;
    gssize written;
    int fd;

    if (!vmm_msg_take_fd(request, "to", &fd))
        return VMM_ERROR_INVALID;
    vmm_msg_get_u64(request, "address", &address);
    vmm_msg_get_u64(request, "size", &size);
    bytes = g_malloc(MAX(size, 1));
    for (guint64 i = 0; i < size; i++)
        bytes[i] = address + i;
    written = pwrite(fd, bytes, size, 0);
    close(fd);
    return written == (gssize)size ? NULL : VMM_ERROR_INVALID;
}

/* Of all devices only a balloon is told a target, and only a disk another size. */
static const char *
tell_device(VmmSim *sim, VmmMsg *request, VmmMsg *reply)
{
    const char *id = "";
    guint64 target = 0;

    vmm_msg_get_string(request, "id", &id);
    if (!g_hash_table_contains(sim->devices, id))
        return VMM_ERROR_INVALID;
    vmm_msg_get_u64(request, "target", &target);
    vmm_msg_get_u64(request, "new-size", &target);
    vmm_msg_put_u64(reply, "target", target);
    vmm_msg_put_u64(reply, "size", target);
    vmm_msg_put_u64(reply, "stats-time", 0);
    return NULL;
}

static void
told_device(VmmSim *sim, VmmMsg *request)
{
    VmmMsg *event;
    const char *id = "";
    guint64 target;

    if (!vmm_msg_get_u64(request, "target", &target))
        return;
    vmm_msg_get_string(request, "id", &id);
    event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_BALLOON);
    vmm_msg_put_string(event, "id", id);
    vmm_msg_put_u64(event, "size", target);
    tell(sim, event);
}

static void
quit(VmmSim *sim, VmmMsg *request)
{
    vmm_sim_kill(sim);
}

static const struct {
    const char *verb;
    const char *(*serve)(VmmSim *sim, VmmMsg *request, VmmMsg *reply);
    void (*after)(VmmSim *sim, VmmMsg *request); /* NULL: nothing more */
} verbs[] = {
    { VMM_HELLO, hello },
    { VMM_CREATE, create },
    { VMM_ADD_DEVICE, add_device },
    { VMM_REMOVE_DEVICE, remove_device, removed_device },
    { VMM_RESTORE, halt, restored },
    { VMM_RUN, run },
    { VMM_PAUSE, halt },
    { VMM_RESET, accept_only, reset_done },
    { VMM_POWER_BUTTON, power_button, power_button_pressed },
    { VMM_INJECT_NMI, accept_only },
    { VMM_STATS, stats },
    { VMM_PEEK, peek },
    { VMM_SET_ACTION, set_action },
    { VMM_SET_MEMORY_NODES, accept_only },
    { VMM_TELL_DEVICE, tell_device, told_device },
    { VMM_ADD_IOTHREAD, accept_only },
    { VMM_REMOVE_IOTHREAD, accept_only },
    { VMM_TELL_IOTHREAD, accept_only },
    { VMM_QUIT, accept_only, quit },
};

static void
refuse(VmmSim *sim, VmmMsg *request, const char *kind)
{
    VmmMsg *reply = vmm_msg_new(VMM_MSG_ERROR, vmm_msg_serial(request), vmm_msg_name(request));
    g_autofree char *text =
        g_strdup_printf("a simulated guest cannot '%s'", vmm_msg_name(request));

    vmm_msg_put_string(reply, "class", kind);
    vmm_msg_put_string(reply, "text", text);
    tell(sim, reply);
}

static void
serve(VmmSim *sim, VmmMsg *request)
{
    VmmMsg *reply = vmm_msg_new(VMM_MSG_REPLY, vmm_msg_serial(request), vmm_msg_name(request));
    const char *kind = VMM_ERROR_UNSUPPORTED;
    gsize i = 0;

    while (i < G_N_ELEMENTS(verbs) && strcmp(verbs[i].verb, vmm_msg_name(request)) != 0)
        i++;
    if (i < G_N_ELEMENTS(verbs))
        kind = verbs[i].serve(sim, request, reply);
    if (kind) {
        vmm_msg_free(reply);
        refuse(sim, request, kind);
        return;
    }
    tell(sim, reply);
    if (verbs[i].after)
        verbs[i].after(sim, request);
}

static gboolean
readable(int fd, GIOCondition condition, gpointer data)
{
    VmmSim *sim = data;
    vmm_msg_auto request = vmm_msg_recv(fd);

    if (request) {
        serve(sim, request);
        return G_SOURCE_CONTINUE;
    }
    if (errno == EAGAIN)
        return G_SOURCE_CONTINUE;
    sim->source = 0; /* the driver has hung up: vmm_sim_free() follows */
    return G_SOURCE_REMOVE;
}

VmmSim *
vmm_sim_new(int fd, void (*exited)(gpointer data), gpointer data)
{
    VmmSim *sim = g_new0(VmmSim, 1);

    sim->fd = fd;
    sim->state = VMM_STATE_EMPTY;
    sim->on_poweroff = g_strdup(VMM_ACTION_STOP);
    sim->devices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    sim->exited = exited;
    sim->data = data;
    sim->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, readable, sim);
    return sim;
}

void
vmm_sim_free(VmmSim *sim)
{
    if (!sim)
        return;
    g_clear_handle_id(&sim->source, g_source_remove);
    g_clear_handle_id(&sim->exit_source, g_source_remove);
    g_hash_table_unref(sim->devices);
    g_free(sim->on_poweroff);
    close(sim->fd);
    g_free(sim);
}
