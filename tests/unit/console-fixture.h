/* console-fixture: a device with three serial ports: one on a pty, one on a socket as guest agents have it, one that only
 * logs; and its driver. */
#pragma once

#include "tests/unit/virtio-guest.h"

#include <glib.h>

#define MIB         ((uint64_t)1 << 20)
#define CONTROL_IN  2
#define CONTROL_OUT 3
#define PTY_IN      0 /* port 0 */
#define PTY_OUT     1
#define AGENT_IN    4 /* port 1 */
#define AGENT_OUT   5
#define LOG_OUT     7 /* port 2 */
#define AGENT       "org.qemu.guest_agent.0"
#define BUFFER      256

typedef struct Fixture {
    VirtioGuest *guest;
    char *path;    /* the agent's socket */
    int slave;     /* of the pty */
    int log;       /* the pipe that port 2 writes into */
    uint64_t ctrl; /* 16 receive buffers of the control queue */
} Fixture;

/* The driver starts it, with buffers for messages. */
void console_start(Fixture *f);
/* A device that is started. */
void console_set_up(Fixture *f, const void *unused);
void console_tear_down(Fixture *f, const void *unused);

/* A socket that listens at @path, as the agent's does; and a client of that. */
int listen_at(const char *path);
int client_new(Fixture *f);

/* Message @event of the driver about port @id. */
void send_control(Fixture *f, uint32_t id, uint16_t event, uint16_t value);
/* The next message of the device is this one; or there is none. */
void check_control(Fixture *f, uint32_t id, uint16_t event, uint16_t value, const char *text);
void check_no_control(Fixture *f);
/* What Linux does on finding the device, with the answers. */
void console_introduce(Fixture *f);
/* The daemon has been told something @n times, and at last that the guest has port @port open or not. */
void check_event(Fixture *f, unsigned n, uint64_t port, bool open);

/* Makes a buffer to receive into available, without a kick. */
void offer_in(Fixture *f, unsigned queue, unsigned i, uint64_t buffer, uint32_t size);
void guest_writes(Fixture *f, unsigned queue, unsigned i, const void *bytes, size_t size);
/* Whether @queue gave back one buffer, and no more. */
bool is_sent(Fixture *f, unsigned queue);

/* The device is told @request, which is consumed; @wrong: NULL, or a text that is in the error. */
void tell_device(Fixture *f, VmmMsg *request, const char *wrong);
/* What it is told of port @port: that it goes; that it comes, on the listening socket @fd, or with nothing where that is -1. */
VmmMsg *port_removal(uint64_t port);
VmmMsg *port_addition(uint64_t port, int fd);
