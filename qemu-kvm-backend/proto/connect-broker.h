/* connect-broker: what a VMM and vmctl-connect say to each other.
 *
 * A VMM connects to nobody. Where a character device is to be connected, and connected again, to somebody on the host or
 * in the network, a process of its own, vmctl-connect, does that, and hands the socket over. They share a SOCK_SEQPACKET
 * socket pair, made by the driver, which says whom to connect to; the broker ends when the VMM has closed its end.
 *
 * The VMM sends a packet, a word, when it has no connection; the broker answers with the same and the connected stream
 * socket beside it in SCM_RIGHTS, as soon as there is one: the first time it tries at once, later after the pause that
 * also lies between two attempts.
 */
#pragma once

#include <stdint.h>

#define CONNECT_BROKER_FD   3 /* of the broker: its end of the pair */
#define CONNECT_BROKER_WORD 'c'

typedef uint8_t ConnectBrokerWord;
