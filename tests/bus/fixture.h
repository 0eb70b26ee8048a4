/* fixture: a message bus of its own, a vmctld on it whose guests are fake, and a client.
 *
 * Everything lives in one temporary directory. What a test starts is gone when it ends, and what a
 * guest leaves behind can be counted.
 */
#pragma once

#include <gio/gio.h>

#define BUS_NAME      "org.libvirt"
#define ROOT_PATH     "/org/libvirt/QEMU"
#define CONNECT       "org.libvirt.Connect"
#define DOMAIN        "org.libvirt.Domain"
#define VMCTL_CONNECT "org.vmctl.Connect"
#define VMCTL_DOMAIN  "org.vmctl.Domain"
#define PROPERTIES    "org.freedesktop.DBus.Properties"

#define FIXTURE_WAIT_S 60 /* for anything to happen: a busy machine is slow */

typedef struct Fixture {
    char *dir;
    char *address;      /* of the bus */
    const char *vmm;    /* what the build made, that the guests are */
    const char *option; /* for the daemon, before it is started; NULL: none */
    GSubprocess *bus, *daemon;
    GDBusConnection *client;
    guint subscription;
    int notify;       /* where the daemon says READY=1 */
    GString *events;  /* "2,0 4,0 ": what has been heard since the last look */
    GString *signals; /* "Reboot () ": the signals of domains, the same way */
} Fixture;

/* A bus with a daemon that is ready; without one. */
Fixture *fixture_new(void);
Fixture *fixture_new_bare(void);
/* With a daemon, on a bus that has the limits of a user's session (session.conf of dbus-daemon) instead of those of
 * the system. */
Fixture *fixture_new_session(void);
/* Guests of a daemon that is started from now on are real ones, on /dev/kvm. */
void fixture_use_kvm(Fixture *fixture);
/* So that interfaces of type user need no passt: for all fixtures that come. */
void fixture_use_fake_passt(void);
/* Ends everything. The daemon has to go without an error. */
void fixture_free(Fixture *fixture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

/* Starts a process with the environment that belongs to the fixture. */
GSubprocess *fixture_spawn(Fixture *fixture, GSubprocessFlags flags, const char *const *argv);
GSubprocess *fixture_spawn_daemon(Fixture *fixture, GSubprocessFlags flags);
/* The fixture's daemon: started and ready; ended by a signal. */
void fixture_start_daemon(Fixture *fixture);
void fixture_end_daemon(Fixture *fixture, int signal_number);
/* Waits until a daemon that fixture_spawn_daemon() started is ready. */
void fixture_wait_ready(Fixture *fixture);
/* Lets the bus start the daemon for whoever calls it. */
void fixture_make_activatable(Fixture *fixture);
/* The path of something that the build made. */
char *fixture_built(const char *name);

/* A domain document. @cmdline tells the fake guest what to do, see fake-guest.h; @uuid may be NULL.
 * Its console is a pty, its second serial port the file "serial1" in the directory of the fixture.
 */
char *fixture_xml(Fixture *fixture, const char *name, const char *uuid, const char *cmdline);

/* Calls. The first form has to succeed, the second to fail, with the bus name @name (NULL: that of
 * libvirt's errors) and a message that matches the pattern @text. */
GVariant *fixture_call(Fixture *fixture, const char *path, const char *interface,
                       const char *member, GVariant *args, const char *reply_type);
void fixture_call_fails(Fixture *fixture, const char *path, const char *interface,
                        const char *member, GVariant *args, const char *name, const char *text);
GVariant *fixture_try(Fixture *fixture, const char *path, const char *interface, const char *member,
                      GVariant *args, GUnixFDList **ret_fds, GError **error);
/* A call whose reply is not of interest. */
void fixture_do(Fixture *fixture, const char *path, const char *member, GVariant *args);
/* A call that takes its time, of a domain's method; what has been sent after it is served after it has begun. */
typedef struct FixtureCall {
    gboolean over;
    GError *error; /* NULL: it succeeded */
} FixtureCall;

void fixture_begin(Fixture *fixture, FixtureCall *call, const char *path, const char *member,
                   GVariant *args);
/* Waits for its end: success, or where @text is not NULL a failure with a message that matches it. */
void fixture_end(Fixture *fixture, FixtureCall *call, const char *text);

/* Long enough for whatever does not wait to be over. */
void fixture_let_time_pass(void);

/* Defines a domain and gives its path; the event is taken. */
char *fixture_define(Fixture *fixture, const char *name, const char *cmdline);
/* The same with more devices. */
char *fixture_define_with(Fixture *fixture, const char *name, const char *cmdline,
                          const char *devices);
/* The same with @said in front of its <os>. */
char *fixture_define_saying(Fixture *fixture, const char *name, const char *said);
/* Its document; @flags are VIR_DOMAIN_XML_*. */
char *fixture_xml_of(Fixture *fixture, const char *path, guint flags);
/* Waits until a signal of a domain was heard whose text, "Reboot ()", contains @text; all that were heard
 * are forgotten then. */
void fixture_wait_signal(Fixture *fixture, const char *text);
GVariant *fixture_get(Fixture *fixture, const char *path, const char *interface,
                      const char *property);
int fixture_state(Fixture *fixture, const char *path);
void fixture_assert_state(Fixture *fixture, const char *path, int state, int reason);
/* How many domains pass the filter @flags, VIR_CONNECT_LIST_DOMAINS_*. */
guint fixture_count_listed(Fixture *fixture, guint flags);

/* Waits until the DomainEvents since the last look are @events, "4,0 2,0", and nothing else. */
void fixture_expect_events(Fixture *fixture, const char *events);
/* Runs the main context until @test says so, or fails the test after some seconds. */
void fixture_wait(Fixture *fixture, gboolean (*test)(Fixture *fixture, gconstpointer data),
                  gconstpointer data);

/* Processes of fake guests, files below the run directory, descriptors that the daemon has open. */
guint fixture_count_guests(Fixture *fixture);
/* Any of them; 0: there is none. */
pid_t fixture_guest_pid(Fixture *fixture);
void fixture_kill_guests(Fixture *fixture);
void fixture_signal_guests(Fixture *fixture, int signal_number);
guint fixture_count_run_files(Fixture *fixture);
guint fixture_count_descriptors(Fixture *fixture);
/* The daemon's memory that is its own alone, in KiB. */
guint fixture_memory_kib(Fixture *fixture);
/* Waits until there are no more than @n of them, which were counted at the same point before: some are closed by a thread,
 * which may have been late then or is now. */
void fixture_expect_descriptors(Fixture *fixture, guint n);
