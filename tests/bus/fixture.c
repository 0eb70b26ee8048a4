#include "tests/bus/fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FAKE_VMM "tests/bus/fake-vmm"

static const char *const dirs[] = { "config", "run", "data", "cache", "services" };

/* Processes */

static void
die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

char *
fixture_built(const char *name)
{
    const char *top = g_getenv("VMCTL_TOP_BUILDDIR");

    return g_build_filename(top ? top : ".", name, NULL);
}

static void
set_dir(Fixture *fixture, GSubprocessLauncher *launcher, const char *variable, const char *name)
{
    g_autofree char *path = g_build_filename(fixture->dir, name, NULL);

    g_subprocess_launcher_setenv(launcher, variable, path, TRUE);
}

static GSubprocessLauncher *
launcher_new(Fixture *fixture, GSubprocessFlags flags)
{
    GSubprocessLauncher *launcher = g_subprocess_launcher_new(flags);
    g_autofree char *vmm = fixture_built(fixture->vmm);
    g_autofree char *schemas = g_build_filename(g_getenv("VMCTL_TOP_SRCDIR"), "schemas", NULL);
    g_autofree char *vsock = fixture_built("vmctl-vsock");
    g_autofree char *connect = fixture_built("vmctl-connect");

    set_dir(fixture, launcher, "XDG_CONFIG_HOME", "config");
    set_dir(fixture, launcher, "XDG_RUNTIME_DIR", "run");
    set_dir(fixture, launcher, "XDG_DATA_HOME", "data");
    set_dir(fixture, launcher, "XDG_CACHE_HOME", "cache");
    set_dir(fixture, launcher, "VMCTL_CGROUP", "cgroup"); /* not there, unless a test makes one */
    g_subprocess_launcher_setenv(launcher, "HOME", fixture->dir, TRUE);
    g_subprocess_launcher_setenv(launcher, "VMCTL_VMM", vmm, TRUE);
    g_subprocess_launcher_setenv(launcher, "VMCTL_SCHEMAS", schemas, TRUE);
    g_subprocess_launcher_setenv(launcher, "VMCTL_VSOCK", vsock, TRUE);
    g_subprocess_launcher_setenv(launcher, "VMCTL_CONNECT", connect, TRUE);
    if (g_str_equal(fixture->vmm, FAKE_VMM))
        g_subprocess_launcher_setenv(launcher, "VMCTL_KVM", "/dev/null", TRUE);
    if (fixture->address)
        g_subprocess_launcher_setenv(launcher, "DBUS_SESSION_BUS_ADDRESS", fixture->address, TRUE);
    g_subprocess_launcher_set_child_setup(launcher, die_with_parent, NULL, NULL);
    return launcher;
}

static GSubprocess *
launch(GSubprocessLauncher *launcher, const char *const *argv)
{
    g_autoptr(GError) error = NULL;
    GSubprocess *process = g_subprocess_launcher_spawnv(launcher, argv, &error);

    g_assert_no_error(error);
    return process;
}

GSubprocess *
fixture_spawn(Fixture *fixture, GSubprocessFlags flags, const char *const *argv)
{
    g_autoptr(GSubprocessLauncher) launcher = launcher_new(fixture, flags);

    return launch(launcher, argv);
}

/* The command that the daemon is run under, as the environment says; NULL: none. */
static GStrv
daemon_under(void)
{
    const char *text = g_getenv("VMCTL_DAEMON_UNDER");
    GStrv words = NULL;

    if (text)
        g_assert_true(g_shell_parse_argv(text, NULL, &words, NULL));
    return words;
}

GSubprocess *
fixture_spawn_daemon(Fixture *fixture, GSubprocessFlags flags)
{
    g_autoptr(GSubprocessLauncher) launcher = launcher_new(fixture, flags);
    g_autofree char *program = fixture_built("vmctld");
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_auto(GStrv) under = daemon_under(), argv = NULL;

    if (under)
        g_strv_builder_addv(words, (const char **)under);
    g_strv_builder_add_many(words, program, "--session", fixture->option, NULL);
    argv = g_strv_builder_end(words);
    set_dir(fixture, launcher, "NOTIFY_SOCKET",
            "notify"); /* for it alone: dbus-daemon says READY too */
    return launch(launcher, (const char *const *)argv);
}

static void
make_notify_socket(Fixture *fixture)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", fixture->dir);
    fixture->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(fixture->notify, (struct sockaddr *)&address, sizeof(address)), ==, 0);
}

