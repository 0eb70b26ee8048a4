/* keynames: codesets of keys, and the names of the keys in those that have names for them. */
#pragma once

#include <glib.h>

typedef struct KeyName {
    const char *name; /* NULL ends a table */
    int code;
} KeyName;

typedef struct KeyCodeset {
    const char *name;     /* NULL ends the table */
    guint number;         /* virKeycodeSet */
    const KeyName *names; /* NULL: its keys have numbers only */
} KeyCodeset;

extern const KeyCodeset key_codesets[];

/* NULL: there is none. */
const KeyCodeset *key_codeset_find(const char *name);
/* Negative: the codeset has no key of that name. */
int key_find(const KeyCodeset *set, const char *name);
