/* vmctld: the daemon of one instance: its driver, and the faces by which it is reached. */
#include "daemon/config.h"
#include "daemon/dbus-bus.h"
#include "daemon/dbus-events.h"
#include "daemon/dbus-systemd.h"
#include "daemon/dbus.h"
#include "daemon/log.h"
#include "driver/driver.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define BUS_NAME  "org.libvirt"
#define QEMU_PATH "/org/libvirt/QEMU"
#define TEST_PATH "/org/libvirt/Test"

static const char *const access_words[] = {
    [CONFIG_ACCESS_POLKIT] = "polkit",
    [CONFIG_ACCESS_API] = "api",
    [CONFIG_ACCESS_NONE] = "none",
    NULL,
};

typedef struct Options {
    gboolean system, session, version, print_config;
    char *config;  /* the configuration; NULL: the instance's own, if there is one */
    char *access;  /* one of access_words; NULL: as the instance has it */
    char *address; /* of the bus, NULL: the usual one */
    int peer;      /* the socket of the one client of a test driver of its own; -1: there is a bus */
} Options;

/* A driver and what is seen of it. */
typedef struct Face {
    DbusRoot *root;
    Driver *driver;
} Face;

typedef struct Daemon {
    GMainLoop *loop;
    GDBusConnection *bus;
    Access *access;   /* NULL: whoever can call may do anything */
    Systemd *systemd; /* NULL: guests are no units */
    UnitManager unit_manager;
    Face test, qemu;
    const Options *options;
    Config config;
    int status; /* what the process exits with */
} Daemon;

static void
face_clear(Face *face)
{
    g_clear_pointer(&face->driver, driver_free);
    g_clear_pointer(&face->root, dbus_root_free);
}

static void
daemon_free(Daemon *daemon)
{
    if (daemon->systemd)
        systemd_set_driver(daemon->systemd, NULL);
    face_clear(&daemon->qemu);
    face_clear(&daemon->test);
    g_clear_pointer(&daemon->systemd, systemd_free);
    g_clear_pointer(&daemon->access, access_free);
    g_clear_object(&daemon->bus);
    g_clear_pointer(&daemon->loop, g_main_loop_unref);
    g_free(daemon);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Daemon, daemon_free)

static void
bus_closed(gpointer data)
{
    Daemon *daemon = data;

    g_critical("The message bus has closed the connection; guests go on running");
    daemon->status = EXIT_FAILURE;
    g_main_loop_quit(daemon->loop);
}

static void
peer_closed(gpointer data)
{
    Daemon *daemon = data;

    g_main_loop_quit(daemon->loop);
}

/* What the files say, and the options, which go before. */
static gboolean
load_config(Config *config, const Options *options, GError **error)
{
    g_autofree char *usual = config_default_path(options->system);
    const char *path = options->config ? options->config : usual;

    config_init(config, options->system);
    if ((options->config || g_file_test(path, G_FILE_TEST_EXISTS)) &&
        !config_load(config, path, error))
        return FALSE;
    for (int i = 0; options->access && access_words[i]; i++) {
        if (g_str_equal(options->access, access_words[i]))
            config->access = i;
    }
    return TRUE;
}

static void
apply_log_level(const Config *config)
{
    static const GLogLevelFlags levels[] = {
        [CONFIG_LOG_ERROR] = G_LOG_LEVEL_CRITICAL, [CONFIG_LOG_WARNING] = G_LOG_LEVEL_WARNING,
        [CONFIG_LOG_NOTICE] = G_LOG_LEVEL_MESSAGE, [CONFIG_LOG_INFO] = G_LOG_LEVEL_INFO,
        [CONFIG_LOG_DEBUG] = G_LOG_LEVEL_DEBUG,
    };

    log_set_level(levels[config->log_level]);
}

static DriverEnv *
qemu_env(const Options *options, const Config *config)
{
    static const DriverAutostart autostarts[] = {
        [CONFIG_AUTOSTART_BOOT] = DRIVER_AUTOSTART_BOOT,
        [CONFIG_AUTOSTART_ALWAYS] = DRIVER_AUTOSTART_ALWAYS,
        [CONFIG_AUTOSTART_NEVER] = DRIVER_AUTOSTART_NEVER,
    };
    static const DriverOnStop stops[] = {
        [CONFIG_ON_STOP_STOP] = DRIVER_ON_STOP_STOP,
        [CONFIG_ON_STOP_SAVE] = DRIVER_ON_STOP_SAVE,
        [CONFIG_ON_STOP_SUSPEND] = DRIVER_ON_STOP_SUSPEND,
    };
    DriverEnv *env = driver_env_new(options->system);

    env->autostart = autostarts[config->autostart];
    env->on_stop = stops[config->on_stop];
    return env;
}

