/* device-chardev-fixture: a domain with character devices, in memory and lowered, and a directory of the test's own. */
#pragma once

#include "driver/device-chardev.h"
#include "driver/domain-def.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <glib.h>

typedef struct Fixture {
    DomainDef *def;
    GPtrArray *messages;
    char *dir; /* a directory of the test's own */
} Fixture;

void setup(Fixture *f, gconstpointer data);
void teardown(Fixture *f, gconstpointer data);
#define ADD_TEST(path, function) g_test_add(path, Fixture, NULL, setup, function, teardown)

/* @devices may have %s in it, once, for the directory. */
void define(Fixture *f, const char *devices);
gboolean lower(Fixture *f, GError **error);
void define_and_lower(Fixture *f, const char *devices);
/* These are refused with @text when they are opened, and the definition is gone again. */
void assert_not_opened(Fixture *f, const char *devices, const char *text);

VmmMsg *message(Fixture *f, guint i);
int take_fd(VmmMsg *msg, const char *key);
void assert_kind(VmmMsg *msg, const char *kind);
const Device *device(Fixture *f, const char *element);
/* A file of that name with "old" in it. */
void prefill(Fixture *f, const char *name);
/* The process' descriptors, once threads that close some have ended. */
guint count_fds(void);
