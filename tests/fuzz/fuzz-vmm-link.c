/* Fuzz target: the driver's end of a VMM's control socket, and at the other end anybody who has taken over a VMM. Each step
 * has a driver ask, or the peer answer, answer out of turn, say what is no answer, too much or with descriptors, or go
 * away. Whatever comes, each question ends once, the end of the link is told once, and no descriptor is left over. */
#include "driver/vmm-link.h"
#include "tests/fuzz/replay.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEPS_MAX 200
#define FDS_MAX   40 /* more than a packet may have */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the owner of the link does when he is called. */
typedef enum Habit {
    HABIT_KEEPS,   /* the link, when it has ended; frees it at the very end */
    HABIT_FREES,   /* the link, when it has ended */
    HABIT_GIVES_UP, /* frees it when anything fails or happens */
    HABIT_ASKS,    /* once more, when anything fails or happens */
    N_HABITS
} Habit;

typedef struct World {
    const uint8_t *at, *end; /* of the input */
    VmmLink *link;           /* NULL: freed */
    int peer;                /* -1: hung up */
    Habit habit;
    guint closed, open, asked; /* ends told; questions without an answer; questions in all */
    gboolean freed_early;
    GQueue requests; /* of VmmMsg, that the peer has not answered */
} World;

typedef struct Question {
    World *world;
    gboolean over;
} Question;

static guint
take(World *world)
{
    return world->at < world->end ? *world->at++ : 0;
}

/* The driver */

static void ask(World *world, const char *verb, guint timeout_ms);

static void
let_go(World *world)
{
    if (world->link && !world->closed)
        world->freed_early = TRUE;
    vmm_link_free(g_steal_pointer(&world->link));
}

static void
follow_habit(World *world)
{
    if (world->habit == HABIT_GIVES_UP)
        let_go(world);
    else if (world->habit == HABIT_ASKS && world->link && world->asked < STEPS_MAX)
        ask(world, VMM_STATS, 60000);
}

static void
on_reply(gpointer data, VmmMsg *reply, const GError *error)
{
    Question *question = data;

    g_assert_true((reply == NULL) != (error == NULL));
    g_assert_false(question->over);
    g_assert_true(!error || (*error->message && g_utf8_validate(error->message, -1, NULL)));
    question->over = TRUE;
    question->world->open--;
    if (error)
        follow_habit(question->world);
    g_free(question);
}

static void
ask(World *world, const char *verb, guint timeout_ms)
{
    Question *question = g_new0(Question, 1);

    question->world = world;
    world->open++;
    world->asked++;
    vmm_link_send(world->link, vmm_link_request(world->link, verb), timeout_ms, on_reply, question);
}

static void
on_event(gpointer data, VmmMsg *event)
{
    g_assert_cmpint(vmm_msg_kind(event), ==, VMM_MSG_EVENT);
    follow_habit(data);
}

static void
on_late(gpointer data)
{
    follow_habit(data);
}

static void
on_closed(gpointer data, gboolean wrong)
{
    World *world = data;

    g_assert_nonnull(world->link);
    g_assert_cmpuint(++world->closed, ==, 1);
    if (world->habit == HABIT_FREES)
        vmm_link_free(g_steal_pointer(&world->link));
    else
        follow_habit(world);
}

static void
turn(World *world)
{
    while (g_main_context_iteration(NULL, FALSE))
        continue;
}

static void
step_ask(World *world)
{
    static const char *const verbs[] = { VMM_HELLO, VMM_RUN, VMM_PAUSE, VMM_STATS };

    if (world->link)
        ask(world, verbs[take(world) % G_N_ELEMENTS(verbs)], 60000);
}

/* For an answer that nobody waits for any more. */
static void
step_ask_in_vain(World *world)
{
    if (world->link)
        ask(world, VMM_PAUSE, 0);
}

/* The peer */

static void
read_requests(World *world)
{
    VmmMsg *request;

    while (world->peer >= 0 && (request = vmm_msg_recv(world->peer)))
        g_queue_push_tail(&world->requests, request);
}

