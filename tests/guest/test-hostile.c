/* A guest that means harm (hostile/hostile.c), and a VMM with every device that there is: the VMM serves its driver
 * all the while, grows by nothing, and whatever becomes of the guest has a name.
 *
 * HOSTILE_SEED is the number that both sides go by, printed for the next time; HOSTILE_ACTIONS is how many things the
 * guest's first vCPU does in all. */
#include "tests/guest/hostile-world.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <stdlib.h>

#define PER_WORD    64u /* actions, each "+" of the guest's */
#define TICK_US     10000
#define TICKS_STUCK 300 /* in which the guest says nothing: it has lost itself, and is reset */
#define RESETS_MAX  40  /* in a row without a word in between */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OVERHEAD_KIB (1024u << 10)
#else
#define OVERHEAD_KIB (8u << 10)
#endif
#define LOG_MAX (4u << 20)

typedef struct Guest {
    const char *path, *kernel; /* NULL: firmware starts it */
    guint vcpus;
    guint actions;
} Guest;

static const Guest guests[] = {
    { "/hostile/ring0", "tests/guest/payload/payload.elf", 2, 2048 },
    { "/hostile/ring3", "tests/guest/ring3/ring3.elf", 1, 16384 },
    { "/hostile/firmware", NULL, 1, 16384 },
};

static guint
setting(const char *name, guint otherwise)
{
    const char *text = g_getenv(name);

    return text ? strtoul(text, NULL, 0) : otherwise;
}

/* One that has suspended itself is woken by a reset first. */
static void
do_awake(World *world, const char *verb)
{
    vmm_msg_auto reply = vmm_call(world->vmm, vmm_request(world->vmm, verb));

    if (vmm_msg_kind(reply) != VMM_MSG_ERROR)
        return;
    vmm_do(world->vmm, VMM_RESET);
    vmm_do(world->vmm, verb);
}

/* What the driver's side does meanwhile, by lot. */
static void
interfere(World *world)
{
    switch (g_rand_int_range(world->rand, 0, 24)) {
    case 0:
        do_awake(world, VMM_PAUSE);
        world_check_memory(world, OVERHEAD_KIB);
        do_awake(world, VMM_RUN);
        break;
    case 1:
        vmm_do(world->vmm, VMM_RESET);
        break;
    case 2:
        vmm_do(world->vmm, VMM_POWER_BUTTON);
        break;
    case 3:
        vmm_do(world->vmm, VMM_STATS);
        break;
    case 4:
        world_tell_balloon(world, g_rand_int(world->rand) & 0xfff000);
        break;
    case 5:
        world_tell_link(world, g_rand_boolean(world->rand));
        break;
    case 6:
        world_tell_resize(world);
        break;
    case 7:
        world_client_comes(world);
        break;
    case 8:
        world_client_leaves(world);
        break;
    case 9:
        world_tell_medium(world, g_rand_boolean(world->rand));
        break;
    default:
        vmm_do(world->vmm, VMM_HELLO);
        break;
    }
}

/* Until the guest has said @words; resets it where it has nothing to say. */
static void
watch(World *world, guint words)
{
    guint said = 0, quiet = 0, resets = 0;

    while (said < words) {
        guint now = world_take_words(world);

        said += now;
        quiet = now ? 0 : quiet + 1;
        resets = now ? 0 : resets;
        if (quiet == TICKS_STUCK) {
            vmm_do(world->vmm, VMM_RESET);
            quiet = 0;
            g_assert_cmpuint(++resets, <, RESETS_MAX);
        }
        world_serve(world);
        if (g_rand_int_range(world->rand, 0, 8) == 0)
            interfere(world);
        g_usleep(TICK_US);
    }
}

/* With no driver of the guest's, no medium, and every device that the guest has thrown out plugged in again. */
static void
calm_down(World *world)
{
    do_awake(world, VMM_PAUSE);
    vmm_do(world->vmm, VMM_RESET);
    world_client_leaves(world);
    streams_leave(&world->streams);
    world_tell_medium(world, FALSE);
    world_serve(world);
}

static void
test_hostile(gconstpointer data)
{
    const Guest *guest = data;
    guint seed = setting("HOSTILE_SEED", g_random_int() >> 2), threads;
    guint actions = setting("HOSTILE_ACTIONS", guest->actions);
    World *world;

    if (!vmm_have_kvm())
        return;
    g_test_message("HOSTILE_SEED=%u HOSTILE_ACTIONS=%u", seed, actions);
    world = world_new(guest->kernel, guest->vcpus, seed);
    watch(world, 1);
    calm_down(world);
    threads = world_count_threads(world);
    vmm_do(world->vmm, VMM_RUN);
    watch(world, actions / PER_WORD);
    calm_down(world);
    g_assert_cmpuint(world_await_fds(world, world->n_fds), ==, world->n_fds);
    g_assert_cmpuint(world_count_threads(world), ==, threads);
    world_check_memory(world, OVERHEAD_KIB);
    world_check_log(world, LOG_MAX);
    g_test_message(
        "%u resets, %u crashes, %u panics, %u bites of the watchdog, %u devices thrown out",
        world->n_resets, world->n_crashes, world->n_panics, world->n_bites, world->n_removed);
    g_test_message("%u frames sent, %u received, %u streams asked for, %u begun",
                   world->n_frames_in, world->n_frames_out, world->streams.n_asked,
                   world->streams.n_begun);
    vmm_do(world->vmm, VMM_QUIT);
    vmm_wait_exit(world->vmm);
    world_free(world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(guests); i++)
        g_test_add_data_func(guests[i].path, &guests[i], test_hostile);
    return g_test_run();
}
