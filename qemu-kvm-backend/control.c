#include "qemu-kvm-backend/control.h"

#include "qemu-kvm-backend/confine.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/signals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUESTS_PER_WAKE 16 /* then other sources get their turn */

struct Control {
    Loop *loop;
    Machine *machine;
    int listener;
    LoopSource *listening;
    int conn; /* -1: nobody */
    LoopSource *serving;
    VmmMsg *queue[CONTROL_QUEUE_MAX]; /* oldest first */
    size_t n_queued;
};

typedef struct Verb {
    const char *name;
    bool (*serve)(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err);
} Verb;

static bool
serve_hello(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    vmm_msg_put_u64(reply, "version", VMM_PROTO_VERSION);
    vmm_msg_put_string(reply, "state", machine_state(machine));
    vmm_msg_put_string(reply, "reason", machine_reason(machine));
    vmm_msg_put_string(reply, "confined", confine_summary());
    return true;
}

static bool
serve_create(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_create(machine, request, err);
}

static bool
serve_add_device(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_add_device(machine, request, err);
}

static bool
serve_remove_device(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_remove_device(machine, request, err);
}

static bool
serve_run(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_run(machine, err);
}

static bool
serve_pause(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_pause(machine, err);
}

static bool
serve_wakeup(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_wakeup(machine, err);
}

static bool
serve_reset(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_reset(machine, err);
}

static bool
serve_power_button(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_power_button(machine, request, err);
}

static bool
serve_inject_nmi(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_inject_nmi(machine, err);
}

static bool
serve_peek(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_peek(machine, request, err);
}

static bool
serve_stats(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_stats(machine, reply, err);
}

static bool
serve_set_action(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_set_action(machine, request, err);
}

static bool
serve_set_memory_nodes(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_set_memory_nodes(machine, request, err);
}

static bool
serve_tell_device(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_tell_device(machine, request, reply, err);
}

static bool
serve_add_iothread(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_add_iothread(machine, request, err);
}

static bool
serve_remove_iothread(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_remove_iothread(machine, request, err);
}

static bool
serve_tell_iothread(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_tell_iothread(machine, request, reply, err);
}

static bool
serve_save(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_save(machine, request, err);
}

static bool
serve_restore(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_restore(machine, request, err);
}

static bool
serve_cancel_job(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    machine_cancel_job(machine);
    return true;
}

static bool
serve_track_dirty(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_track_dirty(machine, request, err);
}

static bool
serve_take_dirty(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    return machine_take_dirty(machine, reply, err);
}

static bool
serve_quit(Machine *machine, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    machine_quit(machine);
    return true;
}

static const Verb verbs[] = {
    { VMM_HELLO, serve_hello },
    { VMM_CREATE, serve_create },
    { VMM_ADD_DEVICE, serve_add_device },
    { VMM_REMOVE_DEVICE, serve_remove_device },
    { VMM_RUN, serve_run },
    { VMM_PAUSE, serve_pause },
    { VMM_WAKEUP, serve_wakeup },
    { VMM_RESET, serve_reset },
    { VMM_POWER_BUTTON, serve_power_button },
    { VMM_INJECT_NMI, serve_inject_nmi },
    { VMM_PEEK, serve_peek },
    { VMM_STATS, serve_stats },
    { VMM_SET_ACTION, serve_set_action },
    { VMM_SET_MEMORY_NODES, serve_set_memory_nodes },
    { VMM_TELL_DEVICE, serve_tell_device },
    { VMM_ADD_IOTHREAD, serve_add_iothread },
    { VMM_REMOVE_IOTHREAD, serve_remove_iothread },
    { VMM_TELL_IOTHREAD, serve_tell_iothread },
    { VMM_SAVE, serve_save },
    { VMM_RESTORE, serve_restore },
    { VMM_CANCEL_JOB, serve_cancel_job },
    { VMM_TRACK_DIRTY, serve_track_dirty },
    { VMM_TAKE_DIRTY, serve_take_dirty },
    { VMM_QUIT, serve_quit },
};

static const Verb *
find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static void
drop_connection(Control *control)
{
    if (control->conn < 0)
        return;
    loop_source_free(control->serving);
    close(control->conn);
    control->serving = NULL;
    control->conn = -1;
    while (control->n_queued > 0)
        vmm_msg_free(control->queue[--control->n_queued]);
    if (strcmp(machine_state(control->machine), VMM_STATE_EMPTY) == 0) {
        log_line("The driver left before it made a machine");
        loop_quit(control->loop);
    }
    loop_source_set_events(control->listening, EPOLLIN);
}

/* While answers wait for the socket, requests wait too. */
static void
watch(Control *control)
{
    loop_source_set_events(control->serving, control->n_queued > 0 ? EPOLLOUT : EPOLLIN);
}

/* True when @msg needs to be kept no longer: it was sent, or never can be. */
static bool
try_send(Control *control, const VmmMsg *msg)
{
    if (vmm_msg_send(control->conn, msg))
        return true;
    if (errno == EAGAIN || errno == ENOBUFS)
        return false;
    log_line("Cannot send '%s': %s", vmm_msg_name(msg), strerrordesc_np(errno));
    return true;
}

