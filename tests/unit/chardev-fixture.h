/* chardev-fixture: a character device with its loop in a thread of its own, as in the VMM: the test is the vCPU on one side
 * and whoever is at the host's end on the other. */
#pragma once

#include "qemu-kvm-backend/chardev.h"

#include <glib.h>
#include <netinet/in.h>
#include <time.h>

#define PATIENCE_MS 60000

typedef struct Fixture {
    Loop *loop;
    Chardev *chardev;
    GThread *thread;
    pthread_mutex_t lock;
    int quit_fd;
    LoopSource *quit_source;
    clockid_t clock; /* CPU time of the loop's thread */
    gint has_clock;
    size_t room;
    GString *input;
    char *slave;   /* path */
    in_port_t port; /* of a socket, in the network's byte order */
} Fixture;

/* Parameters of a device of @kind, and one started with such, which it takes over. */
VmmMsg *params_new(const char *kind);
Fixture *start(VmmMsg *params);
void stop(Fixture *f);

/* The guest's side */
void guest_writes(Fixture *f, const char *bytes, size_t size);
void guest_says(Fixture *f, const char *text);
void make_room(Fixture *f, size_t size);
void wait_for_input(Fixture *f, const char *expected);
/* The loop's thread has nothing to do. */
void check_quiet(Fixture *f);

/* The host's side: reads @size bytes, or what comes in @ms. */
GString *terminal_reads(int fd, size_t size, int ms);
void terminal_sees(int fd, const char *expected);
void terminal_types(int fd, const char *text);

char *numbered_lines(unsigned n);
/* A new file, and whether that is what is in it; it is removed. */
int temporary_file(char **ret_path);
void check_file(const char *path, const char *expected);
