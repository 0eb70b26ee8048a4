/* doctor: whether this host is ready for guests; each finding with the command that mends it. */
#include "cli/commands.h"

#include "cli/output.h"
#include "cli/session.h"
#include "cli/table.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

typedef enum {
    FINDING_OK,
    FINDING_NOTE, /* guests run, but something is missing that some of them use */
    FINDING_BAD,  /* no guest runs */
} Finding;

/* What a check has to say: @text is for a person, @cure a command, NULL: none is known. */
typedef struct Answer {
    Finding finding;
    char *text;
    const char *cure;
} Answer;

typedef struct Check {
    const char *key;   /* its name in JSON */
    const char *title; /* N_() */
    Answer (*look)(Session *session);
} Check;

static Answer answer(Finding finding, const char *cure, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static Answer
answer(Finding finding, const char *cure, const char *format, ...)
{
    va_list args;
    Answer result = { .finding = finding, .cure = cure };

    va_start(args, format);
    result.text = g_strdup_vprintf(format, args);
    va_end(args);
    return result;
}

/* A virtual machine is really created: that is what a container, a nested host or another hypervisor refuses. */
static Answer
look_kvm(Session *session)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, version, saved;

    if (fd < 0 && errno == ENOENT)
        return answer(FINDING_BAD, "modprobe kvm_intel || modprobe kvm_amd",
                      _("there is no /dev/kvm: is virtualization enabled in the firmware?"));
    if (fd < 0 && errno == EACCES)
        return answer(FINDING_BAD, "sudo usermod -aG kvm $USER",
                      _("you may not open /dev/kvm; log in again after the command"));
    if (fd < 0)
        return answer(FINDING_BAD, NULL, _("/dev/kvm: %s"), g_strerror(errno));
    version = ioctl(fd, KVM_GET_API_VERSION, 0);
    vm = ioctl(fd, KVM_CREATE_VM, 0);
    saved = errno;
    if (vm >= 0)
        close(vm);
    close(fd);
    if (version != KVM_API_VERSION)
        return answer(FINDING_BAD, NULL, _("KVM has the version %d instead of %d"), version,
                      KVM_API_VERSION);
    if (vm < 0)
        return answer(FINDING_BAD, NULL, _("KVM creates no virtual machine: %s"),
                      g_strerror(saved));
    return answer(FINDING_OK, NULL, _("a virtual machine was created"));
}

static char *
first_line(const char *path)
{
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    return g_strdelimit(g_strchomp(text), "\n", '\0');
}

static Answer
look_nested(Session *session)
{
    g_autofree char *intel = first_line("/sys/module/kvm_intel/parameters/nested");
    g_autofree char *amd = first_line("/sys/module/kvm_amd/parameters/nested");
    const char *value = intel ? intel : amd;

    if (value && (*value == 'Y' || *value == '1'))
        return answer(FINDING_OK, NULL, _("guests can have guests"));
    return answer(FINDING_NOTE,
                  amd ? "echo options kvm_amd nested=1 | sudo tee /etc/modprobe.d/kvm.conf"
                      : "echo options kvm_intel nested=1 | sudo tee /etc/modprobe.d/kvm.conf",
                  _("guests cannot have guests of their own"));
}

static Answer
look_cgroups(Session *session)
{
    g_autofree char *controllers = first_line("/sys/fs/cgroup/cgroup.controllers");

    if (!controllers)
        return answer(FINDING_NOTE, "systemd.unified_cgroup_hierarchy=1",
                      _("there is no cgroup v2: guests run without limits; the cure is a word for "
                        "the host kernel's command line"));
    if (!strstr(controllers, "cpu") || !strstr(controllers, "memory"))
        return answer(FINDING_NOTE, NULL, _("cgroup v2 has only: %s"), controllers);
    return answer(FINDING_OK, NULL, _("cgroup v2 with %s"), controllers);
}

static guint
count_entries(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    while (dir && g_dir_read_name(dir))
        n++;
    return n;
}

static Answer
look_iommu(Session *session)
{
    guint groups = count_entries("/sys/kernel/iommu_groups");

    if (groups)
        return answer(FINDING_OK, NULL, _("%u groups of devices"), groups);
    return answer(FINDING_NOTE, "intel_iommu=on",
                  _("there is none: no device of the host can be given to a guest; the cure is a "
                    "word for the host kernel's command line"));
}

