/* vmm-harness: a vmctl-vmm of our own to talk to, as the driver would.
 *
 * Every wait has a time limit; what does not come in time fails the test. Events that come while a
 * reply is awaited are kept for vmm_wait_event().
 */
#pragma once

#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <glib.h>

typedef struct Vmm Vmm;

/* Spawns the built vmctl-vmm with a listener as descriptor 3 and connects to it. */
Vmm *vmm_spawn(void);
/* Ends the process if it still runs, and frees everything. */
void vmm_free(Vmm *vmm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Vmm, vmm_free)

pid_t vmm_pid(const Vmm *vmm);
/* The log so far; free with g_free(). */
char *vmm_log(const Vmm *vmm);
/* What the guest wrote to COM1, see vmm_add_serial(). */
char *vmm_serial(const Vmm *vmm);
char *vmm_record(const Vmm *vmm);
int vmm_record_fd(const Vmm *vmm); /* a descriptor of it, for "create"; the caller's */

/* The connection. */
void vmm_disconnect(Vmm *vmm);
void vmm_connect(Vmm *vmm);
int vmm_socket(const Vmm *vmm);

/* A new request, whose serial is the next one. */
VmmMsg *vmm_request(Vmm *vmm, const char *name);
/* Sends @request and takes it over; the reply (or error) to it. */
VmmMsg *vmm_call(Vmm *vmm, VmmMsg *request);
/* The same for a request without keys: it must succeed, or fail with @class. */
void vmm_do(Vmm *vmm, const char *name);
void vmm_refuses(Vmm *vmm, const char *name, const char *class);
/* Checks that @reply is no error; frees it. */
void vmm_accept(VmmMsg *reply);
/* Checks that it is one, of @class, whose text has @part in it; frees it. */
void vmm_reject(VmmMsg *reply, const char *class, const char *part);

/* Has the serial port write to a copy of @fd instead of what vmm_serial() reads. */
void vmm_set_serial(Vmm *vmm, int fd);

/* A copy of what it writes to, for another VMM to go on with; the caller's. */
int vmm_serial_fd(const Vmm *vmm);

/* A "create" for @kernel, @initrd (NULL: none) and @cmdline, with a record. */
VmmMsg *vmm_create_kernel_request(Vmm *vmm, const char *kernel, const char *initrd, guint64 memory,
                                  guint vcpus, const char *cmdline);
/* A "create" for the payload with @cmdline and a record; more keys may be put into it. */
VmmMsg *vmm_create_request(Vmm *vmm, guint64 memory, guint vcpus, const char *cmdline);
/* Creates a machine of 16 MiB with COM1 and the debug-exit port, not yet running. */
void vmm_build(Vmm *vmm, guint vcpus, const char *cmdline);
/* A VMM of which such a machine runs. */
Vmm *vmm_start(guint vcpus, const char *cmdline);
void vmm_add_devices(Vmm *vmm);
/* COM1 alone. */
void vmm_add_serial(Vmm *vmm);

/* The next event that has come; NULL: none. */
VmmMsg *vmm_take_event(Vmm *vmm);
/* The next event named @name; others before it are dropped. */
VmmMsg *vmm_wait_event(Vmm *vmm, const char *name);
/* The next event is "stopped" with @reason (and @text, NULL: any), the process exits with success
 * and leaves a record that says the same. */
void vmm_wait_stopped(Vmm *vmm, const char *reason, const char *text);
void vmm_wait_exit(Vmm *vmm);
/* Until the serial port has said @text. */
void vmm_wait_serial(Vmm *vmm, const char *text);
/* The state and reason that "hello" tells. */
void vmm_assert_state(Vmm *vmm, const char *state, const char *reason);

/* How many descriptors and threads the process has. */
guint vmm_count(const Vmm *vmm, const char *what);

/* The path of something that the build made, "vmctl-vmm"; free with g_free(). */
char *vmm_built(const char *name);

/* TRUE where /dev/kvm opens; else the test is skipped. */
gboolean vmm_have_kvm(void);