static void
wait_notified(Fixture *fixture, const char *what)
{
    struct timeval timeout = { .tv_sec = FIXTURE_WAIT_S };
    char text[256];
    ssize_t n;

    setsockopt(fixture->notify, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    do {
        n = recv(fixture->notify, text, sizeof(text) - 1, 0);
        g_assert_cmpint(n, >, 0);
        text[n] = '\0';
    } while (!strstr(text, what));
}

void
fixture_wait_ready(Fixture *fixture)
{
    wait_notified(fixture, "READY=1");
}

void
fixture_start_daemon(Fixture *fixture)
{
    fixture->daemon = fixture_spawn_daemon(fixture, G_SUBPROCESS_FLAGS_NONE);
    fixture_wait_ready(fixture);
}

void
fixture_end_daemon(Fixture *fixture, int signal_number)
{
    g_subprocess_send_signal(fixture->daemon, signal_number);
    g_subprocess_wait(fixture->daemon, NULL, NULL);
    if (signal_number == SIGKILL) {
        g_assert_true(g_subprocess_get_if_signaled(fixture->daemon));
    } else {
        g_assert_true(g_subprocess_get_if_exited(fixture->daemon));
        g_assert_cmpint(g_subprocess_get_exit_status(fixture->daemon), ==, 0);
        wait_notified(fixture, "STOPPING=1");
    }
    g_clear_object(&fixture->daemon);
}

/* The bus and the client */

static void
write_file(Fixture *fixture, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(fixture->dir, name, NULL);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

#define SESSION_LIMITS                                                                             \
    "<limit name='max_incoming_bytes'>1000000000</limit>"                                          \
    "<limit name='max_outgoing_bytes'>1000000000</limit>"                                          \
    "<limit name='max_replies_per_connection'>50000</limit>"

static void
start_bus(Fixture *fixture, const char *limits)
{
    g_autofree char *file = g_build_filename(fixture->dir, "bus.conf", NULL);
    const char *argv[] = {
        "dbus-daemon", "--nofork", "--print-address", "--config-file", file, NULL
    };
    g_autofree char *config =
        g_strdup_printf("<busconfig><type>session</type><listen>unix:path=%s/bus</listen>"
                        "<servicedir>%s/services</servicedir><policy context='default'>"
                        "<allow user='*'/><allow send_destination='*' eavesdrop='true'/><allow "
                        "eavesdrop='true'/><allow own='*'/>"
                        "</policy>%s</busconfig>",
                        fixture->dir, fixture->dir, limits);
    g_autoptr(GDataInputStream) output = NULL;

    write_file(fixture, "bus.conf", config);
    fixture->bus = fixture_spawn(
        fixture, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, argv);
    output = g_data_input_stream_new(g_subprocess_get_stdout_pipe(fixture->bus));
    fixture->address = g_data_input_stream_read_line(output, NULL, NULL, NULL);
    g_assert_nonnull(fixture->address);
}

void
fixture_make_activatable(Fixture *fixture)
{
    g_autofree char *program = fixture_built("vmctld");
    g_autofree char *service =
        g_strdup_printf("[D-BUS Service]\nName=" BUS_NAME "\nExec=%s --session\n", program);
    GVariant *reply;

    write_file(fixture, "services/org.libvirt.service", service);
    reply = g_dbus_connection_call_sync(
        fixture->client, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "ReloadConfig", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
    g_assert_nonnull(reply);
    g_variant_unref(reply);
}

static void
heard(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
      const char *signal, GVariant *args, gpointer data)
{
    g_autofree char *text = g_variant_print(args, FALSE);
    Fixture *fixture = data;
    int event, detail;

    if (g_str_equal(interface, DOMAIN)) {
        g_string_append_printf(fixture->signals, "%s %s ", signal, text);
    } else if (g_str_equal(signal, "DomainEvent")) {
        g_variant_get(args, "(oii)", NULL, &event, &detail);
        g_string_append_printf(fixture->events, "%d,%d ", event, detail);
    }
}

static void
connect_client(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    fixture->client =
        g_dbus_connection_new_for_address_sync(fixture->address,
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, &error);
    g_assert_no_error(error);
    fixture->subscription =
        g_dbus_connection_signal_subscribe(fixture->client, BUS_NAME, NULL, NULL, NULL, NULL,
                                           G_DBUS_SIGNAL_FLAGS_NONE, heard, fixture, NULL);
}

static Fixture *
new_with_limits(const char *limits)
{
    Fixture *fixture = g_new0(Fixture, 1);
    g_autoptr(GError) error = NULL;

    fixture->vmm = FAKE_VMM;
    fixture->dir = g_dir_make_tmp("vmctl-bus-XXXXXX", &error);
    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
        g_autofree char *path = g_build_filename(fixture->dir, dirs[i], NULL);

        g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    }
    write_file(fixture, "kernel", "not a kernel, but nobody here looks\n");
    fixture->events = g_string_new(NULL);
    fixture->signals = g_string_new(NULL);
    make_notify_socket(fixture);
    start_bus(fixture, limits);
    connect_client(fixture);
    return fixture;
}

Fixture *
fixture_new_bare(void)
{
    return new_with_limits("");
}

void
fixture_use_kvm(Fixture *fixture)
{
    fixture->vmm = "vmctl-vmm";
}

void
fixture_use_fake_passt(void)
{
    const char *top = g_getenv("VMCTL_TOP_SRCDIR");
    g_autofree char *path =
        g_strdup_printf("%s/tests/unit/fake-passt:%s", top ? top : ".", g_getenv("PATH"));

    g_setenv("PATH", path, TRUE);
}

Fixture *
fixture_new(void)
{
    Fixture *fixture = fixture_new_bare();

    fixture_start_daemon(fixture);
    return fixture;
}

Fixture *
fixture_new_session(void)
{
    Fixture *fixture = new_with_limits(SESSION_LIMITS);

    fixture_start_daemon(fixture);
    return fixture;
}

static void
end_process(GSubprocess **process)
{
    if (!*process)
        return;
    g_subprocess_force_exit(*process);
    g_subprocess_wait(*process, NULL, NULL);
    g_clear_object(process);
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        if (g_file_test(below, G_FILE_TEST_IS_DIR) && !g_file_test(below, G_FILE_TEST_IS_SYMLINK))
            remove_tree(below);
        else
            g_unlink(below);
    }
    g_rmdir(path);
}

void
fixture_free(Fixture *fixture)
{
    if (!fixture)
        return;
    if (fixture->daemon)
        fixture_end_daemon(fixture, SIGTERM);
    fixture_kill_guests(fixture);
    /* Signals that wait to be heard would be heard by the next test. */
    g_dbus_connection_signal_unsubscribe(fixture->client, fixture->subscription);
    if (!g_dbus_connection_is_closed(fixture->client))
        g_dbus_connection_close_sync(fixture->client, NULL, NULL);
    g_clear_object(&fixture->client);
    end_process(&fixture->bus);
    close(fixture->notify);
    remove_tree(fixture->dir);
    g_string_free(fixture->events, TRUE);
    g_string_free(fixture->signals, TRUE);
    g_free(fixture->address);
    g_free(fixture->dir);
    g_free(fixture);
}

/* Counting */

/* Whether @pid is one of this fixture's guests: its log is below our directory. */
static gboolean
is_guest(Fixture *fixture, const char *pid)
{
    g_autofree char *log_path = g_build_filename("/proc", pid, "fd", "2", NULL);
    g_autofree char *name_path = g_build_filename("/proc", pid, "comm", NULL);
    g_autofree char *dir = g_strconcat(fixture->dir, "/", NULL);
    g_autofree char *vmm = g_path_get_basename(fixture->vmm);
    g_autofree char *name = NULL, *log = NULL;

    return g_file_get_contents(name_path, &name, NULL, NULL) &&
           g_str_equal(g_strchomp(name), vmm) && (log = g_file_read_link(log_path, NULL)) &&
           g_str_has_prefix(log, dir);
}

static guint
each_guest(Fixture *fixture, int signal_number)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    const char *name;
    guint n = 0;

    while ((name = g_dir_read_name(dir))) {
        if (!g_ascii_isdigit(*name) || !is_guest(fixture, name))
            continue;
        n++;
        if (signal_number)
            kill(atoi(name), signal_number);
    }
    return n;
}

