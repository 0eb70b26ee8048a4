/* vsock-host: the host's side of a guest's <vsock>.
 *
 * RUN_DIR/vsock/UUID/vsock is where the host's programs connect to the guest, and beside it is vsock_PORT, where they
 * listen for the guest: the form that Firecracker has made known. The directory is its daemon's own where nobody made
 * it before, and stays where anybody gave it another mode. What connects to the second kind is vmctl-vsock, see
 * qemu-kvm-backend/proto/vsock-broker.h: a process that ends with the guest's.
 */
#pragma once

#include <glib.h>

typedef struct VsockHost {
    int listener; /* the VMM's socket ... */
    int broker;   /* ... and its end of the connection to the broker */
} VsockHost;

/* Where: for @dir below. */
char *vsock_host_dir(const char *run_dir, const char *uuid);
/* Opens both, with a new process of the program @broker; the descriptors are the caller's. */
gboolean vsock_host_open(const char *dir, const char *broker, VsockHost *ret, GError **error);
/* Takes away what opening left there. */
void vsock_host_discard(const char *dir);
