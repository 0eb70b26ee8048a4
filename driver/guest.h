/* guest: the process that runs one domain, its control socket and its directory (see guest-files.h).
 */
#pragma once

#include "driver/guest-files.h"
#include "driver/units.h"
#include "driver/vmm-link.h"

#include <glib.h>
#include <libvirt/libvirt.h>

typedef struct Guest Guest;

typedef struct GuestEvents {
    void (*event)(gpointer data, VmmMsg *event);
    void (*exited)(gpointer data); /* the process is gone; comes once, after its last event */
    gpointer data;
    void (*late)(gpointer data); /* it did after all what nobody waited for any more; as above */
    /* It has said what makes no sense, or hung up, and goes on; once for each connection. @sane: it had made sense until then,
     * and may do so again. NULL: it does not matter. */
    void (*lost)(gpointer data, gboolean sane);
} GuestEvents;

/* Makes the directory (emptying a stale one) and the listening socket, connected to; no process yet. */
Guest *guest_new(const char *run_dir, const char *uuid, const GuestEvents *events, GError **error);
/* Starts @vmm with the listener and @log_fd (borrowed) as its standard error. */
gboolean guest_spawn(Guest *guest, const char *vmm, int log_fd, GError **error);
/* The same with the process behind @call, which becomes @vmm. */
gboolean guest_take(Guest *guest, UnitCall *call, const char *vmm, int log_fd, GError **error);
/* Allows the process to lock @bytes of its memory, beside what it may anyway. */
gboolean guest_allow_locked(Guest *guest, guint64 bytes, GError **error);
/* Finds the process of @status, and connects to it, which a process that hangs or ends refuses: then there is no link. NULL
 * where it is gone, or another one; the directory stays, for guest_read_record(). */
Guest *guest_adopt(const char *run_dir, const char *uuid, const GuestStatus *status,
                   const GuestEvents *events);

const char *guest_dir(const Guest *guest);
/* Where its <vsock> has its sockets, see vsock-host.h. */
const char *guest_vsock_dir(const Guest *guest);
/* Its room on the host, which need not be there yet and is removed with the directory; NULL: none. Takes @room over. */
gboolean guest_set_room(Guest *guest, Cgroup *room, GError **error);
const Cgroup *guest_room(const Guest *guest);
pid_t guest_pid(const Guest *guest);
/* How the process ended, to follow "the guest's process"; NULL where it has not, ended as it should, or
 * was started by an earlier daemon, so that nobody knows. */
const char *guest_end(const Guest *guest);
/* The link, connected anew where it had closed; NULL where the process cannot be reached. */
VmmLink *guest_link(Guest *guest);
/* A new descriptor of the record file, for the VMM. */
int guest_open_record(Guest *guest, GError **error);

/* It was lost, and has said nothing since. */
gboolean guest_is_lost(const Guest *guest);

/* Ends the process at once; exited comes when it is gone. */
void guest_kill(Guest *guest);
/* Lets go of a guest; the process goes on, where it still runs. NULL is allowed. */
void guest_free(Guest *guest);

/* CPU time, in ns; a simulated guest's is the time that it has run. FALSE: its process is gone. */
gboolean guest_cpu_times(const Guest *guest, guint64 *ret_user_ns, guint64 *ret_system_ns);

/* The process' identity for a status, from its pid; 0 where there is none. */
guint64 guest_start_time(pid_t pid);
