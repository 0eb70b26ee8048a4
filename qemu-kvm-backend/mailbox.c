#include "qemu-kvm-backend/mailbox.h"

#include "qemu-kvm-backend/error.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct Letter {
    struct Letter *next;
    VmmMsg *event;
} Letter;

struct Mailbox {
    int bell; /* eventfd */
    LoopSource *source;
    void (*fn)(void *data);
    void *data;
    pthread_mutex_t lock; /* guards what follows */
    Letter *first;
    Letter **last;
    Ending ending;
    bool has_ending;
};

static void
on_bell(void *data, uint32_t events)
{
    Mailbox *mailbox = data;
    eventfd_t count;

    eventfd_read(mailbox->bell, &count);
    mailbox->fn(mailbox->data);
}

Mailbox *
mailbox_new(Loop *loop, void (*fn)(void *data), void *data)
{
    Mailbox *mailbox = vmm_must(calloc(1, sizeof(*mailbox)));

    mailbox->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->bell < 0)
        abort();
    mailbox->fn = fn;
    mailbox->data = data;
    mailbox->last = &mailbox->first;
    pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->source = vmm_must(loop_add_fd(loop, mailbox->bell, EPOLLIN, on_bell, mailbox));
    return mailbox;
}

void
mailbox_free(Mailbox *mailbox)
{
    VmmMsg *event;

    if (!mailbox)
        return;
    while ((event = mailbox_take_event(mailbox)))
        vmm_msg_free(event);
    loop_source_free(mailbox->source);
    close(mailbox->bell);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

void
mailbox_post_event(Mailbox *mailbox, VmmMsg *event)
{
    Letter *letter = vmm_must(calloc(1, sizeof(*letter)));

    letter->event = event;
    pthread_mutex_lock(&mailbox->lock);
    *mailbox->last = letter;
    mailbox->last = &letter->next;
    pthread_mutex_unlock(&mailbox->lock);
    eventfd_write(mailbox->bell, 1);
}

bool
mailbox_post_ending(Mailbox *mailbox, const char *reason, const char *text)
{
    bool is_first;

    pthread_mutex_lock(&mailbox->lock);
    is_first = !mailbox->has_ending;
    if (is_first) {
        mailbox->has_ending = true;
        mailbox->ending.reason = reason;
        snprintf(mailbox->ending.text, sizeof(mailbox->ending.text), "%s", text);
    }
    pthread_mutex_unlock(&mailbox->lock);
    if (is_first)
        eventfd_write(mailbox->bell, 1);
    return is_first;
}

VmmMsg *
mailbox_take_event(Mailbox *mailbox)
{
    VmmMsg *event = NULL;
    Letter *letter;

    pthread_mutex_lock(&mailbox->lock);
    letter = mailbox->first;
    if (letter) {
        event = letter->event;
        mailbox->first = letter->next;
        if (!mailbox->first)
            mailbox->last = &mailbox->first;
    }
    pthread_mutex_unlock(&mailbox->lock);
    free(letter);
    return event;
}

bool
mailbox_has_ending(Mailbox *mailbox)
{
    bool has;

    pthread_mutex_lock(&mailbox->lock);
    has = mailbox->has_ending;
    pthread_mutex_unlock(&mailbox->lock);
    return has;
}

bool
mailbox_take_ending(Mailbox *mailbox, Ending *ret)
{
    bool has;

    pthread_mutex_lock(&mailbox->lock);
    has = mailbox->has_ending;
    if (has)
        *ret = mailbox->ending;
    mailbox->has_ending = false;
    pthread_mutex_unlock(&mailbox->lock);
    return has;
}
