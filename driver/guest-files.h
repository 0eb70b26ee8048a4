/* guest-files: what is written down of a guest that runs.
 *
 * RUN_DIR/guests/UUID holds `control` (the socket), `status` (who runs there: see GuestStatus),
 * `live.xml` (the definition that runs), `record` (the VMM's last words), `saving` (while it is saved), in
 * `channel` the sockets of channels that have no path of their own, and `cgroup` (where its room is). All of it
 * is what a restarted daemon needs to find the guest again; guest_discard() takes it away when the guest is over.
 */
#pragma once

#include "driver/cgroup.h"

#include <glib.h>
#include <libvirt/libvirt.h>

/* What `status` says. */
typedef struct GuestStatus {
    int id;
    pid_t pid;
    guint64
        start_time; /* of the process, in clock ticks since boot: tells it from a later namesake */
    int state, reason; /* virDomainState and reason */
    gboolean updated;  /* the persistent definition was defined anew since the start */
    gboolean from_image; /* it comes from its domain's managed image, and has not gone on from there yet */
} GuestStatus;

/* What `saving` says. */
typedef struct GuestSaving {
    char *temporary; /* the file that the image is written to until it is whole; "": there is none but the image */
    gboolean undone; /* the save has failed, and that file goes: that it is not there means no image */
} GuestSaving;
void guest_saving_clear(GuestSaving *saving);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GuestSaving, guest_saving_clear)

/* What the VMM wrote before it exited. */
typedef struct GuestRecord {
    char *state, *reason, *text;
} GuestRecord;
void guest_record_clear(GuestRecord *record);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GuestRecord, guest_record_clear)

/* The directory, and a file in it; NULL without @run_dir, which a simulated guest has none of. */
char *guest_files_dir(const char *run_dir, const char *uuid);
char *guest_file(const char *run_dir, const char *uuid, const char *name);

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
/* While the guest is saved. Reading: FALSE where no save was under way. */
gboolean guest_write_saving(const char *run_dir, const char *uuid, const GuestSaving *saving,
                            GError **error);
gboolean guest_read_saving(const char *run_dir, const char *uuid, GuestSaving *ret);
void guest_remove_saving(const char *run_dir, const char *uuid);
/* Removes what a daemon had begun to write when it was killed: what it had not replaced counts. */
void guest_files_settle(const char *run_dir, const char *uuid);
/* Removes the directory, the sockets of a <vsock>, and the room. */
void guest_discard(const char *run_dir, const char *uuid);
/* Its room, whose file has two lines: where the host has its cgroups, and the path below that; NULL: none. */
Cgroup *guest_files_room(const char *run_dir, const char *uuid);
