/* device-chardev-source: what is behind a character device of the guest: a pty, a file, a socket or nothing.
 *
 * A source is shared by a serial port and the console that mirrors it, and so counts its owners.
 */
#pragma once

#include "driver/device.h"

typedef enum ChardevType {
    CHARDEV_PTY,
    CHARDEV_FILE,
    CHARDEV_UNIX, /* a listening socket */
    CHARDEV_TCP,  /* likewise */
    CHARDEV_NULL,
} ChardevType;

typedef struct ChardevSource {
    gatomicrefcount refs;
    int type;
    char *path; /* the file or the socket; a live pty's slave; NULL: made up when it is opened */
    gboolean generated; /* @path was made up: of meaning in a live document only */
    char *host;         /* of CHARDEV_TCP: the address to listen at ... */
    char *service;      /* ... and the port, or its name */
    int append;         /* 0 on, 1 off, or -1: not said */
    char *log;          /* NULL: none */
    int log_append;     /* as @append */
    int watch;          /* a pty's, as the guest's process has it; -1: not open, or by an earlier daemon */
} ChardevSource;

ChardevSource *chardev_source_new(void);
ChardevSource *chardev_source_ref(ChardevSource *source);
void chardev_source_unref(ChardevSource *source);
/* One of its own. */
ChardevSource *chardev_source_copy(const ChardevSource *source);

/* The device's @type, and <source>, <protocol> and <log> below it. @may_make: a socket without a path gets one
 * when it is opened. */
gboolean chardev_source_parse(ChardevSource *source, const struct _xmlNode *node, guint flags,
                              gboolean may_make, GError **error);
void chardev_source_format(const ChardevSource *source, struct XmlWriter *out, guint flags);
const char *chardev_source_type(const ChardevSource *source);
/* How many descriptors it takes. */
guint chardev_source_count(const ChardevSource *source);

/* Opens all of it and puts it into an "add-device" message as a character device's keys, each after
 * @prefix. @path is where a socket goes that has no path of its own; of meaning for CHARDEV_UNIX. */
typedef struct ChardevOpened {
    int fd, watch, log;
} ChardevOpened;
gboolean chardev_source_open(ChardevSource *source, const char *path, ChardevOpened *ret,
                             GError **error);
void chardev_source_describe(const ChardevSource *source, const ChardevOpened *opened,
                             struct VmmMsg *msg, const char *prefix);
/* Takes away what opening left on the host. */
void chardev_source_release(ChardevSource *source);
