/* vmm-msg: one message of the contract between the driver and a VMM, with its descriptors.
 *
 * A message has a kind, a serial, a name and fields: key and typed value, in the order in which they
 * were put. On the wire it is one SOCK_SEQPACKET packet of at most VMM_MSG_MAX bytes, little-endian,
 * the descriptors beside it in SCM_RIGHTS:
 *
 *     u32 magic   "VMM1"            u16 length of the name, then the name
 *     u32 serial                    per field: u8 type, u8 length of the key, u32 length of the value,
 *     u8  kind, u8 0                           the key, the value
 *     u16 number of fields
 *
 * Either side may be hostile: vmm_msg_parse() checks every length, that names and keys are words of
 * [a-z0-9-], that strings are free of NUL, that each descriptor is named by exactly one field and
 * that no key comes twice. It uses the C library alone, because the VMM links to nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMM_MSG_MAX     65536 /* bytes in a packet */
#define VMM_MSG_FDS_MAX 30    /* descriptors in a packet: two for each of a disk's images */

typedef enum VmmMsgKind {
    VMM_MSG_REQUEST = 1, /* driver to VMM; the serial is the driver's choice, never 0 */
    VMM_MSG_REPLY = 2,   /* VMM to driver, with the request's serial and name */
    VMM_MSG_ERROR = 3,   /* the same, with "text" (and "class") instead of the answer */
    VMM_MSG_EVENT = 4,   /* VMM to driver, serial 0 */
} VmmMsgKind;

typedef struct VmmMsg VmmMsg;

/* A new message; @name is copied. Never NULL: running out of memory ends the process. */
VmmMsg *vmm_msg_new(VmmMsgKind kind, uint32_t serial, const char *name);
/* One owner more, of the same thread, who frees it like the first. */
VmmMsg *vmm_msg_ref(VmmMsg *msg);
/* Frees @msg, where no other owner has it, and closes the descriptors that nobody took. NULL is allowed. */
void vmm_msg_free(VmmMsg *msg);
void vmm_msg_clear(VmmMsg **msg);
#define vmm_msg_auto __attribute__((cleanup(vmm_msg_clear))) VmmMsg *

VmmMsgKind vmm_msg_kind(const VmmMsg *msg);
uint32_t vmm_msg_serial(const VmmMsg *msg);
const char *vmm_msg_name(const VmmMsg *msg);
/* A field's key by its place, or NULL past the last: to list what a message says. */
const char *vmm_msg_key(const VmmMsg *msg, size_t i);

/* Writing. Keys are unique words of [a-z0-9-]; a key that is not, or a message over VMM_MSG_MAX,
 * makes vmm_msg_send() fail with EMSGSIZE or EINVAL, so that callers check in one place. */
void vmm_msg_put_u64(VmmMsg *msg, const char *key, uint64_t value);
void vmm_msg_put_i64(VmmMsg *msg, const char *key, int64_t value);
void vmm_msg_put_bool(VmmMsg *msg, const char *key, bool value);
void vmm_msg_put_string(VmmMsg *msg, const char *key, const char *value);
void vmm_msg_put_bytes(VmmMsg *msg, const char *key, const void *data, size_t size);
/* Takes @fd over. */
void vmm_msg_put_fd(VmmMsg *msg, const char *key, int fd);

/* Reading. False where the key is missing or has another type; outputs are set on success only.
 * What is given out stays the message's own, but for descriptors: vmm_msg_take_fd() gives one away. */
bool vmm_msg_has(const VmmMsg *msg, const char *key);
bool vmm_msg_get_u64(VmmMsg *msg, const char *key, uint64_t *ret);
bool vmm_msg_get_i64(VmmMsg *msg, const char *key, int64_t *ret);
bool vmm_msg_get_bool(VmmMsg *msg, const char *key, bool *ret);
bool vmm_msg_get_string(VmmMsg *msg, const char *key, const char **ret);
bool vmm_msg_get_bytes(VmmMsg *msg, const char *key, const void **ret, size_t *ret_size);
bool vmm_msg_take_fd(VmmMsg *msg, const char *key, int *ret);
/* The first key that none of the reading calls asked for, or NULL. "create" and "add-device" refuse
 * a message that has one: a parameter that is not understood is never silently dropped. */
const char *vmm_msg_unread(const VmmMsg *msg);

/* One packet out. False with errno: EAGAIN where the socket is full, EMSGSIZE, EINVAL, EPIPE, ... */
bool vmm_msg_send(int sock, const VmmMsg *msg);
/* One packet in, or NULL with errno: EAGAIN, 0 where the peer closed, EBADMSG where the packet is not
 * a message (its descriptors are closed). The caller owns the result. */
VmmMsg *vmm_msg_recv(int sock);

/* The codec without the socket, for tests and the fuzzer. vmm_msg_parse() takes the @n_fds
 * descriptors over, even on failure. vmm_msg_bytes() gives the packet, NULL where it is too large. */
VmmMsg *vmm_msg_parse(const void *data, size_t size, const int *fds, size_t n_fds);
const void *vmm_msg_bytes(const VmmMsg *msg, size_t *ret_size);
/* The message as text, one "key=value" a line, for logs and golden files. Free with free(). */
char *vmm_msg_describe(const VmmMsg *msg);
