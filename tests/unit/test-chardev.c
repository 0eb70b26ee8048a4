/* Character devices on real ptys, sockets and files. */
#include "qemu-kvm-backend/backlog.h"
#include "tests/unit/chardev-fixture.h"
#include "tests/unit/raw-pty.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

static Fixture *
start_pty(bool with_watch)
{
    VmmMsg *params = params_new("pty");
    int master = raw_pty_open();
    g_autofree char *slave = g_strdup(ptsname(master));
    Fixture *f;

    if (with_watch) {
        int watch = inotify_init1(IN_CLOEXEC);

        g_assert_cmpint(inotify_add_watch(watch, slave, IN_OPEN), >=, 0);
        vmm_msg_put_fd(params, "watch", watch);
    }
    vmm_msg_put_fd(params, "fd", master);
    f = start(params);
    f->slave = g_steal_pointer(&slave);
    return f;
}

static int
open_slave(Fixture *f)
{
    int fd = open(f->slave, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void
test_pty_both_ways(void)
{
    Fixture *f = start_pty(true);
    int fd = open_slave(f);

    terminal_types(fd, "root\r");
    wait_for_input(f, "root\r");
    guest_says(f, "login: \r\n"); /* raw: nothing is translated */
    terminal_sees(fd, "login: \r\n");
    check_quiet(f);
    wait_for_input(f, "root\r"); /* no echo */
    close(fd);
    stop(f);
}

static void
test_pty_backlog_first(void)
{
    Fixture *f = start_pty(true);
    int fd;

    guest_says(f, "Linux version 6.1\n");
    check_quiet(f);
    guest_says(f, "more\n");
    fd = open_slave(f);
    terminal_sees(fd, "Linux version 6.1\nmore\n");
    guest_says(f, "live\n");
    terminal_sees(fd, "live\n");
    close(fd);
    stop(f);
}

static void
test_pty_comes_and_goes(void)
{
    Fixture *f = start_pty(true);
    g_autoptr(GString) input = g_string_new(NULL);

    for (unsigned i = 0; i < 5; i++) {
        g_autofree char *away = g_strdup_printf("away %u\n", i);
        g_autofree char *here = g_strdup_printf("here %u\n", i);
        int fd;

        guest_says(f, away);
        fd = open_slave(f);
        terminal_sees(fd, away);
        guest_says(f, here);
        terminal_sees(fd, here);
        terminal_types(fd, here);
        g_string_append(input, here);
        wait_for_input(f, input->str);
        close(fd);
        check_quiet(f); /* a hung-up master says so without end */
    }
    stop(f);
}

/* Whoever only drops a line is heard, and takes nothing of the backlog with him but what he was
 * given. */
static void
test_pty_open_and_close_at_once(void)
{
    Fixture *f = start_pty(true);
    int fd;

    fd = open_slave(f);
    terminal_types(fd, "echo hello\r");
    close(fd);
    wait_for_input(f, "echo hello\r");
    for (unsigned i = 0; i < 50; i++)
        close(open_slave(f));
    check_quiet(f);
    guest_says(f, "hello\n");
    fd = open_slave(f);
    terminal_sees(fd, "hello\n");
    close(fd);
    stop(f);
}

static void
test_pty_two_terminals(void)
{
    Fixture *f = start_pty(true);
    int first = open_slave(f), second = open_slave(f);

    guest_says(f, "a");
    terminal_sees(first, "a");
    close(first);
    guest_says(f, "b");
    terminal_sees(second, "b");
    terminal_types(second, "c");
    wait_for_input(f, "c");
    close(second);
    stop(f);
}

static void
test_pty_overflow(void)
{
    Fixture *f = start_pty(true);
    g_autofree char *text = numbered_lines(20000);
    size_t size = strlen(text);
    GString *seen;
    int fd;

    for (size_t at = 0; at < size; at += 1000)
        guest_writes(f, text + at, MIN(1000, size - at));
    fd = open_slave(f);
    seen = terminal_reads(fd, BACKLOG_SIZE, PATIENCE_MS);
    g_assert_cmpuint(seen->len, ==, BACKLOG_SIZE);
    g_assert_cmpstr(seen->str, ==, text + size - BACKLOG_SIZE);
    g_string_free(seen, TRUE);
    guest_says(f, "live\n");
    terminal_sees(fd, "live\n");
    close(fd);
    stop(f);
}

/* A terminal that stands still (Ctrl-S) and goes on gets the newest, in order, and the guest never
 * waited. */
static void
test_pty_slow_terminal(void)
{
    Fixture *f = start_pty(true);
    g_autofree char *text = numbered_lines(4000);
    size_t size = strlen(text);
    int fd = open_slave(f);
    GString *seen;

    guest_says(f, "up\n");
    terminal_sees(fd, "up\n");
    for (size_t at = 0; at < size; at += 100)
        guest_writes(f, text + at, MIN(100, size - at));
    check_quiet(f);
    seen = terminal_reads(fd, size, PATIENCE_MS);
    g_assert_cmpstr(seen->str, ==, text);
    g_string_free(seen, TRUE);
    close(fd);
    stop(f);
}

static void
test_pty_room(void)
{
    Fixture *f = start_pty(true);
    int fd;

    make_room(f, 3);
    fd = open_slave(f);
    terminal_types(fd, "abcdefgh");
    wait_for_input(f, "abc");
    check_quiet(f);
    make_room(f, 2);
    wait_for_input(f, "abcde");
    close(fd); /* what was typed stays */
    check_quiet(f);
    make_room(f, 100);
    wait_for_input(f, "abcdefgh");
    stop(f);
}

static void
test_pty_without_watch(void)
{
    Fixture *f = start_pty(false);
    int fd;

    guest_says(f, "early\n");
    check_quiet(f);
    fd = open_slave(f);
    terminal_sees(fd, "early\n");
    guest_says(f, "live\n");
    terminal_sees(fd, "live\n");
    close(fd);
    check_quiet(f);
    guest_says(f, "late\n");
    fd = open_slave(f);
    terminal_sees(fd, "late\n");
    close(fd);
    stop(f);
}

/* A terminal and a guest that never stop, for a while, with terminals coming and going: nothing
 * that was typed is lost, twice or out of order. */
static void
test_pty_traffic(void)
{
    Fixture *f = start_pty(true);
    g_autofree char *text = numbered_lines(2000);
    int fd = open_slave(f);

    for (size_t at = 0; at < strlen(text); at += 10) {
        struct pollfd pollfd = { fd, POLLOUT, 0 };
        char seen[64];

        guest_writes(f, "0123456789abcdef", 16);
        g_assert_cmpint(poll(&pollfd, 1, PATIENCE_MS), ==, 1);
        g_assert_cmpint(write(fd, text + at, 10), ==, 10);
        while (read(fd, seen, sizeof(seen)) > 0)
            ;
        if (at % 1000 == 0) {
            int next = at % 2000 ? open_slave(f) : -1;

            close(fd);
            fd = next >= 0 ? next : open_slave(f);
        }
    }
    wait_for_input(f, text);
    close(fd);
    stop(f);
}

static void
test_file_and_log(void)
{
    VmmMsg *params = params_new("file");
    g_autofree char *path = NULL, *log_path = NULL;
    int fd = temporary_file(&path);
    Fixture *f;

    g_assert_cmpint(write(fd, "old\n", 4), ==, 4);
    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    vmm_msg_put_fd(params, "fd", fd);
    vmm_msg_put_bool(params, "append", true);
    vmm_msg_put_fd(params, "log", temporary_file(&log_path));
    f = start(params);
    guest_says(f, "new\n");
    pthread_mutex_lock(&f->lock);
    chardev_accept(f->chardev);
    pthread_mutex_unlock(&f->lock);
    stop(f);
    check_file(path, "old\nnew\n");
    check_file(log_path, "new\n");
}

/* How it is set is whoever opened it's to say: a guest's process has no right to look or to change that. */
static void
test_pty_modes(void)
{
    VmmMsg *params = params_new("pty");
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios before, after;
    Fixture *f;

    g_assert_cmpint(tcgetattr(master, &before), ==, 0);
    g_assert_true(before.c_lflag & ECHO);
    vmm_msg_put_fd(params, "fd", master);
    f = start(params);
    g_assert_cmpint(tcgetattr(master, &after), ==, 0);
    g_assert_cmphex(after.c_iflag, ==, before.c_iflag);
    g_assert_cmphex(after.c_oflag, ==, before.c_oflag);
    g_assert_cmphex(after.c_lflag, ==, before.c_lflag);
    stop(f);
}

/* The log has everything, the pty what it can take. */
static void
test_pty_and_log(void)
{
    VmmMsg *params = params_new("pty");
    g_autofree char *text = numbered_lines(10000);
    g_autofree char *log_path = NULL;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    Fixture *f;

    vmm_msg_put_fd(params, "fd", master);
    vmm_msg_put_fd(params, "log", temporary_file(&log_path));
    f = start(params);
    guest_writes(f, text, strlen(text));
    stop(f);
    check_file(log_path, text);
}

/* A reader that does not read costs its output, not the guest's time. */
static void
test_full_pipe(void)
{
    VmmMsg *params = params_new("file");
    g_autofree char *text = numbered_lines(10000);
    GString *seen;
    Fixture *f;
    int fds[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    vmm_msg_put_fd(params, "fd", fds[1]);
    f = start(params);
    guest_writes(f, text, strlen(text));
    seen = terminal_reads(fds[0], G_MAXSIZE, 100);
    g_assert_cmpuint(seen->len, >=, 4096);
    g_assert_cmpuint(seen->len, <, strlen(text));
    g_assert_cmpmem(seen->str, seen->len, text, seen->len);
    guest_says(f, "on\n");
    terminal_sees(fds[0], "on\n");
    g_string_free(seen, TRUE);
    close(fds[0]);
    stop(f);
}

static void
test_null(void)
{
    Fixture *f = start(params_new("null"));

    guest_says(f, "nobody hears this");
    pthread_mutex_lock(&f->lock);
    chardev_accept(f->chardev);
    pthread_mutex_unlock(&f->lock);
    stop(f);
}

/* Sockets: the test is the client. */

static Fixture *
start_socket(void)
{
    VmmMsg *params = params_new("socket");
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Fixture *f;

    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    g_assert_cmpint(getsockname(listener, (struct sockaddr *)&address, &size), ==, 0);
    vmm_msg_put_fd(params, "fd", listener);
    f = start(params);
    f->port = address.sin_port;
    return f;
}

static int
connect_to(const Fixture *f)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = f->port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(connect(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
    return fd;
}

/* What nobody was there for is kept for who comes first; the next one waits for that one to leave. */
static void
test_socket(void)
{
    Fixture *f = start_socket();
    int first, second;

    guest_says(f, "boot\n");
    first = connect_to(f);
    terminal_sees(first, "boot\n");
    guest_says(f, "login: ");
    terminal_sees(first, "login: ");
    terminal_types(first, "root\r");
    wait_for_input(f, "root\r");
    second = connect_to(f);
    guest_says(f, "more\n");
    terminal_sees(first, "more\n");
    close(first);
    terminal_types(second, "ls\r"); /* is heard once it has its turn, with the first one gone */
    wait_for_input(f, "root\rls\r");
    guest_says(f, "files\n");
    terminal_sees(second, "files\n");
    check_quiet(f);
    close(second);
    stop(f);
}

/* A guest that has no room yet gets what was typed when it has; one that talks to nobody keeps the newest. */
static void
test_socket_room_and_backlog(void)
{
    Fixture *f = start_socket();
    g_autofree char *much = g_strnfill(BACKLOG_SIZE + 1000, 'x');
    GString *text;
    int fd;

    f->room = 2;
    guest_writes(f, much, BACKLOG_SIZE + 1000);
    guest_says(f, "end");
    fd = connect_to(f);
    text = terminal_reads(fd, BACKLOG_SIZE, PATIENCE_MS);
    g_assert_cmpuint(text->len, ==, BACKLOG_SIZE);
    g_assert_true(g_str_has_suffix(text->str, "xend"));
    g_string_free(text, TRUE);
    terminal_types(fd, "abcd");
    wait_for_input(f, "ab");
    pthread_mutex_lock(&f->lock);
    f->room = 10;
    chardev_accept(f->chardev);
    pthread_mutex_unlock(&f->lock);
    wait_for_input(f, "abcd");
    close(fd);
    stop(f);
}

static void
check_refused(VmmMsg *params, const char *text)
{
    vmm_msg_auto msg = params;
    Loop *loop = loop_new();
    ChardevOwner owner = { .name = "com1" };
    VmmError err;

    g_assert_null(chardev_new(loop, msg, &owner, &err));
    g_assert_cmpstr(err.text, ==, text);
    loop_free(loop);
}

static void
test_wrong_params(void)
{
    check_refused(vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device"),
                  "Character device 'com1' has no kind");
    check_refused(params_new("tcp"), "Character device 'com1' is of unknown kind 'tcp'");
    check_refused(params_new("pty"), "Character device 'com1' of kind 'pty' has no descriptor");
    check_refused(params_new("stream"), "Character device 'com1' of kind 'stream' has no descriptor");
    check_refused(params_new("broker"), "Character device 'com1' of kind 'broker' has no descriptor");
}

static void
test_backlog(void)
{
    Backlog backlog = { 0 };
    g_autofree uint8_t *bytes = g_malloc(3 * BACKLOG_SIZE);
    const uint8_t *at;
    size_t size;

    for (size_t i = 0; i < 3 * BACKLOG_SIZE; i++)
        bytes[i] = i % 251;
    g_assert_null(backlog_peek(&backlog, &size));
    g_assert_cmpuint(backlog_put(&backlog, bytes, 0), ==, 0);
    g_assert_null(backlog.ring);
    g_assert_cmpuint(backlog_put(&backlog, bytes, BACKLOG_SIZE), ==, 0);
    backlog_take(&backlog, 100);
    g_assert_cmpuint(backlog_put(&backlog, bytes + BACKLOG_SIZE, 110), ==, 10);
    at = backlog_peek(&backlog, &size); /* up to the ring's end, then from its start */
    g_assert_cmpmem(at, size, bytes + 110, BACKLOG_SIZE - 110);
    backlog_take(&backlog, size);
    at = backlog_peek(&backlog, &size);
    g_assert_cmpmem(at, size, bytes + BACKLOG_SIZE, 110);
    g_assert_cmpuint(backlog_put(&backlog, bytes, 3 * BACKLOG_SIZE), ==, 2 * BACKLOG_SIZE + 110);
    g_assert_cmpuint(backlog.used, ==, BACKLOG_SIZE);
    at = backlog_peek(&backlog, &size);
    g_assert_cmpmem(at, size, bytes + 2 * BACKLOG_SIZE, size);
    backlog_take(&backlog, BACKLOG_SIZE);
    g_assert_null(backlog.ring); /* empty ones hold no memory */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/backlog", test_backlog);
    g_test_add_func("/chardev/pty/both-ways", test_pty_both_ways);
    g_test_add_func("/chardev/pty/backlog-first", test_pty_backlog_first);
    g_test_add_func("/chardev/pty/comes-and-goes", test_pty_comes_and_goes);
    g_test_add_func("/chardev/pty/open-and-close-at-once", test_pty_open_and_close_at_once);
    g_test_add_func("/chardev/pty/two-terminals", test_pty_two_terminals);
    g_test_add_func("/chardev/pty/overflow", test_pty_overflow);
    g_test_add_func("/chardev/pty/slow-terminal", test_pty_slow_terminal);
    g_test_add_func("/chardev/pty/room", test_pty_room);
    g_test_add_func("/chardev/pty/without-watch", test_pty_without_watch);
    g_test_add_func("/chardev/pty/traffic", test_pty_traffic);
    g_test_add_func("/chardev/pty/modes", test_pty_modes);
    g_test_add_func("/chardev/pty/log", test_pty_and_log);
    g_test_add_func("/chardev/file/append-and-log", test_file_and_log);
    g_test_add_func("/chardev/file/full-pipe", test_full_pipe);
    g_test_add_func("/chardev/socket/clients", test_socket);
    g_test_add_func("/chardev/socket/room-and-backlog", test_socket_room_and_backlog);
    g_test_add_func("/chardev/null", test_null);
    g_test_add_func("/chardev/wrong-params", test_wrong_params);
    return g_test_run();
}
