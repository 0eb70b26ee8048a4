#include "tests/guest/hostile-world.h"

#include "tests/guest/guest-rom.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB       (1ull << 20)
#define RAM       (32 * MIB)
#define DISK      (1 * MIB)
#define VARIABLES (64u << 10) /* the firmware's */
#define FRAME_MAX 1514

#define PATIENCE_TICKS 3000 /* of 10 ms, on a machine that is busy */

static VmmMsg *
device(World *world, const char *id, const char *bus, const char *name)
{
    VmmMsg *msg = vmm_request(world->vmm, VMM_ADD_DEVICE);

    vmm_msg_put_string(msg, "class", name ? VMM_CLASS_VIRTIO_PCI : VMM_CLASS_ROOT_PORT);
    vmm_msg_put_string(msg, "id", id);
    vmm_msg_put_string(msg, "bus", bus);
    if (name)
        vmm_msg_put_string(msg, "device", name);
    return msg;
}

static void
add(World *world, VmmMsg *msg)
{
    vmm_accept(vmm_call(world->vmm, msg));
}

static void
add_disk(World *world, const char *id, const char *bus, const char *io)
{
    VmmMsg *msg = device(world, id, bus, "blk");
    int fd = memfd_create(id, MFD_CLOEXEC);

    g_assert_no_errno(ftruncate(fd, DISK));
    vmm_msg_put_fd(msg, "fd", fd);
    vmm_msg_put_string(msg, "io", io);
    vmm_msg_put_bool(msg, "discard", true);
    vmm_msg_put_u64(msg, "queues", 2);
    if (strcmp(io, "threads") == 0)
        vmm_msg_put_u64(msg, "iothread", 1);
    add(world, msg);
}

/* qemu-img's exit status. */
static int
qemu_img(const char *command, const char *path, const char *size)
{
    const char *words[] = { "qemu-img", command, "-q", "-f", "qcow2", path, size, NULL };
    int status;

    g_assert_true(g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL));
    return WEXITSTATUS(status);
}

