#include "tests/unit/chardev-fixture.h"

#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static size_t
room(void *data)
{
    return ((Fixture *)data)->room;
}

static void
receive(void *data, const uint8_t *bytes, size_t size)
{
    Fixture *f = data;

    g_assert_cmpuint(size, <=, f->room);
    g_string_append_len(f->input, (const char *)bytes, size);
    f->room -= size;
}

static void
quit(void *data, uint32_t events)
{
    loop_quit(((Fixture *)data)->loop);
}

static gpointer
run(gpointer data)
{
    Fixture *f = data;

    pthread_getcpuclockid(pthread_self(), &f->clock);
    g_atomic_int_set(&f->has_clock, 1);
    loop_run(f->loop);
    return NULL;
}

Fixture *
start(VmmMsg *params)
{
    Fixture *f = g_new0(Fixture, 1);
    ChardevOwner owner = {
        .name = "com1", .lock = &f->lock, .room = room, .receive = receive, .data = f
    };
    vmm_msg_auto msg = params;
    VmmError err = { 0 };

    pthread_mutex_init(&f->lock, NULL);
    f->room = 1000000;
    f->input = g_string_new(NULL);
    f->loop = loop_new();
    f->quit_fd = eventfd(0, EFD_CLOEXEC);
    f->quit_source = loop_add_fd(f->loop, f->quit_fd, EPOLLIN, quit, f);
    f->chardev = chardev_new(f->loop, msg, &owner, &err);
    g_assert_cmpstr(err.text, ==, "");
    g_assert_null(vmm_msg_unread(msg));
    f->thread = g_thread_new("loop", run, f);
    while (!g_atomic_int_get(&f->has_clock))
        g_usleep(100);
    return f;
}

void
stop(Fixture *f)
{
    uint64_t one = 1;

    g_assert_cmpint(write(f->quit_fd, &one, sizeof(one)), ==, sizeof(one));
    g_thread_join(f->thread);
    chardev_free(f->chardev);
    loop_source_free(f->quit_source);
    loop_free(f->loop);
    close(f->quit_fd);
    g_string_free(f->input, TRUE);
    g_free(f->slave);
    g_free(f);
}

VmmMsg *
params_new(const char *kind)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_string(msg, "kind", kind);
    return msg;
}

void
guest_writes(Fixture *f, const char *bytes, size_t size)
{
    pthread_mutex_lock(&f->lock);
    chardev_write(f->chardev, (const uint8_t *)bytes, size);
    pthread_mutex_unlock(&f->lock);
}

void
guest_says(Fixture *f, const char *text)
{
    for (; *text; text++)
        guest_writes(f, text, 1);
}

void
wait_for_input(Fixture *f, const char *expected)
{
    for (unsigned ms = 0; ms < PATIENCE_MS; ms++) {
        bool done;

        pthread_mutex_lock(&f->lock);
        done = strcmp(f->input->str, expected) == 0;
        pthread_mutex_unlock(&f->lock);
        if (done)
            return;
        g_usleep(1000);
    }
    pthread_mutex_lock(&f->lock);
    g_assert_cmpstr(f->input->str, ==, expected);
    pthread_mutex_unlock(&f->lock);
}

GString *
terminal_reads(int fd, size_t size, int ms)
{
    GString *text = g_string_new(NULL);
    struct pollfd pollfd = { fd, POLLIN, 0 };
    char buffer[4096];

    while (text->len < size && poll(&pollfd, 1, ms) > 0) {
        ssize_t n = read(fd, buffer, MIN(sizeof(buffer), size - text->len));

        if (n <= 0)
            break;
        g_string_append_len(text, buffer, n);
    }
    return text;
}

void
terminal_sees(int fd, const char *expected)
{
    GString *text = terminal_reads(fd, strlen(expected), PATIENCE_MS);

    g_assert_cmpstr(text->str, ==, expected);
    g_string_free(text, TRUE);
}

void
terminal_types(int fd, const char *text)
{
    g_assert_cmpint(write(fd, text, strlen(text)), ==, strlen(text));
}

static uint64_t
cpu_us(Fixture *f)
{
    struct timespec time;

    g_assert_cmpint(clock_gettime(f->clock, &time), ==, 0);
    return time.tv_sec * 1000000ull + time.tv_nsec / 1000;
}

void
check_quiet(Fixture *f)
{
    uint64_t before = cpu_us(f);

    g_usleep(100000);
    g_assert_cmpuint(cpu_us(f) - before, <, 5000);
}

void
make_room(Fixture *f, size_t size)
{
    pthread_mutex_lock(&f->lock);
    f->room = size;
    chardev_accept(f->chardev);
    pthread_mutex_unlock(&f->lock);
}

char *
numbered_lines(unsigned n)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < n; i++)
        g_string_append_printf(text, "line %08u\n", i);
    return g_string_free(text, FALSE);
}

int
temporary_file(char **ret_path)
{
    int fd = g_file_open_tmp("vmctl-chardev-XXXXXX", ret_path, NULL);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

void
check_file(const char *path, const char *expected)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
    g_unlink(path);
}
