/* run: a guest for once, from a kernel or a disk image, with its console here; nothing of it stays. */
#include "cli/commands.h"

#include "cli/console.h"
#include "cli/domain.h"
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a file is, by its first bytes. */
typedef enum {
    IMAGE_KERNEL,
    IMAGE_QCOW2,
    IMAGE_RAW,
} ImageKind;

/* Linux' boot protocol has "HdrS" at 0x202 (Documentation/arch/x86/boot.rst). */
static gboolean
image_kind(const char *path, ImageKind *ret, GError **error)
{
    char head[0x206] = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return cli_fail(error, _("Failed to open file '%s': %s"), path, g_strerror(errno));
    n = read(fd, head, sizeof head);
    close(fd);
    if (n < 0)
        return cli_fail(error, _("Failed to read file '%s': %s"), path, g_strerror(errno));
    if (memcmp(head + 0x202, "HdrS", 4) == 0 || memcmp(head, "\177ELF", 4) == 0)
        *ret = IMAGE_KERNEL;
    else
        *ret = memcmp(head, "QFI\xfb", 4) == 0 ? IMAGE_QCOW2 : IMAGE_RAW;
    return TRUE;
}

static char *
absolute(const char *path)
{
    return g_canonicalize_filename(path, NULL);
}

/* <@element>@text</@element>, where there is @text. */
static void
put(GString *xml, const char *element, const char *text)
{
    g_autofree char *escaped = text ? g_markup_escape_text(text, -1) : NULL;

    if (escaped)
        g_string_append_printf(xml, "<%s>%s</%s>", element, escaped, element);
}

static void
put_disk(GString *xml, const char *path, gboolean qcow2, guint number)
{
    g_autofree char *whole = absolute(path);
    g_autofree char *escaped = g_markup_escape_text(whole, -1);

    g_string_append_printf(xml,
                           "<disk type='file'><driver name='qemu' type='%s'/><source file='%s'/>"
                           "<target dev='vd%c' bus='virtio'/></disk>",
                           qcow2 ? "qcow2" : "raw", escaped, (char)('a' + number));
}

/* "user", "none", or "bridge=NAME". */
static gboolean
put_network(GString *xml, const char *network, GError **error)
{
    if (!network || strcmp(network, "none") == 0)
        return TRUE;
    if (strcmp(network, "user") == 0) {
        g_string_append(xml, "<interface type='user'><backend type='passt'/>"
                             "<model type='virtio'/></interface>");
        return TRUE;
    }
    if (g_str_has_prefix(network, "bridge=")) {
        g_autofree char *name = g_markup_escape_text(network + strlen("bridge="), -1);
        g_string_append_printf(xml,
                               "<interface type='bridge'><source bridge='%s'/>"
                               "<model type='virtio'/></interface>",
                               name);
        return TRUE;
    }
    return cli_fail(error, _("unknown network '%s': it is user, none or bridge=NAME"), network);
}

static void
put_boot(GString *xml, const Args *args, const char *image, ImageKind kind)
{
    g_autofree char *kernel = absolute(image);
    g_autofree char *initrd =
        args_has(args, "initrd") ? absolute(args_string(args, "initrd")) : NULL;
    const char *cmdline = args_string(args, "cmdline");

    g_string_append_printf(xml, "<os%s><type arch='x86_64' machine='q35'>hvm</type>",
                           args_has(args, "efi") ? " firmware='efi'" : "");
    if (kind == IMAGE_KERNEL) {
        put(xml, "kernel", kernel);
        put(xml, "initrd", initrd);
        put(xml, "cmdline", cmdline ? cmdline : "console=ttyS0");
    } else {
        g_string_append(xml, "<boot dev='hd'/>");
    }
    g_string_append(xml, "</os>");
}

static char *
document(const Args *args, const char *image, ImageKind kind, GError **error)
{
    g_autoptr(GString) xml = g_string_new("<domain type='kvm'>");
    g_autofree char *name = g_strdup_printf("run-%d", (int)getpid());
    const char *disk = args_string(args, "disk");
    ImageKind disk_kind;
    guint n_disks = 0;

    put(xml, "name", args_has(args, "name") ? args_string(args, "name") : name);
    g_string_append_printf(xml, "<memory unit='MiB'>%d</memory><vcpu>%d</vcpu>",
                           args_int(args, "memory", 512), args_int(args, "vcpus", 1));
    put_boot(xml, args, image, kind);
    g_string_append(xml, "<features><acpi/><apic/></features><cpu mode='host-passthrough'/>"
                         "<on_reboot>destroy</on_reboot><on_crash>destroy</on_crash><devices>");
    if (kind != IMAGE_KERNEL)
        put_disk(xml, image, kind == IMAGE_QCOW2, n_disks++);
    if (disk) {
        if (!image_kind(disk, &disk_kind, error))
            return NULL;
        put_disk(xml, disk, disk_kind == IMAGE_QCOW2, n_disks++);
    }
    if (!put_network(xml, args_string(args, "network"), error))
        return NULL;
    g_string_append(xml, "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
                         "<panic model='pvpanic'/><serial type='pty'/></devices></domain>");
    return g_string_free(g_steal_pointer(&xml), FALSE);
}

/* How the guest ended, as the daemon's event says: VIR_DOMAIN_EVENT_STOPPED_*, -1 while it runs. */
typedef struct Ending {
    const char *path;
    int detail;
} Ending;

