/* contender: a machine monitor that takes part, ours or a peer's, and a guest that it runs.
 *
 * All guests have a serial port whose output comes here, which is how the clock learns what they
 * do. A wait that takes too long ends the program with the monitor's own words.
 */
#pragma once

#include <glib.h>

typedef struct Contender Contender;

typedef struct GuestSpec {
    const char *kernel; /* a path */
    const char *initrd; /* or NULL */
    const char *cmdline;
    guint memory_mib;
    const char *disk; /* a raw image to read, or NULL */
    gboolean direct;  /* past the host's page cache */
    const char *tap;  /* a network interface that there is, or NULL */
} GuestSpec;

typedef struct Guest {
    const Contender *contender;
    const GuestSpec *spec;
    GPid pid;
    int serial;        /* our end of the serial port */
    GString *heard;    /* from it, since the last text that was waited for */
    gint64 started_us; /* when the process was started, g_get_monotonic_time() */
} Guest;

struct Contender {
    const char *name;
    const char *machine; /* as the monitor calls it */
    gsize guest_size;
    /* Starts the process; @serial is the guest's end of the port, the caller's. */
    void (*spawn)(Guest *guest, int serial);
    /* Until the control socket answers. */
    void (*wait_control)(Guest *guest);
    /* Lets the guest run; NULL where that needs no asking. */
    void (*boot)(Guest *guest);
    /* Kills the process and frees what spawn() made. */
    void (*end)(Guest *guest);
    /* The monitor's log; free with g_free(). */
    char *(*log)(const Guest *guest);
};

extern const Contender contender_vmctl; /* a q35 */
extern const Contender contender_vmctl_microvm;
extern const Contender contender_qemu_q35;
extern const Contender contender_qemu_microvm;
extern const Contender contender_qemu_microvm_qboot; /* for Linux kernels only */

/* A process that is started, but no more. @spec has to live as long. */
Guest *guest_spawn(const Contender *contender, const GuestSpec *spec);
void guest_free(Guest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, guest_free)

void guest_wait_control(Guest *guest);
void guest_boot(Guest *guest);
/* Until the guest has said @text; the time then, in microseconds of g_get_monotonic_time(). */
gint64 guest_wait_text(Guest *guest, const char *text);

/* guest_spawn() and guest_boot(). */
Guest *guest_start(const Contender *contender, const GuestSpec *spec);

/* The path of a payload that the build made, "payload.elf". Free with g_free(). */
char *guest_payload(const char *name);