/* On a qcow2 image, whose tables are none of the guest's to write. */
static void
add_image(World *world)
{
    VmmMsg *msg = device(world, "image", "pcie.0", "blk");
    int fd;

    world->image = g_strdup_printf("%s/vmctl-hostile-%d.qcow2", g_get_tmp_dir(), (int)getpid());
    g_assert_cmpint(qemu_img("create", world->image, "1M"), ==, 0);
    fd = open(world->image, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    vmm_msg_put_fd(msg, "fd", fd);
    vmm_msg_put_string(msg, "format", "qcow2");
    vmm_msg_put_bool(msg, "discard", true);
    add(world, msg);
}

/* A drive, empty at first. */
static void
add_drive(World *world)
{
    VmmMsg *msg = device(world, "drive", "pcie.0", "blk");

    vmm_msg_put_bool(msg, "removable", true);
    add(world, msg);
}

static void
add_net(World *world, unsigned i, const char *bus, bool thread)
{
    g_autofree char *id = g_strdup_printf("net%u", i);
    VmmMsg *msg = device(world, id, bus, "net");
    int fds[2];

    if (world->nets[i] >= 0)
        close(world->nets[i]);
    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
    world->nets[i] = fds[0];
    vmm_msg_put_string(msg, "mac", "52:54:00:12:34:56");
    vmm_msg_put_string(msg, "backend", "stream");
    vmm_msg_put_fd(msg, "fd", fds[1]);
    vmm_msg_put_bool(msg, "thread", thread);
    add(world, msg);
}

static void
add_console(World *world)
{
    VmmMsg *msg = device(world, "console", "pcie.0", "console");
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    world->path = g_strdup_printf("%s/vmctl-hostile-%d", g_get_tmp_dir(), (int)getpid());
    g_strlcpy(address.sun_path, world->path, sizeof(address.sun_path));
    world->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_no_errno(bind(world->listener, (struct sockaddr *)&address, sizeof(address)));
    g_assert_no_errno(listen(world->listener, 1));
    vmm_msg_put_string(msg, "port-0-kind", "null");
    vmm_msg_put_bool(msg, "port-0-console", true);
    vmm_msg_put_string(msg, "port-1-kind", "socket");
    vmm_msg_put_string(msg, "port-1-name", "org.qemu.guest_agent.0");
    vmm_msg_put_fd(msg, "port-1-fd", fcntl(world->listener, F_DUPFD_CLOEXEC, 0));
    add(world, msg);
}

static void
add_balloon(World *world)
{
    VmmMsg *msg = device(world, "balloon", "pcie.0", "balloon");

    vmm_msg_put_bool(msg, "reporting", true);
    vmm_msg_put_bool(msg, "deflate-on-oom", true);
    vmm_msg_put_u64(msg, "stats-period", 1);
    add(world, msg);
}

/* A second serial port, on a pipe that is soon full. */
static void
add_serial(World *world)
{
    VmmMsg *msg = vmm_request(world->vmm, VMM_ADD_DEVICE);
    int fds[2];

    g_assert_no_errno(pipe2(fds, O_CLOEXEC));
    vmm_msg_put_string(msg, "class", VMM_CLASS_SERIAL);
    vmm_msg_put_string(msg, "id", "serial1");
    vmm_msg_put_u64(msg, "port", 1);
    vmm_msg_put_string(msg, "kind", "file");
    vmm_msg_put_fd(msg, "fd", fds[1]);
    vmm_msg_put_fd(msg, "log", open("/dev/null", O_WRONLY | O_CLOEXEC));
    add(world, msg);
    close(fds[0]);
}

static void
add_vsock(World *world)
{
    VmmMsg *msg = device(world, "vsock", "pcie.0", "vsock");

    streams_init(&world->streams, msg);
    add(world, msg);
}

/* What watches over a guest. */
static void
add_guards(World *world)
{
    static const char *const classes[] = { VMM_CLASS_I6300ESB, VMM_CLASS_PVPANIC_PCI,
                                           VMM_CLASS_PVPANIC };

    for (gsize i = 0; i < G_N_ELEMENTS(classes); i++) {
        VmmMsg *msg = vmm_request(world->vmm, VMM_ADD_DEVICE);

        vmm_msg_put_string(msg, "class", classes[i]);
        vmm_msg_put_string(msg, "id", classes[i]);
        add(world, msg);
    }
}

static VmmMsg *
firmware_request(World *world, guint vcpus, const char *cmdline)
{
    VmmMsg *msg = vmm_request(world->vmm, VMM_CREATE);
    int variables = memfd_create("variables", MFD_CLOEXEC),
        file = memfd_create("file", MFD_CLOEXEC);

    g_assert_no_errno(ftruncate(variables, VARIABLES));
    g_assert_no_errno(ftruncate(file, VARIABLES));
    vmm_msg_put_fd(msg, "kvm", open("/dev/kvm", O_RDWR | O_CLOEXEC));
    vmm_msg_put_fd(msg, "record", vmm_record_fd(world->vmm));
    vmm_msg_put_u64(msg, "memory", RAM);
    vmm_msg_put_u64(msg, "vcpus", vcpus);
    vmm_msg_put_fd(msg, "firmware", guest_rom(cmdline));
    vmm_msg_put_fd(msg, "nvram", variables);
    vmm_msg_put_string(msg, "fw-cfg-0-name", "opt/file");
    vmm_msg_put_fd(msg, "fw-cfg-0-fd", file);
    return msg;
}

static VmmMsg *
create_request(World *world, const char *guest, guint vcpus, const char *cmdline)
{
    g_autofree char *kernel = NULL;

    if (!guest)
        return firmware_request(world, vcpus, cmdline);
    kernel = vmm_built(guest);
    return vmm_create_kernel_request(world->vmm, kernel, NULL, RAM, vcpus, cmdline);
}

/* Whatever the guest does to the machine, it starts over. */
static void
create(World *world, const char *guest, guint vcpus, guint seed)
{
    static const char *const events[] = { "on-poweroff", "on-reboot", "on-crash" };
    g_autofree char *cmdline = g_strdup_printf("hostile %u", seed);
    VmmMsg *msg = create_request(world, guest, vcpus, cmdline);

    for (gsize i = 0; i < G_N_ELEMENTS(events); i++)
        vmm_msg_put_string(msg, events[i], VMM_ACTION_RESET);
    add(world, msg);
}

World *
world_new(const char *guest, guint vcpus, guint seed)
{
    World *world = g_new0(World, 1);

    world->vmm = vmm_spawn();
    world->rand = g_rand_new_with_seed(seed);
    world->nets[0] = world->nets[1] = world->client = -1;
    create(world, guest, vcpus, seed);
    vmm_add_serial(world->vmm);
    add_serial(world);
    add(world, device(world, "rp0", "pcie.0", NULL));
    add(world, device(world, "rp1", "pcie.0", NULL));
    add_disk(world, "disk0", "pcie.0", "io_uring");
    add_disk(world, "disk1", "rp0", "threads");
    add_image(world);
    add_drive(world);
    add_net(world, 0, "pcie.0", true);
    add_net(world, 1, "rp1", false);
    add(world, device(world, "rng", "pcie.0", "rng"));
    add_balloon(world);
    add_console(world);
    add_vsock(world);
    add_guards(world);
    world->n_fds = vmm_count(world->vmm, "fd");
    vmm_do(world->vmm, VMM_RUN);
    return world;
}

void
world_free(World *world)
{
    int sound;

    vmm_free(world->vmm);
    sound = qemu_img("check", world->image, NULL);
    g_assert_true(sound == 0 || sound == 3); /* nothing is wrong, or only that clusters are lost */
    g_unlink(world->image);
    g_free(world->image);
    world_client_leaves(world);
    streams_clear(&world->streams);
    close(world->nets[0]);
    close(world->nets[1]);
    close(world->listener);
    g_unlink(world->path);
    g_free(world->path);
    g_rand_free(world->rand);
    g_free(world);
}

guint
world_take_words(World *world)
{
    g_autofree char *said = vmm_serial(world->vmm);
    gsize size = strlen(said);
    guint n = 0;

    for (; world->heard < size; world->heard++)
        n += said[world->heard] == '+';
    return n;
}

/* A frame of any bytes; now and then one that is none ends the connection, but not here. */
static void
send_frame(World *world, int fd)
{
    guint32 size = g_rand_int_range(world->rand, 14, FRAME_MAX);
    guint8 bytes[4 + FRAME_MAX];

    for (guint i = 0; i < size; i++)
        bytes[4 + i] = g_rand_int(world->rand);
    memcpy(bytes, &(guint32){ GUINT32_TO_BE(size) }, 4);
    /* Half a frame would be the end, too: a full socket takes none at all, for its size is larger. */
    if (send(fd, bytes, 4 + size, MSG_NOSIGNAL) == (ssize_t)(4 + size))
        world->n_frames_in++;
}

static void
drain(World *world, int fd, guint *count)
{
    static guint8 bytes[65536];

    while (fd >= 0 && recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        *count += 1;
}

static void
plug_again(World *world, const char *id)
{
    world->n_removed++;
    if (strcmp(id, "disk1") == 0)
        add_disk(world, id, "rp0", "threads");
    else if (strcmp(id, "net1") == 0)
        add_net(world, 1, "rp1", false);
    else
        g_error("device '%s' was removed", id);
}

static void
note_event(World *world, VmmMsg *event)
{
    const char *name = vmm_msg_name(event), *text = "";

    if (strcmp(name, VMM_EVENT_RESET) == 0 && vmm_msg_get_string(event, "reason", &text)) {
        world->n_resets++;
        world->n_crashes += strcmp(text, VMM_REASON_CRASHED) == 0;
        world->n_panics += strcmp(text, VMM_REASON_PANICKED) == 0;
    } else if (strcmp(name, VMM_EVENT_WATCHDOG) == 0) {
        world->n_bites++;
    } else if (strcmp(name, VMM_EVENT_DEVICE_REMOVED) == 0) {
        g_assert_true(vmm_msg_get_string(event, "id", &text));
        plug_again(world, text);
    } else if (strcmp(name, VMM_EVENT_STOPPED) == 0 || strcmp(name, VMM_EVENT_PAUSED) == 0) {
        vmm_msg_get_string(event, "text", &text);
        g_error("the guest has %s: %s", name, text);
    }
}

void
world_serve(World *world)
{
    VmmMsg *event;
    guint n = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(world->nets); i++) {
        drain(world, world->nets[i], &world->n_frames_out);
        if (g_rand_int_range(world->rand, 0, 4) == 0)
            send_frame(world, world->nets[i]);
    }
    streams_serve(&world->streams, world->rand);
    drain(world, world->client, &n);
    if (world->client >= 0)
        n += send(world->client, "0123456789", 10, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
    while ((event = vmm_take_event(world->vmm))) {
        note_event(world, event);
        vmm_msg_free(event);
    }
}

static void
tell(World *world, VmmMsg *msg, const char *id)
{
    vmm_msg_put_string(msg, "id", id);
    add(world, msg);
}

void
world_tell_balloon(World *world, guint64 target)
{
    VmmMsg *msg = vmm_request(world->vmm, VMM_TELL_DEVICE);

    vmm_msg_put_u64(msg, "target", target);
    tell(world, msg, "balloon");
}

void
world_tell_link(World *world, gboolean up)
{
    VmmMsg *msg = vmm_request(world->vmm, VMM_TELL_DEVICE);

    vmm_msg_put_bool(msg, "link", up);
    tell(world, msg, "net0");
}

void
world_tell_resize(World *world)
{
    VmmMsg *msg = vmm_request(world->vmm, VMM_TELL_DEVICE);

    vmm_msg_put_bool(msg, "resize", true);
    tell(world, msg, "disk0");
}

void
world_tell_medium(World *world, gboolean in)
{
    VmmMsg *msg = vmm_request(world->vmm, VMM_TELL_DEVICE);
    int fd = memfd_create("medium", MFD_CLOEXEC);

    g_assert_no_errno(ftruncate(fd, DISK));
    vmm_msg_put_bool(msg, "medium", in);
    if (in) {
        vmm_msg_put_bool(msg, "read-only", true);
        vmm_msg_put_fd(msg, "fd", fcntl(fd, F_DUPFD_CLOEXEC, 0));
    }
    close(fd);
    tell(world, msg, "drive");
}

void
world_client_comes(World *world)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (world->client >= 0)
        return;
    g_strlcpy(address.sun_path, world->path, sizeof(address.sun_path));
    world->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connect(world->client, (struct sockaddr *)&address, sizeof(address)) < 0)
        world_client_leaves(world);
}

