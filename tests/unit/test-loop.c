#include "qemu-kvm-backend/loop.h"

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/iothread.h"
#include "qemu-kvm-backend/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Loop, loop_free)

typedef struct Probe {
    Loop *loop;
    LoopSource *source;
    LoopSource *victim;
    int fd;
    guint calls;
    guint quit_at;
    gint64 when_us;
} Probe;

static void
on_probe(void *data, uint32_t events)
{
    Probe *probe = data;
    eventfd_t count;

    if (probe->fd >= 0)
        eventfd_read(probe->fd, &count);
    probe->when_us = g_get_monotonic_time();
    if (++probe->calls == probe->quit_at)
        loop_quit(probe->loop);
    if (probe->victim) {
        loop_source_free(probe->victim);
        probe->victim = NULL;
    }
}

static Probe
new_fd_probe(Loop *loop)
{
    return (Probe){ .loop = loop, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
}

static void
test_fd(void)
{
    g_autoptr(Loop) loop = loop_new();
    Probe probe = new_fd_probe(loop);

    probe.quit_at = 1;
    probe.source = loop_add_fd(loop, probe.fd, EPOLLIN, on_probe, &probe);
    g_assert_nonnull(probe.source);
    eventfd_write(probe.fd, 1);
    loop_run(loop);
    g_assert_cmpuint(probe.calls, ==, 1);
    loop_source_free(probe.source);
    close(probe.fd);
}

static void
test_events(void)
{
    g_autoptr(Loop) loop = loop_new();
    Probe muted = new_fd_probe(loop), ender = { .loop = loop, .fd = -1, .quit_at = 1 };

    muted.source = loop_add_fd(loop, muted.fd, EPOLLIN, on_probe, &muted);
    ender.source = loop_add_timer(loop, on_probe, &ender);
    loop_source_set_events(muted.source, 0);
    loop_timer_set(ender.source, 10);
    eventfd_write(muted.fd, 1);
    loop_run(loop);
    g_assert_cmpuint(muted.calls, ==, 0);
    close(muted.fd);
}

static void
test_regular_file(void)
{
    g_autoptr(Loop) loop = loop_new();
    int fd = memfd_create("file", MFD_CLOEXEC);

    g_assert_null(loop_add_fd(loop, fd, EPOLLIN, on_probe, NULL));
    g_assert_cmpint(errno, ==, EPERM);
    close(fd);
}

/* Of two sources that are ready at once, the first to run frees the other, which then never runs. */
static void
test_free_other(void)
{
    g_autoptr(Loop) loop = loop_new();
    Probe a = new_fd_probe(loop), b = new_fd_probe(loop);

    a.quit_at = b.quit_at = 1;
    a.source = b.victim = loop_add_fd(loop, a.fd, EPOLLIN, on_probe, &a);
    b.source = a.victim = loop_add_fd(loop, b.fd, EPOLLIN, on_probe, &b);
    eventfd_write(a.fd, 1);
    eventfd_write(b.fd, 1);
    loop_run(loop);
    g_assert_cmpuint(a.calls + b.calls, ==, 1);
    close(a.fd);
    close(b.fd);
}

static void
test_free_itself(void)
{
    g_autoptr(Loop) loop = loop_new();
    Probe once = new_fd_probe(loop), ender = { .loop = loop, .fd = -1, .quit_at = 1 };

    once.source = once.victim = loop_add_fd(loop, once.fd, EPOLLOUT, on_probe, &once);
    ender.source = loop_add_timer(loop, on_probe, &ender);
    loop_timer_set(ender.source, 10);
    loop_run(loop); /* writable all the time, and yet */
    g_assert_cmpuint(once.calls, ==, 1);
    close(once.fd);
}

static void
test_timers(void)
{
    g_autoptr(Loop) loop = loop_new();
    Probe early = { .loop = loop, .fd = -1 }, late = { .loop = loop, .fd = -1, .quit_at = 1 };
    Probe stopped = { .loop = loop, .fd = -1 };
    gint64 begin = g_get_monotonic_time();

    late.source = loop_add_timer(loop, on_probe, &late);
    early.source = loop_add_timer(loop, on_probe, &early);
    stopped.source = loop_add_timer(loop, on_probe, &stopped);
    loop_timer_set(late.source, 30);
    loop_timer_set(early.source, 10);
    loop_timer_set(stopped.source, 15);
    loop_timer_set(stopped.source, 0);
    loop_run(loop);
    g_assert_cmpuint(early.calls, ==, 1); /* one shot */
    g_assert_cmpuint(late.calls, ==, 1);
    g_assert_cmpuint(stopped.calls, ==, 0);
    g_assert_cmpint(early.when_us, >=, begin + 10000);
    g_assert_cmpint(late.when_us, >=, begin + 30000);
    g_assert_cmpint(early.when_us, <=, late.when_us);
}

typedef struct Letters {
    Loop *loop;
    Mailbox *mailbox;
    guint events;
    guint endings;
    guint32 last[4];
} Letters;

static void
on_mail(void *data)
{
    Letters *letters = data;
    VmmMsg *event;
    Ending ending;

    while ((event = mailbox_take_event(letters->mailbox))) {
        guint64 from = 0, number = 0;

        g_assert_true(vmm_msg_get_u64(event, "from", &from));
        g_assert_true(vmm_msg_get_u64(event, "number", &number));
        g_assert_cmpuint(number, ==, ++letters->last[from]); /* in order, none lost */
        letters->events++;
        vmm_msg_free(event);
    }
    if (mailbox_take_ending(letters->mailbox, &ending)) {
        g_assert_cmpstr(ending.reason, ==, "poweroff");
        letters->endings++;
    }
    if (letters->events == 4 * 500 && letters->endings > 0)
        loop_quit(letters->loop);
}

typedef struct Writer {
    Mailbox *mailbox;
    guint number;
    guint first_endings;
    pthread_t thread;
} Writer;

static void *
writer(void *data)
{
    Writer *self = data;

    for (guint i = 1; i <= 500; i++) {
        VmmMsg *event = vmm_msg_new(VMM_MSG_EVENT, 0, "news");

        vmm_msg_put_u64(event, "from", self->number);
        vmm_msg_put_u64(event, "number", i);
        mailbox_post_event(self->mailbox, event);
        if (i == 250 && mailbox_post_ending(self->mailbox, "poweroff", "text"))
            self->first_endings++;
    }
    return NULL;
}

static void
test_mailbox(void)
{
    g_autoptr(Loop) loop = loop_new();
    Letters letters = { .loop = loop };
    Writer writers[4];
    guint first_endings = 0;

    letters.mailbox = mailbox_new(loop, on_mail, &letters);
    for (guint i = 0; i < 4; i++) {
        writers[i] = (Writer){ .mailbox = letters.mailbox, .number = i };
        pthread_create(&writers[i].thread, NULL, writer, &writers[i]);
    }
    loop_run(loop);
    for (guint i = 0; i < 4; i++) {
        pthread_join(writers[i].thread, NULL);
        first_endings += writers[i].first_endings;
    }
    on_mail(&letters); /* an ending that came after the last event was read */
    g_assert_cmpuint(letters.endings, ==, first_endings);
    mailbox_free(letters.mailbox);
}

typedef struct Count {
    pthread_t thread; /* that counts */
    guint n;
} Count;

static void
count(void *data)
{
    Count *counter = data;

    if (counter->n == 0)
        counter->thread = pthread_self();
    g_assert_true(pthread_equal(counter->thread, pthread_self()));
    counter->n++;
}

static gpointer
count_in(gpointer data)
{
    gpointer *args = data;

    for (int i = 0; i < 500; i++)
        loop_run_in(args[0], count, args[1]);
    return NULL;
}

/* Calls from two threads arrive in the loop's own, one by one, and have been served when they return. */
static void
test_run_in(void)
{
    IoThread *thread = iothread_new("io test");
    Count counter = { 0 }, own = { 0 };
    Loop *loop = loop_new();
    gpointer args[] = { NULL, &counter };
    GThread *caller;

    g_assert_nonnull(thread);
    args[0] = iothread_loop(thread);
    caller = g_thread_new("caller", count_in, args);
    count_in(args);
    g_thread_join(caller);
    g_assert_cmpuint(counter.n, ==, 1000);
    g_assert_false(pthread_equal(counter.thread, pthread_self()));
    iothread_free(thread);
    loop_run_in(loop, count, &own);
    g_assert_true(pthread_equal(own.thread, pthread_self()));
    loop_free(loop);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/loop/fd", test_fd);
    g_test_add_func("/loop/events", test_events);
    g_test_add_func("/loop/regular-file", test_regular_file);
    g_test_add_func("/loop/free-other", test_free_other);
    g_test_add_func("/loop/free-itself", test_free_itself);
    g_test_add_func("/loop/timers", test_timers);
    g_test_add_func("/loop/mailbox", test_mailbox);
    g_test_add_func("/loop/run-in", test_run_in);
    return g_test_run();
}
