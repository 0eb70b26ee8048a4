/* hostile-world: a VMM with every device that a guest may attack, and what is at the host's ends of them. */
#pragma once

#include "tests/guest/hostile-vsock.h"
#include "tests/guest/vmm-harness.h"

typedef struct World {
    Vmm *vmm;
    GRand *rand;
    int nets[2];  /* the far ends of the network cards */
    int listener; /* of the console's socket, in the VMM's hands too */
    char *path;   /* where it is */
    char *image;  /* the path of the qcow2 image, which is sound in the end */
    int client;   /* -1: none */
    Streams streams;
    gsize heard; /* of what the guest said on COM1 */
    guint n_fds; /* of the process, before the guest has run */
    guint n_resets, n_crashes, n_panics, n_bites, n_removed, n_frames_in, n_frames_out;
} World;

/* Running, with the kernel @guest, a file that the build made, which gets "hostile @seed"; NULL: the guest in ring 3, whose
 * firmware starts it, with flash and fw_cfg. */
World *world_new(const char *guest, guint vcpus, guint seed);
void world_free(World *world);

/* How often the guest has said "+" since the last call. */
guint world_take_words(World *world);
/* Frames for the guest and those of it, the client's bytes, and events; what the guest has thrown out is plugged in
 * again. */
void world_serve(World *world);

void world_tell_balloon(World *world, guint64 target);
void world_tell_link(World *world, gboolean up);
void world_tell_resize(World *world);
void world_tell_medium(World *world, gboolean in);
void world_client_comes(World *world);
void world_client_leaves(World *world);

/* Threads of the process, those of the kernel that work for io_uring left out: they come and go. */
guint world_count_threads(World *world);
/* Waits until the process has no more than @n descriptors; how many there are. */
guint world_await_fds(World *world, guint n);
/* That the process has no more than its guest's RAM and @overhead_kib. */
void world_check_memory(World *world, guint overhead_kib);
/* That its log has at most @size bytes, however many reasons the guest had for a line. */
void world_check_log(World *world, gsize size);
