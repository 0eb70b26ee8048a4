#include "driver/units.h"

#include "driver/error.h"
#include "driver/unix-socket.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROCESS_TIMEOUT_S 30 /* for a unit's process to come */

struct UnitCall {
    Units *units;
    int fd;
    guint watch;
    pid_t pid;
    char *name;
};

/* A start that waits for its process, or was given up (ready is NULL): then the process that comes starts nothing. */
typedef struct Waiting {
    Units *units;
    char *domain, *unit;
    guint timeout;
    UnitReady ready;
    gpointer data;
} Waiting;

struct Units {
    int fd;
    guint watch;
    UnitManager manager;
    UnitRequests requests;
    GPtrArray *waiting; /* of Waiting */
    GPtrArray *calls;   /* of UnitCall whose request has not come yet */
};

/* Names */

char *
units_name(const char *domain)
{
    g_autoptr(GString) name = g_string_new("vmctl-guest@");

    for (const char *at = domain; *at; at++) {
        if (*at == '/')
            g_string_append_c(name, '-');
        else if (g_ascii_isalnum(*at) || *at == ':' || *at == '_' || (*at == '.' && at > domain))
            g_string_append_c(name, *at);
        else
            g_string_append_printf(name, "\\x%02x", (guchar)*at);
    }
    return g_strdup_printf("%s.service", name->str);
}

/* Calls */

static void
call_free(UnitCall *call)
{
    g_clear_handle_id(&call->watch, g_source_remove);
    if (call->fd >= 0)
        close(call->fd);
    g_free(call->name);
    g_free(call);
}

pid_t
unit_call_pid(const UnitCall *call)
{
    return call->pid;
}

void
unit_call_answer(UnitCall *call, const GError *error)
{
    vmm_msg_auto reply = vmm_msg_new(error ? VMM_MSG_ERROR : VMM_MSG_REPLY, 1, "answer");

    if (error)
        vmm_msg_put_string(reply, "text", error->message);
    vmm_msg_send(call->fd, reply); /* one who does not wait any more need not hear it */
    call_free(call);
}

void
unit_call_drop(UnitCall *call)
{
    call_free(call);
}

static void
refuse(UnitCall *call, virErrorNumber code, const char *text)
{
    g_autoptr(GError) error = NULL;

    driver_error(&error, code, "%s", text);
    unit_call_answer(call, error);
}

gboolean
unit_call_hand_over(UnitCall *call, const char *vmm, int listener, int log, GError **error)
{
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, "answer");
    gboolean sent;

    vmm_msg_put_string(reply, "vmm", vmm);
    vmm_msg_put_fd(reply, "listener", fcntl(listener, F_DUPFD_CLOEXEC, 3));
    vmm_msg_put_fd(reply, "log", fcntl(log, F_DUPFD_CLOEXEC, 3));
    sent = vmm_msg_send(call->fd, reply);
    if (!sent)
        driver_error_errno(error, errno, "cannot reach the unit's process");
    call_free(call);
    return sent;
}

/* Starts that wait */

static void
waiting_free(Waiting *waiting)
{
    g_clear_handle_id(&waiting->timeout, g_source_remove);
    g_free(waiting->domain);
    g_free(waiting->unit);
    g_free(waiting);
}

/* The only one of the domain. */
static Waiting *
find_waiting(const Units *units, const char *domain)
{
    for (guint i = 0; i < units->waiting->len; i++) {
        Waiting *waiting = g_ptr_array_index(units->waiting, i);

        if (strcmp(waiting->domain, domain) == 0)
            return waiting;
    }
    return NULL;
}

static void
settle(Waiting *waiting, UnitCall *call, const GError *error)
{
    UnitReady ready = waiting->ready;
    gpointer data = waiting->data;

    g_ptr_array_remove_fast(waiting->units->waiting, waiting); /* frees it */
    if (ready)
        ready(data, call, error);
    else if (call)
        refuse(call, VIR_ERR_OPERATION_ABORTED, "the start was given up");
}

static gboolean
timed_out(gpointer data)
{
    Waiting *waiting = data;
    g_autoptr(GError) error = NULL;

    waiting->timeout = 0;
    driver_error(&error, VIR_ERR_OPERATION_TIMEOUT, "the unit '%s' did not start", waiting->unit);
    settle(waiting, NULL, error);
    return G_SOURCE_REMOVE;
}

void
units_request(Units *units, const char *domain, UnitReady ready, gpointer data)
{
    Waiting *given_up = find_waiting(units, domain);
    Waiting *waiting = g_new0(Waiting, 1);

    if (given_up)
        g_ptr_array_remove_fast(units->waiting, given_up);
    *waiting = (Waiting){ .units = units, .ready = ready, .data = data };
    waiting->domain = g_strdup(domain);
    waiting->unit = units_name(domain);
    waiting->timeout = g_timeout_add_seconds(PROCESS_TIMEOUT_S, timed_out, waiting);
    g_ptr_array_add(units->waiting, waiting);
    units->manager.start(units->manager.data, waiting->unit);
}