static void
answer(World *world, guint nth, VmmMsgKind kind)
{
    vmm_msg_auto request = NULL;
    vmm_msg_auto reply = NULL;

    read_requests(world);
    request = g_queue_pop_nth(&world->requests, nth);
    if (!request || world->peer < 0)
        return;
    reply = vmm_msg_new(kind, vmm_msg_serial(request), vmm_msg_name(request));
    if (kind == VMM_MSG_ERROR) {
        g_autofree char *text = g_strndup((const char *)world->at, MIN(world->end - world->at, 8));

        vmm_msg_put_string(reply, "class", take(world) % 2 ? VMM_ERROR_STATE : text);
        vmm_msg_put_string(reply, "text", text);
    }
    vmm_msg_send(world->peer, reply);
}

static void
step_answer(World *world)
{
    answer(world, 0, VMM_MSG_REPLY);
}

static void
step_refuse(World *world)
{
    answer(world, 0, VMM_MSG_ERROR);
}

static void
step_answer_out_of_turn(World *world)
{
    answer(world, take(world) % 4, VMM_MSG_REPLY);
}

static void
step_event(World *world)
{
    static const char *const names[] = { VMM_EVENT_STOPPED, VMM_EVENT_PAUSED, "no-such-event" };
    vmm_msg_auto event = vmm_msg_new(VMM_MSG_EVENT, take(world) % 2, names[take(world) % G_N_ELEMENTS(names)]);

    if (world->peer >= 0)
        vmm_msg_send(world->peer, event);
}

static void
send_packet(const World *world, const void *packet, size_t size, guint n_fds)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
    } control = { .room = { 0 } };
    struct iovec iov = { (void *)packet, size };
    struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (world->peer < 0)
        return;
    if (n_fds > 0) {
        hdr.msg_control = control.room;
        hdr.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        *CMSG_FIRSTHDR(&hdr) = (struct cmsghdr){ CMSG_LEN(sizeof(int) * n_fds), SOL_SOCKET, SCM_RIGHTS };
        for (guint i = 0; i < n_fds; i++)
            memcpy(CMSG_DATA(CMSG_FIRSTHDR(&hdr)) + i * sizeof(int), &world->peer, sizeof(int));
    }
    sendmsg(world->peer, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Two bytes are the length, one the number of descriptors; the packet follows. */
static void
step_packet(World *world)
{
    guint low = take(world), high = take(world), n_fds = take(world) % (FDS_MAX + 1);
    size_t size = MIN(low | high << 8, (size_t)(world->end - world->at));

    send_packet(world, world->at, size, n_fds);
    world->at += size;
}

static void
step_large_packet(World *world)
{
    static const uint8_t packet[VMM_MSG_MAX + 1] = "VMM1";

    send_packet(world, packet, sizeof(packet) - take(world) % 2, take(world) % 2);
}

static void
step_hang_up(World *world)
{
    if (world->peer >= 0)
        close(world->peer);
    world->peer = -1;
}

static void (*const steps[])(World *world) = {
    step_ask,   step_ask_in_vain, step_answer,       step_refuse,  step_answer_out_of_turn,
    step_event, step_packet,      step_large_packet, step_hang_up, let_go,
    turn,
};

static void
begin(World *world, const uint8_t *data, size_t size)
{
    const VmmLinkEvents events = { on_event, on_closed, world, on_late };
    int ends[2];

    *world = (World){ .at = data, .end = data + size };
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==, 0);
    world->link = vmm_link_new(ends[0], &events);
    world->peer = ends[1];
    world->habit = take(world) % N_HABITS;
}

/* A link that its owner kept to himself ends with the peer, however much stands in between. */
static void
end(World *world)
{
    step_hang_up(world);
    turn(world);
    g_assert_cmpuint(world->closed, ==, world->freed_early ? 0 : 1);
    world->habit = HABIT_KEEPS;
    let_go(world);
    g_assert_cmpuint(world->open, ==, 0);
    g_queue_clear_full(&world->requests, (GDestroyNotify)vmm_msg_free);
}

static int
next_descriptor(void)
{
    int fd = dup(STDIN_FILENO);

    close(fd);
    return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    World world = { 0 };
    int before;

    replay_allow_warnings();
    turn(&world); /* the first makes the main context's own descriptors */
    before = next_descriptor();
    begin(&world, data, size);
    for (guint n = 0; world.at < world.end && n < STEPS_MAX; n++)
        steps[take(&world) % G_N_ELEMENTS(steps)](&world);
    end(&world);
    g_assert_cmpint(next_descriptor(), ==, before);
    return 0;
}