pid_t
fixture_guest_pid(Fixture *fixture)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        if (g_ascii_isdigit(*name) && is_guest(fixture, name))
            return atoi(name);
    }
    return 0;
}

guint
fixture_count_guests(Fixture *fixture)
{
    return each_guest(fixture, 0);
}

void
fixture_signal_guests(Fixture *fixture, int signal_number)
{
    each_guest(fixture, signal_number);
}

void
fixture_kill_guests(Fixture *fixture)
{
    while (each_guest(fixture, SIGKILL))
        g_usleep(1000);
}

static guint
count_files(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    guint n = 0;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        n++;
        if (g_file_test(below, G_FILE_TEST_IS_DIR))
            n += count_files(below);
    }
    return n;
}

guint
fixture_count_run_files(Fixture *fixture)
{
    g_autofree char *path = g_build_filename(fixture->dir, "run", NULL);

    return count_files(path);
}

guint
fixture_count_descriptors(Fixture *fixture)
{
    g_autofree char *path =
        g_build_filename("/proc", g_subprocess_get_identifier(fixture->daemon), "fd", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    g_assert_nonnull(dir);
    while (g_dir_read_name(dir))
        n++;
    return n;
}

static gboolean
has_descriptors(Fixture *fixture, gconstpointer n)
{
    return fixture_count_descriptors(fixture) <= *(const guint *)n;
}

void
fixture_expect_descriptors(Fixture *fixture, guint n)
{
    fixture_wait(fixture, has_descriptors, &n);
}

guint
fixture_memory_kib(Fixture *fixture)
{
    g_autofree char *path =
        g_build_filename("/proc", g_subprocess_get_identifier(fixture->daemon), "status", NULL);
    g_autofree char *status = NULL;
    const char *line;
    guint kib = 0;

    g_assert_true(g_file_get_contents(path, &status, NULL, NULL));
    line = strstr(status, "RssAnon:");
    g_assert_nonnull(line);
    g_assert_cmpint(sscanf(line, "RssAnon: %u kB", &kib), ==, 1);
    return kib;
}
