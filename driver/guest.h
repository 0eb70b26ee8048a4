/* guest: the process that runs one domain, its control socket and its directory.
 *
 * RUN_DIR/guests/UUID holds `control` (the socket), `status` (who runs there: see GuestStatus),
 * `live.xml` (the definition that runs), `record` (the VMM's last words), `saving` (while it is saved), in
 * `channel` the sockets of channels that have no path of their own, and `cgroup` (where its room is). All of it
 * is what a restarted daemon needs to find the guest again; guest_discard() takes it away when the guest is over.
 */
#pragma once

#include "driver/cgroup.h"
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
} GuestEvents;

/* What `status` says. */
typedef struct GuestStatus {
    int id;
    pid_t pid;
    guint64
        start_time; /* of the process, in clock ticks since boot: tells it from a later namesake */
    int state, reason; /* virDomainState and reason */
    gboolean updated;  /* the persistent definition was defined anew since the start */
} GuestStatus;

/* What the VMM wrote before it exited. */
typedef struct GuestRecord {
    char *state, *reason, *text;
} GuestRecord;
void guest_record_clear(GuestRecord *record);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GuestRecord, guest_record_clear)

/* Makes the directory (emptying a stale one) and the listening socket, connected to; no process yet. */
Guest *guest_new(const char *run_dir, const char *uuid, const GuestEvents *events, GError **error);
/* Starts @vmm with the listener and @log_fd (borrowed) as its standard error. */
gboolean guest_spawn(Guest *guest, const char *vmm, int log_fd, GError **error);
/* The same with the process behind @call, which becomes @vmm. */
gboolean guest_take(Guest *guest, UnitCall *call, const char *vmm, int log_fd, GError **error);
/* Allows the process to lock @bytes of its memory, beside what it may anyway. */
gboolean guest_allow_locked(Guest *guest, guint64 bytes, GError **error);
/* Finds the process of @status and connects to it; NULL where it is gone or another one, then the
 * directory stays, for guest_read_record(). */
Guest *guest_adopt(const char *run_dir, const char *uuid, const GuestStatus *status,
                   const GuestEvents *events, GError **error);

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

/* Ends the process at once; exited comes when it is gone. */
void guest_kill(Guest *guest);
/* Lets go of a guest; the process goes on, where it still runs. NULL is allowed. */
void guest_free(Guest *guest);

/* CPU time, in ns; a simulated guest's is the time that it has run. FALSE: its process is gone. */
gboolean guest_cpu_times(const Guest *guest, guint64 *ret_user_ns, guint64 *ret_system_ns);

gboolean guest_write_status(const char *run_dir, const char *uuid, const GuestStatus *status,
                            GError **error);
gboolean guest_read_status(const char *run_dir, const char *uuid, GuestStatus *ret, GError **error);
/* The same from the text of the file. A status that an older daemon wrote is read, a newer one's is not. */
gboolean guest_parse_status(const char *text, gsize size, GuestStatus *ret, GError **error);
gboolean guest_parse_record(const char *text, GuestRecord *ret);
gboolean guest_write_live(const char *run_dir, const char *uuid, const char *xml, GError **error);
char *guest_read_live(const char *run_dir, const char *uuid, GError **error);
/* FALSE where the VMM left none. */
gboolean guest_read_record(const char *run_dir, const char *uuid, GuestRecord *ret);
/* While the guest is saved: @temporary is the file that its image is written to, "" where there is none but the
 * image. Reading: NULL where no save was under way. */
gboolean guest_write_saving(const char *run_dir, const char *uuid, const char *temporary,
                            GError **error);
char *guest_read_saving(const char *run_dir, const char *uuid);
void guest_remove_saving(const char *run_dir, const char *uuid);
/* Removes the directory, the sockets of a <vsock>, and the room. */
void guest_discard(const char *run_dir, const char *uuid);
/* The process' identity for a status, from its pid; 0 where there is none. */
guint64 guest_start_time(pid_t pid);