void
units_cancel(Units *units, gpointer data)
{
    for (guint i = 0; i < units->waiting->len; i++) {
        Waiting *waiting = g_ptr_array_index(units->waiting, i);

        if (waiting->data == data)
            waiting->ready = NULL;
    }
}

void
units_failed(Units *units, const char *unit, const char *text)
{
    for (guint i = 0; i < units->waiting->len; i++) {
        Waiting *waiting = g_ptr_array_index(units->waiting, i);
        g_autoptr(GError) error = NULL;

        if (strcmp(waiting->unit, unit) != 0)
            continue;
        driver_error(&error, VIR_ERR_OPERATION_FAILED, "the unit '%s' did not start: %s", unit,
                     text);
        settle(waiting, NULL, error);
        return;
    }
}

void
units_running(Units *units, const char *name, const char *uuid, int id, pid_t pid)
{
    units->manager.running(units->manager.data, name, uuid, id, pid);
}

/* Requests */

static void
serve_start(Units *units, UnitCall *call)
{
    Waiting *waiting = find_waiting(units, call->name);

    if (waiting)
        settle(waiting, call, NULL);
    else
        units->requests.start(units->requests.data, call->name, call);
}

static void
serve_wait(Units *units, UnitCall *call)
{
    units->requests.wait(units->requests.data, call->name, call);
}

static void
serve_stop(Units *units, UnitCall *call)
{
    units->requests.stop(units->requests.data, call->name, DRIVER_ON_STOP_STOP, call);
}

static void
serve_save(Units *units, UnitCall *call)
{
    units->requests.stop(units->requests.data, call->name, DRIVER_ON_STOP_SAVE, call);
}

static void
serve_suspend(Units *units, UnitCall *call)
{
    units->requests.stop(units->requests.data, call->name, DRIVER_ON_STOP_SUSPEND, call);
}

static void
serve_default(Units *units, UnitCall *call)
{
    units->requests.stop(units->requests.data, call->name, DRIVER_ON_STOP_DEFAULT, call);
}

static const struct {
    const char *name;
    void (*serve)(Units *units, UnitCall *call);
} services[] = {
    { "start", serve_start },
    { "wait", serve_wait },
    { "stop", serve_stop },
    { "save", serve_save },
    { "suspend", serve_suspend },
    { "default", serve_default },
};

static void
serve(Units *units, UnitCall *call, VmmMsg *request)
{
    const char *name;

    if (vmm_msg_get_string(request, "name", &name)) {
        call->name = g_utf8_make_valid(name, -1);
        for (gsize i = 0; i < G_N_ELEMENTS(services); i++) {
            if (strcmp(services[i].name, vmm_msg_name(request)) == 0) {
                services[i].serve(units, call);
                return;
            }
        }
    }
    refuse(call, VIR_ERR_INVALID_ARG, "this is no request of a unit");
}

/* From here on the call belongs to who serves it. */
static void
forget(Units *units, UnitCall *call)
{
    guint i;

    if (g_ptr_array_find(units->calls, call, &i))
        g_ptr_array_steal_index_fast(units->calls, i);
}

static gboolean
call_readable(int fd, GIOCondition condition, gpointer data)
{
    UnitCall *call = data;
    Units *units = call->units;
    vmm_msg_auto request = vmm_msg_recv(fd);

    call->watch = 0;
    forget(units, call);
    if (request)
        serve(units, call, request);
    else
        call_free(call);
    return G_SOURCE_REMOVE;
}

static gboolean
connected(int fd, GIOCondition condition, gpointer data)
{
    Units *units = data;
    struct ucred peer = { 0 };
    socklen_t size = sizeof(peer);
    int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    UnitCall *call;

    if (conn < 0)
        return G_SOURCE_CONTINUE;
    if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid()) {
        close(conn);
        return G_SOURCE_CONTINUE;
    }
    call = g_new0(UnitCall, 1);
    *call = (UnitCall){ .units = units, .fd = conn, .pid = peer.pid };
    g_ptr_array_add(units->calls, call);
    call->watch = g_unix_fd_add(conn, G_IO_IN, call_readable, call);
    return G_SOURCE_CONTINUE;
}

/* The socket */

int
units_listen(const char *run_dir, GError **error)
{
    g_autofree char *path = g_build_filename(run_dir, "units", NULL);

    g_mkdir_with_parents(run_dir, 0700);
    return unix_socket_listen(path, SOCK_SEQPACKET, SOMAXCONN, error);
}

Units *
units_new(int fd, const UnitManager *manager, const UnitRequests *requests)
{
    Units *units = g_new0(Units, 1);

    units->fd = fd;
    units->manager = *manager;
    units->requests = *requests;
    units->waiting = g_ptr_array_new_with_free_func((GDestroyNotify)waiting_free);
    units->calls = g_ptr_array_new_with_free_func((GDestroyNotify)call_free);
    units->watch = g_unix_fd_add(fd, G_IO_IN, connected, units);
    return units;
}

void
units_free(Units *units)
{
    if (!units)
        return;
    g_source_remove(units->watch);
    close(units->fd);
    g_ptr_array_unref(units->waiting);
    g_ptr_array_unref(units->calls);
    g_free(units);
}
