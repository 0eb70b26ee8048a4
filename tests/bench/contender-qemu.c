/* QEMU on KVM, with nothing but a serial port and its control socket (QMP). */
#include "tests/bench/contender.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTROL_FD 3
#define SERIAL_FD  4
#define LIMIT_MS   60000

#define QEMU_PROGRAM "qemu-system-x86_64"

typedef struct QemuGuest {
    Guest guest;
    int control;
    int log_fd;
} QemuGuest;

/* Found once: no contender pays for a long PATH. */
static const char *
program(void)
{
    static char *path;

    if (!path)
        path = g_find_program_in_path(QEMU_PROGRAM);
    if (!path)
        g_error(QEMU_PROGRAM " is not installed");
    return path;
}

/* Words without spaces, with CONTROL_FD and SERIAL_FD in them. Threads have names, as libvirt wants it. No
 * arch-capabilities, whose register a KVM in software does not let QEMU set. */
static const char fixed_words[] =
    "-name guest,debug-threads=on -nodefaults -no-user-config -display none -accel kvm -cpu "
    "host,-arch-capabilities -smp 1 "
    "-chardev socket,id=control,fd=3 -mon chardev=control,mode=control "
    "-chardev socket,id=serial,fd=4 -serial chardev:serial";

static void
add_option(GPtrArray *args, const char *option, const char *value)
{
    g_ptr_array_add(args, g_strdup(option));
    g_ptr_array_add(args, g_strdup(value));
}

/* As libvirt has them, but with the engine that ours has. */
static void
add_devices(GPtrArray *args, const GuestSpec *spec)
{
    g_autofree char *drive =
        g_strdup_printf("if=none,id=disk,format=raw,aio=io_uring,cache=%s,file=%s",
                        spec->direct ? "none" : "writeback", spec->disk);
    g_autofree char *tap =
        g_strdup_printf("tap,id=net,script=no,downscript=no,vhost=off,ifname=%s", spec->tap);

    if (spec->disk) {
        add_option(args, "-drive", drive);
        add_option(args, "-device", "virtio-blk-pci,disable-legacy=on,drive=disk,num-queues=1");
    }
    if (spec->tap) {
        add_option(args, "-netdev", tap);
        add_option(args, "-device", "virtio-net-pci,disable-legacy=on,netdev=net");
    }
}

static GPtrArray *
command_line(const Guest *guest)
{
    const GuestSpec *spec = guest->spec;
    GPtrArray *args = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *memory = g_strdup_printf("%u", spec->memory_mib);
    g_auto(GStrv) words = g_strsplit(fixed_words, " ", -1);

    g_ptr_array_add(args, g_strdup(program()));
    for (char **word = words; *word; word++)
        g_ptr_array_add(args, g_strdup(*word));
    add_option(args, "-machine", guest->contender->machine);
    add_option(args, "-m", memory);
    add_option(args, "-kernel", spec->kernel);
    add_option(args, "-append", spec->cmdline);
    if (spec->initrd)
        add_option(args, "-initrd", spec->initrd);
    add_devices(args, spec);
    g_ptr_array_add(args, NULL);
    return args;
}

/* In the child. Descriptors are moved out of the way first, for a target may be another's source. */
static void
exec_qemu(char **args, int control, int serial, int log_fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    control = fcntl(control, F_DUPFD_CLOEXEC, 10);
    serial = fcntl(serial, F_DUPFD_CLOEXEC, 10);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(log_fd, STDERR_FILENO);
    if (dup2(control, CONTROL_FD) < 0 || dup2(serial, SERIAL_FD) < 0)
        _exit(126);
    syscall(SYS_close_range, SERIAL_FD + 1, ~0u, 0);
    execv(args[0], args);
    _exit(127);
}

static void
qemu_spawn(Guest *guest, int serial)
{
    QemuGuest *qemu = (QemuGuest *)guest;
    g_autoptr(GPtrArray) args = command_line(guest);
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        g_error("socketpair: %s", g_strerror(errno));
    qemu->control = ends[0];
    qemu->log_fd = memfd_create("log", MFD_CLOEXEC);
    guest->pid = fork();
    if (guest->pid < 0)
        g_error("fork: %s", g_strerror(errno));
    if (guest->pid == 0)
        exec_qemu((char **)args->pdata, ends[1], serial, qemu->log_fd);
    close(ends[1]);
}

static char *
qemu_log(const Guest *guest)
{
    char *text = g_malloc0(4096);

    if (pread(((const QemuGuest *)guest)->log_fd, text, 4095, 0) < 0)
        text[0] = 0;
    return text;
}

/* QMP speaks first: a greeting of one line. */
static void
qemu_wait_control(Guest *guest)
{
    struct pollfd poller = { .fd = ((QemuGuest *)guest)->control, .events = POLLIN };
    char text[4096] = "";

    if (poll(&poller, 1, LIMIT_MS) != 1 || read(poller.fd, text, sizeof(text) - 1) <= 0 ||
        !strstr(text, "\"QMP\"")) {
        g_autofree char *log = qemu_log(guest);

        g_error("%s does not greet: '%s'.\nIts log:\n%s", guest->contender->name, text, log);
    }
}

static void
qemu_end(Guest *guest)
{
    QemuGuest *qemu = (QemuGuest *)guest;

    kill(guest->pid, SIGKILL); /* still ours: nobody else reaps it */
    while (waitpid(guest->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close(qemu->control);
    close(qemu->log_fd);
}

#define QEMU(short_name, machine_name)                                                             \
    {                                                                                              \
        .name = short_name, .machine = machine_name, .guest_size = sizeof(QemuGuest),              \
        .spawn = qemu_spawn, .wait_control = qemu_wait_control, .end = qemu_end, .log = qemu_log,  \
    }

const Contender contender_qemu_q35 = QEMU("qemu-q35", "q35");
const Contender contender_qemu_microvm = QEMU("qemu-microvm", "microvm");
/* Without SeaBIOS' option ROMs it boots by way of qboot, which knows Linux and nothing else. */
const Contender contender_qemu_microvm_qboot =
    QEMU("qemu-microvm-qboot", "microvm,x-option-roms=off");
