#include "qemu-kvm-backend/iothread.h"

#include "qemu-kvm-backend/confine.h"
#include "qemu-kvm-backend/error.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 16 /* the kernel's, NUL included */

struct IoThread {
    pthread_t thread;
    char name[NAME_SIZE];
    Loop *loop;
    sem_t started; /* @loop is there */
};

static void *
run(void *data)
{
    IoThread *thread = data;

    pthread_setname_np(pthread_self(), thread->name);
    thread->loop = loop_new();
    confine_thread(CONFINE_IO);
    sem_post(&thread->started);
    loop_run(thread->loop);
    return NULL;
}

/* Signals are for the main thread and the vCPUs. */
static int
start(IoThread *thread)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&thread->thread, NULL, run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static void
wait_for_loop(IoThread *thread)
{
    while (sem_wait(&thread->started) < 0 && errno == EINTR)
        continue;
}

IoThread *
iothread_new(const char *name)
{
    IoThread *thread = vmm_must(calloc(1, sizeof(*thread)));
    int code;

    strncpy(thread->name, name, NAME_SIZE - 1);
    sem_init(&thread->started, 0, 0);
    code = start(thread);
    if (code == 0) {
        wait_for_loop(thread);
        return thread;
    }
    sem_destroy(&thread->started);
    free(thread);
    errno = code;
    return NULL;
}

static void
quit(void *data)
{
    loop_quit(data);
}

/* The loop is not the thread's to free: its end is called for by loop_run_in(), which has the loop's lock once more when
 * the thread is done with the call. */
void
iothread_free(IoThread *thread)
{
    if (!thread)
        return;
    loop_run_in(thread->loop, quit, thread->loop);
    pthread_join(thread->thread, NULL);
    loop_free(thread->loop);
    sem_destroy(&thread->started);
    free(thread);
}

Loop *
iothread_loop(IoThread *thread)
{
    return thread->loop;
}
