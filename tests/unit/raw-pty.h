/* raw-pty: a pseudo terminal as the driver opens it for a guest: what goes through it stays as it is. */
#pragma once

/* The master, which is blocking. */
int raw_pty_open(void);
