#include "tests/bus/fake-iothreads.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "tests/bus/fake-answer.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct FakeThread {
    struct FakeThread *next;
    uint64_t id, max_ns, grow, shrink;
    pthread_t thread;
    sem_t named;
} FakeThread;

static FakeThread *threads;

static void *
idle(void *data)
{
    FakeThread *thread = data;
    char name[32];

    snprintf(name, sizeof(name), VMM_THREAD_IO, thread->id);
    pthread_setname_np(pthread_self(), name);
    sem_post(&thread->named);
    for (;;)
        pause();
    return NULL;
}

static FakeThread **
find(VmmMsg *request)
{
    FakeThread **at = &threads;
    uint64_t id = 0;

    vmm_msg_get_u64(request, "id", &id);
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

void
fake_add_iothread(Fake *fake, VmmMsg *request)
{
    FakeThread *thread = calloc(1, sizeof(*thread));

    if (*find(request) || !vmm_msg_get_u64(request, "id", &thread->id)) {
        free(thread);
        fake_refuse(fake, request, VMM_ERROR_INVALID, "this is no new I/O thread of the fake machine");
        return;
    }
    thread->max_ns = VMM_POLL_MAX_NS;
    thread->next = threads;
    threads = thread;
    sem_init(&thread->named, 0, 0);
    pthread_create(&thread->thread, NULL, idle, thread);
    sem_wait(&thread->named);
    fake_send(fake, fake_reply_to(request));
}

void
fake_remove_iothread(Fake *fake, VmmMsg *request)
{
    FakeThread **at = find(request), *thread = *at;

    if (!thread || fake_devices_use_iothread(fake->devices, thread->id)) {
        fake_refuse(fake, request, VMM_ERROR_STATE, "this I/O thread of the fake machine stays");
        return;
    }
    *at = thread->next;
    pthread_cancel(thread->thread);
    pthread_join(thread->thread, NULL);
    free(thread);
    fake_send(fake, fake_reply_to(request));
}

void
fake_tell_iothread(Fake *fake, VmmMsg *request)
{
    FakeThread *thread = *find(request);
    VmmMsg *reply;

    if (!thread) {
        fake_refuse(fake, request, VMM_ERROR_INVALID, "there is no such I/O thread");
        return;
    }
    vmm_msg_get_u64(request, "poll-max-ns", &thread->max_ns);
    vmm_msg_get_u64(request, "poll-grow", &thread->grow);
    vmm_msg_get_u64(request, "poll-shrink", &thread->shrink);
    reply = fake_reply_to(request);
    vmm_msg_put_u64(reply, "poll-max-ns", thread->max_ns);
    vmm_msg_put_u64(reply, "poll-grow", thread->grow);
    vmm_msg_put_u64(reply, "poll-shrink", thread->shrink);
    fake_send(fake, reply);
}
