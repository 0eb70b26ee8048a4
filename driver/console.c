#include "driver/console.h"

#include "driver/device-channel.h"
#include "driver/device-chardev.h"
#include "driver/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct Session Session;

/* One direction: reads when what it read last has gone out. */
typedef struct Flow {
    Session *session;
    int from, to;
    guint source; /* of whichever side we wait for */
    char bytes[4096];
    gsize begin, end;
} Flow;

struct Session {
    ConsoleSet *set;
    char *alias;
    int pty, client;
    Flow in, out;
};

struct ConsoleSet {
    GHashTable *sessions; /* by alias; owns them */
};

static void
session_free(gpointer data)
{
    Session *session = data;

    g_clear_handle_id(&session->in.source, g_source_remove);
    g_clear_handle_id(&session->out.source, g_source_remove);
    close(session->pty);
    close(session->client);
    g_free(session->alias);
    g_free(session);
}

static void
session_end(Session *session)
{
    g_hash_table_remove(session->set->sessions, session->alias);
}

static void flow_wait(Flow *flow);

/* FALSE: the session is over. */
static gboolean
flow_move(Flow *flow)
{
    ssize_t n;

    if (flow->begin == flow->end) {
        n = read(flow->from, flow->bytes, sizeof(flow->bytes));
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return FALSE;
        flow->begin = 0;
        flow->end = MAX(n, 0);
    }
    if (flow->begin < flow->end) {
        n = write(flow->to, flow->bytes + flow->begin, flow->end - flow->begin);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return FALSE;
        flow->begin += MAX(n, 0);
    }
    return TRUE;
}

static gboolean
flow_ready(int fd, GIOCondition condition, gpointer data)
{
    Flow *flow = data;

    flow->source = 0;
    if (flow_move(flow))
        flow_wait(flow);
    else
        session_end(flow->session);
    return G_SOURCE_REMOVE;
}

static void
flow_wait(Flow *flow)
{
    gboolean writing = flow->begin < flow->end;

    flow->source = g_unix_fd_add(writing ? flow->to : flow->from,
                                 writing ? G_IO_OUT : G_IO_IN | G_IO_HUP, flow_ready, flow);
}

static void
flow_start(Flow *flow, Session *session, int from, int to)
{
    flow->session = session;
    flow->from = from;
    flow->to = to;
    flow_wait(flow);
}

ConsoleSet *
console_set_new(void)
{
    ConsoleSet *set = g_new0(ConsoleSet, 1);

    set->sessions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, session_free);
    return set;
}

void
console_set_free(ConsoleSet *set)
{
    if (!set)
        return;
    g_hash_table_unref(set->sessions);
    g_free(set);
}

static const Device *
find_device(const DomainDef *def, const char *device, GError **error)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        if (device_is_chardev(dev) &&
            (device ? g_strcmp0(dev->alias, device) == 0 : dev->kind != &device_channel))
            return dev;
    }
    driver_error(error, VIR_ERR_INTERNAL_ERROR, "cannot find console device '%s'",
                 device ? device : "<default>");
    return NULL;
}

static int
open_pty(const Device *dev, GError **error)
{
    const char *path = device_chardev_pty(dev);
    int fd;

    if (!path) {
        driver_error(error, VIR_ERR_INTERNAL_ERROR, "character device %s is not using a PTY",
                     dev->alias);
        return -1;
    }
    fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        driver_error_errno(error, errno, "cannot open the terminal '%s'", path);
    return fd;
}

static int
session_start(ConsoleSet *set, const char *alias, int pty, GError **error)
{
    Session *session;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
        driver_error_errno(error, errno, "cannot make a socket pair");
        close(pty);
        return -1;
    }
    session = g_new0(Session, 1);
    session->set = set;
    session->alias = g_strdup(alias);
    session->pty = pty;
    session->client = ends[0];
    flow_start(&session->in, session, session->client, pty);
    flow_start(&session->out, session, pty, session->client);
    fcntl(ends[1], F_SETFL,
          fcntl(ends[1], F_GETFL) & ~O_NONBLOCK); /* what a client expects of a stream */
    g_hash_table_insert(set->sessions, session->alias, session);
    return ends[1];
}

int
console_open(ConsoleSet *set, const DomainDef *def, const char *device, gboolean force,
             GError **error)
{
    const Device *dev = find_device(def, device, error);
    int pty;

    if (!dev)
        return -1;
    if (!force && g_hash_table_contains(set->sessions, dev->alias)) {
        driver_error(error, VIR_ERR_OPERATION_FAILED,
                     "Active console session exists for this domain");
        return -1;
    }
    pty = open_pty(dev, error);
    if (pty < 0)
        return -1;
    g_hash_table_remove(set->sessions, dev->alias);
    return session_start(set, dev->alias, pty, error);
}
