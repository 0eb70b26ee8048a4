/* chardev-open: what is behind a character device, opened on the host for the VMM. Nothing here waits for anybody. */
#pragma once

#include "driver/chardev-socket.h"

typedef struct ChardevOpened {
    int fd, out, watch, log; /* -1: none */
} ChardevOpened;

/* How many descriptors it takes, at most. */
guint chardev_count_fds(const ChardevSource *source);
gboolean chardev_open(ChardevSource *source, const ChardevPlaces *places, ChardevOpened *ret, GError **error);
/* Puts all of it into an "add-device" message as a character device's keys, each after @prefix. */
void chardev_describe(const ChardevSource *source, const ChardevOpened *opened, struct VmmMsg *msg,
                      const char *prefix);
/* Takes away what opening left on the host. */
void chardev_close(ChardevSource *source);