/* Both drivers have their object on the bus, below the name that libvirt-dbus gives them. */
static gboolean
face_show(Face *face, Daemon *daemon, const char *path, GError **error)
{
    face->root = dbus_root_new(daemon->bus, path, error);
    if (face->root)
        dbus_root_set_access(face->root, daemon->access);
    return face->root != NULL;
}

/* Its domain runs from the start: nobody sees it otherwise. */
static gboolean
open_test(Daemon *daemon, GError **error)
{
    Face *face = &daemon->test;
    DriverEvents events;

    if (!face_show(face, daemon, TEST_PATH, error))
        return FALSE;
    events = dbus_events(face->root);
    face->driver = driver_new_test(&events, error);
    if (!face->driver)
        return FALSE;
    dbus_root_set_driver(face->root, face->driver);
    while (!driver_is_settled(face->driver))
        g_main_context_iteration(NULL, TRUE);
    return TRUE;
}

/* The socket for units that systemd listens at for us, or one of our own. -1 with @error. */
static int
units_socket(const DriverEnv *env, GError **error)
{
    int n = sd_listen_fds(1);

    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++) {
        if (sd_is_socket_unix(fd, SOCK_SEQPACKET, 1, "/run/vmctl/units", 0) > 0)
            return fd;
    }
    return units_listen(env->run_dir, error);
}

/* The system instance leaves the start of guests to systemd, where that is there and has their unit. */
static gboolean
use_units(Daemon *daemon, DriverEnv *env, GError **error)
{
    if (!env->privileged || !units_are_there())
        return TRUE;
    daemon->systemd = systemd_new(daemon->bus);
    if (!daemon->systemd)
        return TRUE;
    env->units_fd = units_socket(env, error);
    if (env->units_fd < 0)
        return FALSE;
    daemon->unit_manager = systemd_manager(daemon->systemd);
    env->unit_manager = &daemon->unit_manager;
    return TRUE;
}

/* The name comes before the driver: a daemon that is one too many must not start guests. Calls that
 * arrive meanwhile wait for the main loop. */
static gboolean
open_qemu(Daemon *daemon, const Options *options, GError **error)
{
    Face *face = &daemon->qemu;
    g_autoptr(DriverEnv) env = qemu_env(options, &daemon->config);
    DriverEvents events;

    if (!face_show(face, daemon, QEMU_PATH, error) ||
        !dbus_bus_own_name(daemon->bus, BUS_NAME, error) || !use_units(daemon, env, error))
        return FALSE;
    events = dbus_events(face->root);
    face->driver = driver_new(g_steal_pointer(&env), &events, error);
    if (!face->driver)
        return FALSE;
    if (daemon->systemd)
        systemd_set_driver(daemon->systemd, face->driver);
    dbus_root_set_driver(face->root, face->driver);
    return TRUE;
}

static Daemon *
daemon_new(const Options *options, GError **error)
{
    g_autoptr(Daemon) daemon = g_new0(Daemon, 1);
    gboolean peer = options->peer >= 0;

    daemon->options = options;
    if (!load_config(&daemon->config, options, error))
        return NULL;
    apply_log_level(&daemon->config);
    daemon->loop = g_main_loop_new(NULL, FALSE);
    daemon->bus = peer ? dbus_bus_open_peer(options->peer, error)
                       : dbus_bus_open(options->address, options->system, error);
    if (!daemon->bus)
        return NULL;
    dbus_bus_watch(daemon->bus, peer ? peer_closed : bus_closed, daemon);
    if (!peer && daemon->config.access != CONFIG_ACCESS_NONE)
        daemon->access = access_new(daemon->bus, daemon->config.access == CONFIG_ACCESS_API
                                                     ? ACCESS_API
                                                     : ACCESS_UNIX);
    if (!open_test(daemon, error) || (!peer && !open_qemu(daemon, options, error)))
        return NULL;
    if (peer)
        dbus_bus_start(daemon->bus);
    return g_steal_pointer(&daemon);
}

static gboolean
stop(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_CONTINUE;
}

