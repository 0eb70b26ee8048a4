#include "qemu-kvm-backend/iothread-pool.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Member {
    struct Member *next;
    uint64_t number;
    unsigned users;
    bool added; /* by the driver: it stays without users */
    IoThread *thread;
} Member;

static Member *members;

static Member *
find(uint64_t number)
{
    Member *member = members;

    while (member && member->number != number)
        member = member->next;
    return member;
}

static Member *
start(uint64_t number, VmmError *err)
{
    Member *member = vmm_must(calloc(1, sizeof(*member)));
    char name[32];

    snprintf(name, sizeof(name), VMM_THREAD_IO, number);
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

static void
end(Member *member)
{
    Member **at = &members;

    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
    iothread_free(member->thread);
    free(member);
}

bool
iothread_pool_add(uint64_t number, VmmError *err)
{
    Member *member = find(number);

    if (!member)
        member = start(number, err);
    if (member)
        member->added = true;
    return member != NULL;
}

bool
iothread_pool_remove(uint64_t number, VmmError *err)
{
    Member *member = find(number);

    if (member && member->users > 0)
        return vmm_error(err, VMM_ERROR_STATE, "I/O thread %" PRIu64 " serves devices", number);
    if (member)
        end(member);
    return true;
}

IoThread *
iothread_pool_find(uint64_t number)
{
    const Member *member = find(number);

    return member ? member->thread : NULL;
}

void
iothread_pool_clear(void)
{
    while (members)
        end(members);
}

IoThread *
iothread_pool_get(uint64_t number, VmmError *err)
{
    Member *member = find(number);

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
    Member *member = members;

    while (member && member->thread != thread)
        member = member->next;
    if (member && --member->users == 0 && !member->added)
        end(member);
}