static void
flush(Control *control)
{
    size_t sent = 0;

    while (sent < control->n_queued && try_send(control, control->queue[sent]))
        vmm_msg_free(control->queue[sent++]);
    control->n_queued -= sent;
    memmove(control->queue, control->queue + sent, control->n_queued * sizeof(VmmMsg *));
    watch(control);
}

/* Takes @msg over. */
static void
post(Control *control, VmmMsg *msg)
{
    if (control->n_queued == CONTROL_QUEUE_MAX) {
        vmm_msg_free(msg);
        log_line("The driver does not read what it is told: its connection is dropped");
        drop_connection(control);
        return;
    }
    control->queue[control->n_queued++] = msg;
    if (control->n_queued == 1)
        flush(control);
}

void
control_notify(void *data, VmmMsg *event)
{
    Control *control = data;

    if (control->conn >= 0)
        post(control, event);
    else
        vmm_msg_free(event);
}

/* What a machine takes until it has a guest, its memory before all, may take long: whoever wants the end then need not wait. */
static bool
perform(Machine *machine, const Verb *verb, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    bool has_guest = machine_has_guest(machine), good;

    if (!has_guest)
        signals_step_aside();
    good = verb->serve(machine, request, reply, err);
    if (!has_guest)
        signals_step_back();
    return good;
}

/* False with @err too where the answer would not be sent, for who asked would wait for it. */
static bool
serve(Control *control, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    const char *name = vmm_msg_name(request);
    const Verb *verb = find_verb(name);
    size_t size;

    if (!verb)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "There is no request '%s'", name);
    return perform(control->machine, verb, request, reply, err) &&
           (vmm_msg_bytes(reply, &size) ||
            vmm_error(err, VMM_ERROR_FAILED, "The answer to '%s' is too long for a message", name));
}

static VmmMsg *
answer(Control *control, VmmMsg *request)
{
    const char *name = vmm_msg_name(request);
    VmmMsg *reply = vmm_msg_new(VMM_MSG_REPLY, vmm_msg_serial(request), name);
    VmmError err;

    if (serve(control, request, reply, &err))
        return reply;
    vmm_msg_free(reply);
    log_line("%s: error: %s", name, err.text);
    reply = vmm_msg_new(VMM_MSG_ERROR, vmm_msg_serial(request), name);
    vmm_msg_put_string(reply, "text", err.text);
    vmm_msg_put_string(reply, "class", err.kind);
    return reply;
}

/* False when there is nothing more to read now. */
static bool
serve_one(Control *control)
{
    vmm_msg_auto request = vmm_msg_recv(control->conn);

    if (!request) {
        if (errno == EAGAIN)
            return false;
        if (errno)
            log_line("The driver's connection broke: %s", strerrordesc_np(errno));
        drop_connection(control);
        return false;
    }
    if (vmm_msg_kind(request) == VMM_MSG_REQUEST) {
        VmmMsg *reply = answer(control, request);

        if (control->conn >= 0)
            post(control, reply);
        else
            vmm_msg_free(reply); /* an event on the way found the queue full */
    }
    return control->conn >= 0 && control->n_queued == 0;
}

static void
on_connection(void *data, uint32_t events)
{
    Control *control = data;

    if (control->n_queued > 0 && (events & (EPOLLOUT | EPOLLERR)))
        flush(control);
    if (events & EPOLLERR || (events & EPOLLHUP && control->n_queued > 0)) {
        drop_connection(control);
        return;
    }
    if (!(events & (EPOLLIN | EPOLLHUP)))
        return;
    for (unsigned i = 0; i < REQUESTS_PER_WAKE && serve_one(control); i++)
        ;
}

/* The listener may lie in a directory that others can reach: only root and the user that we run as
 * may drive a guest. */
static bool
is_welcome(int conn)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return false;
    if (peer.uid == 0 || peer.uid == geteuid())
        return true;
    log_guest("Refused a connection of user %u", (unsigned)peer.uid);
    return false;
}

static void
on_listener(void *data, uint32_t events)
{
    Control *control = data;
    int conn = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (conn < 0)
        return;
    if (!is_welcome(conn)) {
        close(conn);
        return;
    }
    control->conn = conn;
    control->serving = loop_add_fd(control->loop, conn, EPOLLIN, on_connection, control);
    loop_source_set_events(control->listening, 0); /* the next one waits its turn */
}

Control *
control_new(Loop *loop, int listener)
{
    Control *control = vmm_must(calloc(1, sizeof(*control)));

    control->loop = loop;
    control->listener = listener;
    control->conn = -1;
    control->listening = vmm_must(loop_add_fd(loop, listener, EPOLLIN, on_listener, control));
    return control;
}

void
control_set_machine(Control *control, Machine *machine)
{
    control->machine = machine;
}

void
control_free(Control *control)
{
    if (!control)
        return;
    while (control->n_queued > 0)
        vmm_msg_free(control->queue[--control->n_queued]);
    loop_source_free(control->serving);
    if (control->conn >= 0)
        close(control->conn);
    loop_source_free(control->listening);
    free(control);
}
