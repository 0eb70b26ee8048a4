#include "qemu-kvm-backend/iothread-pool.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Member {
    struct Member *next;
    uint64_t number;
    unsigned users;
    IoThread *thread;
} Member;

static Member *members;

static Member *
start(uint64_t number, VmmError *err)
{
    Member *member = vmm_must(calloc(1, sizeof(*member)));
    char name[32];

    snprintf(name, sizeof(name), "io %" PRIu64, number);
    member->thread = iothread_new(name);
    if (!member->thread) {
        vmm_error_errno(err, "Cannot start I/O thread %" PRIu64, number);
        free(member);
        return NULL;
    }
    member->number = number;
    member->next = members;
    members = member;
    return member;
}

IoThread *
iothread_pool_get(uint64_t number, VmmError *err)
{
    Member *member = members;

    while (member && member->number != number)
        member = member->next;
    if (!member)
        member = start(number, err);
    if (!member)
        return NULL;
    member->users++;
    return member->thread;
}

void
iothread_pool_put(IoThread *thread)
{
    for (Member **at = &members; *at; at = &(*at)->next) {
        Member *member = *at;

        if (member->thread != thread)
            continue;
        if (--member->users == 0) {
            *at = member->next;
            iothread_free(thread);
            free(member);
        }
        return;
    }
}
