/* dbus-caller: who a client of the bus is, by what the bus knows of its connection. */
#pragma once

#include <gio/gio.h>

typedef struct Callers Callers;

typedef struct Caller {
    guint uid;
    gboolean manager; /* in the group that may manage guests, CALLER_GROUP */
    gboolean busy;    /* dbus-caller's own: it is telling */
    /* Free for the one who asks: */
    gboolean trusted; /* has passed some check */
    GQueue waiting;   /* checks that go on; while there are any, it stays known */
} Caller;

#define CALLER_GROUP "libvirt"

Callers *callers_new(GDBusConnection *bus);
void callers_free(Callers *callers); /* those who still ask get no answer */

/* @caller is NULL with an @error; it is good as long as its checks go on. */
typedef void (*CallerDone)(Caller *caller, const GError *error, gpointer data);
/* Looks up @sender, a unique name. Answers come in the order of the questions, at once for a known one that
 * nobody waits for. */
void callers_ask(Callers *callers, const char *sender, CallerDone done, gpointer data);
/* The same for those who cannot wait: asks the bus alone, which is quick. NULL: nobody knows. */
Caller *callers_ask_now(Callers *callers, const char *sender);
