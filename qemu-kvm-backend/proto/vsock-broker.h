/* vsock-broker: what a VMM and its broker say to each other.
 *
 * A VMM opens no path and connects to nobody. Where a guest connects to a port of the host, a process of its own,
 * vmctl-vsock, connects to the socket "vsock_PORT" in the guest's directory instead and hands it over. They share
 * a SOCK_SEQPACKET socket pair, made by the driver; the broker ends when the VMM has closed its end.
 *
 * A request is one packet; so is each answer, in the order of the requests, which repeats the request and has the
 * connected stream socket beside it in SCM_RIGHTS, or none where nobody listens there.
 */
#pragma once

#include <stdint.h>

#define VSOCK_BROKER_FD     3       /* of the broker: its end of the pair ... */
#define VSOCK_BROKER_DIR_FD 4       /* ... and the directory */
#define VSOCK_BROKER_NAME   "vsock" /* where the VMM listens; with _PORT, whom it connects to */

typedef struct VsockBrokerRequest {
    uint32_t guest_port;
    uint32_t host_port;
} VsockBrokerRequest;