static Answer
look_modules(Session *session)
{
    static const struct {
        const char *path, *cure;
    } wanted[] = {
        { "/dev/net/tun", "sudo modprobe tun" },
        { "/dev/vhost-net", "sudo modprobe vhost_net" },
        { "/dev/vhost-vsock", "sudo modprobe vhost_vsock" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
        if (access(wanted[i].path, F_OK) != 0)
            return answer(FINDING_NOTE, wanted[i].cure, _("there is no %s"), wanted[i].path);
    return answer(FINDING_OK, NULL, _("taps, vhost and vsock are there"));
}

static Answer
look_hugepages(Session *session)
{
    g_autofree char *n = first_line("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");

    if (n && strcmp(n, "0") != 0)
        return answer(FINDING_OK, NULL, _("%s pages of 2 MiB"), n);
    return answer(FINDING_NOTE, "sudo sysctl vm.nr_hugepages=512",
                  _("none are set aside: guests with <hugepages/> do not start"));
}

static Answer
look_passt(Session *session)
{
    g_autofree char *path = g_find_program_in_path("passt");

    if (path)
        return answer(FINDING_OK, NULL, "%s", path);
    return answer(FINDING_NOTE, "sudo apt-get install passt",
                  _("not found: guests have no network of type 'user'"));
}

#define NETWORK_ROM "/usr/lib/ipxe/qemu/pxe-virtio.rom"

static Answer
look_firmware(Session *session)
{
    static const struct {
        const char *path, *cure;
    } files[] = {
        { "/usr/share/seabios/bios-256k.bin", "sudo apt-get install seabios" },
        { "/usr/share/OVMF/OVMF_CODE_4M.fd", "sudo apt-get install ovmf" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        if (access(files[i].path, R_OK) != 0)
            return answer(FINDING_NOTE, files[i].cure,
                          _("%s is not there: guests boot only kernels "
                            "or the other firmware"),
                          files[i].path);
    if (access(NETWORK_ROM, R_OK) != 0)
        return answer(FINDING_NOTE, "sudo apt-get install ipxe-qemu",
                      _("%s is not there: a BIOS does not boot from the network"), NETWORK_ROM);
    return answer(FINDING_OK, NULL, _("SeaBIOS, OVMF and iPXE are there"));
}

static Answer
look_daemon(Session *session)
{
    g_autoptr(GError) error = NULL;
    const char *uri = session->uri ? session->uri : connection_default_uri();

    if (!session->connection)
        session->connection = connection_open(uri, &error);
    if (session->connection)
        return answer(FINDING_OK, NULL, _("answers at %s"), uri);
    return answer(FINDING_BAD,
                  g_str_has_suffix(uri, "system") ? "sudo systemctl enable --now vmctld"
                                                  : "vmctld --session &",
                  "%s", error->message);
}

static const Check checks[] = {
    { "kvm", N_("KVM"), look_kvm },
    { "daemon", N_("Daemon"), look_daemon },
    { "cgroups", N_("Control groups"), look_cgroups },
    { "modules", N_("Kernel modules"), look_modules },
    { "firmware", N_("Firmware"), look_firmware },
    { "passt", N_("passt"), look_passt },
    { "nested", N_("Nested guests"), look_nested },
    { "hugepages", N_("Huge pages"), look_hugepages },
    { "iommu", N_("IOMMU"), look_iommu },
};

static const char *
finding_word(Finding finding)
{
    static const char *const words[] = { N_("ok"), N_("note"), N_("BAD") };

    return _(words[finding]);
}

static void
add_value(GVariantBuilder *all, const Check *check, const Answer *found)
{
    static const char *const words[] = { "ok", "note", "bad" };
    GVariantBuilder object;

    g_variant_builder_init(&object, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&object, "{sv}", "check", g_variant_new_string(check->key));
    g_variant_builder_add(&object, "{sv}", "finding", g_variant_new_string(words[found->finding]));
    g_variant_builder_add(&object, "{sv}", "text", g_variant_new_string(found->text));
    g_variant_builder_add(&object, "{sv}", "cure", g_variant_new("ms", found->cure));
    g_variant_builder_add_value(all, g_variant_builder_end(&object));
}

static void
print_answer(const Check *check, const Answer *found)
{
    output("%-*s %-*s %s\n", text_in(5, finding_word(found->finding)),
               text_in(15, _(check->title)), found->text);
    if (found->finding != FINDING_OK && found->cure)
        output("%*s%s\n", text_in(22, _("try: ")), found->cure);
}

static gboolean
run_doctor(Session *session, const Args *args, GError **error)
{
    gboolean ready = TRUE;
    GVariantBuilder all;

    g_variant_builder_init(&all, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
        Answer found = checks[i].look(session);

        if (output_is_json())
            add_value(&all, &checks[i], &found);
        else
            print_answer(&checks[i], &found);
        ready = ready && found.finding != FINDING_BAD;
        g_free(found.text);
    }
    if (output_is_json())
        output_json(g_variant_builder_end(&all));
    else
        g_variant_builder_clear(&all);
    return ready || cli_fail(error, "%s", _("this host is not ready for guests"));
}

const Command command_doctor = {
    "doctor",
    N_("say whether this host is ready for guests, and what to do where it is not"),
    N_("It fails where no guest can run; a note is about something that some guests use."),
    NULL,
    run_doctor,
    COMMAND_OFFLINE | COMMAND_JSON,
};
