/* device-chardev-source: what is behind a character device of the guest: what its <source>, <protocol> and <log> say.
 * chardev-open.h opens it.
 *
 * A source is shared by a serial port and the console that mirrors it, and so counts its owners.
 */
#pragma once

#include "driver/device.h"

typedef enum ChardevType {
    CHARDEV_PTY,
    CHARDEV_FILE,
    CHARDEV_DEV,  /* a character device of the host, such as a terminal */
    CHARDEV_PIPE, /* two FIFOs, @path with ".in" and ".out" behind it; or one, @path */
    CHARDEV_UNIX,
    CHARDEV_TCP,
    CHARDEV_UDP,
    CHARDEV_NULL,
} ChardevType;

typedef enum ChardevMode { /* of CHARDEV_UNIX and CHARDEV_TCP */
    CHARDEV_CONNECT,
    CHARDEV_BIND,
} ChardevMode;

typedef enum ChardevProtocol { /* of CHARDEV_TCP */
    CHARDEV_RAW,
    CHARDEV_TELNET,
} ChardevProtocol;

/* An address and a port, or its name. */
typedef struct ChardevAddress {
    char *host, *service; /* NULL: not said */
} ChardevAddress;

typedef struct ChardevSource {
    gatomicrefcount refs;
    int type;
    char *path; /* a live pty's slave; NULL: made up when it is opened, or of no meaning */
    gboolean generated;  /* @path was made up: of meaning in a live document only */
    gboolean listens;    /* there is a socket of its own at @path, which goes with it */
    int mode;            /* where it connects, or listens, ... */
    ChardevAddress peer; /* ... of CHARDEV_TCP; of CHARDEV_UDP where it sends to ... */
    ChardevAddress own;  /* ... and where it receives */
    int protocol;
    int reconnect;     /* 0 yes, 1 no, or -1: not said */
    guint reconnect_s; /* with yes */
    int append;        /* 0 on, 1 off, or -1: not said */
    char *log;         /* NULL: none */
    int log_append;    /* as @append */
    int watch;         /* a pty's, as the guest's process has it; -1: not open, or by an earlier daemon */
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
/* It listens at a path, which is there as long as it is open. */
gboolean chardev_source_has_socket(const ChardevSource *source);
/* It connects again where its peer has left. */
gboolean chardev_source_reconnects(const ChardevSource *source);
/* Whether it is what a document means by @wanted, which may leave the path open. */
gboolean chardev_source_is_like(const ChardevSource *source, const ChardevSource *wanted);
/* Keeps a pty's watch, which it takes over, or closes the one that it has: -1. */
void chardev_source_set_watch(ChardevSource *source, int watch);