static void
on_event(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
         const char *signal_name, GVariant *parameters, gpointer data)
{
    Ending *ending = data;
    const char *domain;
    int event, detail;

    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(oii)")))
        return;
    g_variant_get(parameters, "(&oii)", &domain, &event, &detail);
    if (event == VIR_DOMAIN_EVENT_STOPPED && g_strcmp0(domain, ending->path) == 0)
        ending->detail = detail;
}

static int console_fd = -1;

/* Ends the console's loop, so that the guest is removed before we go. */
static void
on_signal(int number)
{
    shutdown(console_fd, SHUT_RDWR);
}

static gboolean
talk(Session *session, Domain *domain, int fd, GError **error)
{
    struct sigaction action = { .sa_handler = on_signal }, interrupt, terminate;
    gboolean done;

    console_fd = fd;
    sigaction(SIGINT, &action, &interrupt);
    sigaction(SIGTERM, &action, &terminate);
    done = domain_do(domain, "Resume", NULL, error) && console_run(session, domain, fd, error);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &terminate, NULL);
    return done;
}

/* A guest that has closed its console has ended or is about to; one that the user left is ended now. */
static void
finish(Domain *domain, const Ending *ending)
{
    gint64 until_us = g_get_monotonic_time() + G_USEC_PER_SEC;

    while (ending->detail < 0 && g_get_monotonic_time() < until_us) {
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(5000);
    }
    if (ending->detail < 0)
        domain_do(domain, "Destroy", g_variant_new("(u)", 0), NULL);
}

static gboolean
ended_well(const Ending *ending, GError **error)
{
    if (ending->detail == VIR_DOMAIN_EVENT_STOPPED_CRASHED)
        return cli_fail(error, "%s", _("the guest has crashed"));
    if (ending->detail == VIR_DOMAIN_EVENT_STOPPED_FAILED)
        return cli_fail(error, "%s", _("the guest's machine monitor has failed"));
    return TRUE;
}

/* However we end, the guest does, too. */
static gboolean
run_guest(Session *session, const char *xml, GError **error)
{
    const guint flags = VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY;
    Ending ending = { NULL, -1 };
    GDBusConnection *bus = connection_bus(session->connection);
    const char *path;
    guint subscription;
    gboolean done = FALSE;
    int fd;
    g_autoptr(Domain) domain = NULL;
    g_autoptr(GVariant) reply = NULL;

    subscription = g_dbus_connection_signal_subscribe(
        bus, BUS_NAME, CONNECT_INTERFACE, "DomainEvent", connection_root(session->connection), NULL,
        G_DBUS_SIGNAL_FLAGS_NONE, on_event, &ending, NULL);
    reply = connection_call(session->connection, connection_root(session->connection),
                            CONNECT_INTERFACE, "DomainCreateXML",
                            g_variant_new("(su)", xml, flags), "(o)", error);
    if (reply) {
        g_variant_get(reply, "(&o)", &path);
        ending.path = path;
        domain = domain_from_path(session, path, error);
    }
    if (domain) {
        fd = console_open(domain, NULL, 0, error);
        done = fd >= 0 && talk(session, domain, fd, error);
        finish(domain, &ending);
    }
    g_dbus_connection_signal_unsubscribe(bus, subscription);
    return done && ended_well(&ending, error);
}

static gboolean
run_run(Session *session, const Args *args, GError **error)
{
    const char *image = args_string(args, "image");
    ImageKind kind;
    g_autofree char *xml = NULL;

    if (args_int(args, "memory", 1) < 1 || args_int(args, "vcpus", 1) < 1)
        return cli_fail(error, "%s", _("--memory and --vcpus are numbers above zero"));
    if (!image_kind(image, &kind, error))
        return FALSE;
    if (kind != IMAGE_KERNEL && (args_has(args, "initrd") || args_has(args, "cmdline")))
        return cli_fail(error, _("'%s' is a disk image: --initrd and --cmdline go with a kernel"),
                        image);
    xml = document(args, image, kind, error);
    if (xml && args_has(args, "print-xml")) {
        output("%s\n", xml);
        return TRUE;
    }
    if (!xml)
        return FALSE;
    return run_guest(session, xml, error);
}

static const Option run_options[] = {
    { "image", OPTION_DATA, OPTION_REQUIRED, N_("a kernel (bzImage or ELF) or a disk image") },
    { "memory", OPTION_INT, OPTION_NAMED_ONLY, N_("its memory in MiB (default: 512)"), 'm' },
    { "vcpus", OPTION_INT, OPTION_NAMED_ONLY, N_("its virtual CPUs (default: 1)") },
    { "initrd", OPTION_STRING, OPTION_NAMED_ONLY, N_("the kernel's initial RAM disk") },
    { "cmdline", OPTION_STRING, OPTION_NAMED_ONLY,
      N_("the kernel's command line (default: console=ttyS0)") },
    { "disk", OPTION_STRING, OPTION_NAMED_ONLY,
      N_("another disk image, which the guest may write") },
    { "network", OPTION_STRING, OPTION_NAMED_ONLY, N_("user, bridge=NAME or none (the default)") },
    { "efi", OPTION_BOOL, 0, N_("with UEFI instead of a BIOS") },
    { "name", OPTION_STRING, OPTION_NAMED_ONLY, N_("its name (default: run- and a number)") },
    { "print-xml", OPTION_BOOL, 0, N_("print the domain's document, and do nothing") },
    { NULL },
};

const Command command_run = {
    "run",
    N_("run a guest once, from a kernel or a disk image"),
    N_("Its console is here until it ends or the escape character is typed; then it is gone. A\n"
       "    guest that powers off or restarts has ended well; one that crashes has not. What it\n"
       "    writes to a disk image stays there."),
    run_options,
    run_run,
    COMMAND_CHANGES,
};