void
world_client_leaves(World *world)
{
    if (world->client >= 0)
        close(world->client);
    world->client = -1;
}

guint
world_count_threads(World *world)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task", vmm_pid(world->vmm));
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *task;
    guint n = 0;

    g_assert_nonnull(dir);
    while ((task = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, task, "comm", NULL);
        g_autofree char *name = NULL;

        if (g_file_get_contents(file, &name, NULL, NULL))
            n += !g_str_has_prefix(name, "iou-");
    }
    return n;
}

guint
world_await_fds(World *world, guint n)
{
    guint now = vmm_count(world->vmm, "fd");

    for (guint i = 0; i < PATIENCE_TICKS && now > n; i++) {
        g_usleep(10000);
        now = vmm_count(world->vmm, "fd");
    }
    return now;
}

void
world_check_memory(World *world, guint overhead_kib)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/statm", vmm_pid(world->vmm));
    g_autofree char *text = NULL;
    guint64 pages;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpint(sscanf(text, "%*u %" G_GUINT64_FORMAT, &pages), ==, 1);
    g_assert_cmpuint(pages * 4, <, (RAM >> 10) + overhead_kib);
}

void
world_check_log(World *world, gsize size)
{
    g_autofree char *log = vmm_log(world->vmm);

    g_assert_cmpuint(strlen(log), <, size);
}