/* What cannot change while clients are there, and what is only of the start, stays until the next one. */
static gboolean
reload(gpointer data)
{
    Daemon *daemon = data;
    g_autoptr(GError) error = NULL;
    Config config;

    if (!load_config(&config, daemon->options, &error)) {
        g_critical("%s; everything stays as it was", error->message);
        return G_SOURCE_CONTINUE;
    }
    if (config.access != daemon->config.access || config.autostart != daemon->config.autostart ||
        config.on_stop != daemon->config.on_stop)
        g_message("Of the new configuration, access, autostart and on-stop take effect when the daemon starts again");
    daemon->config.log_level = config.log_level;
    apply_log_level(&config);
    g_message("The configuration was read again");
    return G_SOURCE_CONTINUE;
}

static void
ignore_pipe(int signal_number)
{
}

/* A handler for SIGPIPE rather than SIG_IGN, which the guests' processes would inherit. */
static void
watch_signals(Daemon *daemon)
{
    struct sigaction pipe_action = { .sa_handler = ignore_pipe, .sa_flags = SA_RESTART };

    sigaction(SIGPIPE, &pipe_action, NULL);
    g_unix_signal_add(SIGTERM, stop, daemon->loop);
    g_unix_signal_add(SIGINT, stop, daemon->loop);
    g_unix_signal_add(SIGHUP, reload, daemon);
}

static gboolean
feed_watchdog(gpointer data)
{
    sd_notify(0, "WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

/* Twice as often as systemd wants to hear of us. */
static void
start_watchdog(void)
{
    uint64_t period_us;

    if (sd_watchdog_enabled(0, &period_us) > 0)
        g_timeout_add(MAX(period_us / 2000, 1), feed_watchdog, NULL);
}

static int
serve(const Options *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Daemon) daemon = daemon_new(options, &error);

    if (!daemon) {
        g_critical("%s", error->message);
        return EXIT_FAILURE;
    }
    watch_signals(daemon);
    start_watchdog();
    sd_notify(0, "READY=1");
    g_main_loop_run(daemon->loop);
    sd_notify(0, "STOPPING=1");
    return daemon->status;
}

static gboolean
parse_options(int argc, char **argv, Options *options, GError **error)
{
    const GOptionEntry entries[] = {
        { "system", 0, 0, G_OPTION_ARG_NONE, &options->system,
          "Serve the system instance (default for root)" },
        { "session", 0, 0, G_OPTION_ARG_NONE, &options->session,
          "Serve the user's own instance (default for others)" },
        { "address", 0, 0, G_OPTION_ARG_STRING, &options->address, "Use the message bus at ADDRESS",
          "ADDRESS" },
        { "access", 0, 0, G_OPTION_ARG_STRING, &options->access,
          "Who may do what: polkit decides (system instance), for each permission apart (api), or none "
          "does (session instance)",
          "polkit|api|none" },
        { "peer", 0, 0, G_OPTION_ARG_INT, &options->peer,
          "Serve a test driver of its own to who has the other end of the socket FD, without a bus",
          "FD" },
        { "config", 0, 0, G_OPTION_ARG_FILENAME, &options->config,
          "Read the configuration FILE instead of the usual one", "FILE" },
        { "print-config", 0, 0, G_OPTION_ARG_NONE, &options->print_config,
          "Print the configuration with everything that is in effect, and exit" },
        { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version and exit" },
        { NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_set_summary(context,
                                 "Manages virtual machines, for vmctl and for the clients of "
                                 "libvirt-dbus.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error))
        return FALSE;
    if (argc > 1 || (options->system && options->session)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "%s",
                    argc > 1 ? "vmctld takes options only"
                             : "--system and --session exclude each other");
        return FALSE;
    }
    if (options->access && !g_strv_contains(access_words, options->access)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--access is polkit, api or none, not '%s'", options->access);
        return FALSE;
    }
    if (!options->session && geteuid() == 0)
        options->system = TRUE;
    return TRUE;
}

static int
print_config(const Options *options)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    Config config;

    if (!load_config(&config, options, &error)) {
        g_critical("%s", error->message);
        return EXIT_FAILURE;
    }
    text = config_text(&config);
    fputs(text, stdout);
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    Options options = { .peer = -1 };
    g_autoptr(GError) error = NULL;
    int status = EXIT_SUCCESS;

    log_open("vmctld");
    if (!parse_options(argc, argv, &options, &error)) {
        g_critical("%s", error->message);
        status = EXIT_FAILURE;
    } else if (options.version) {
        puts(PACKAGE_STRING);
    } else if (options.print_config) {
        status = print_config(&options);
    } else {
        status = serve(&options);
    }
    g_free(options.access);
    g_free(options.config);
    g_free(options.address);
    return status;
}
