/* fake-polkit: an authority on the test's bus that answers as it is told, in a thread of its own. */
#pragma once

#include <gio/gio.h>

typedef struct FakePolkit FakePolkit;

FakePolkit *fake_polkit_new(const char *address);
void fake_polkit_free(FakePolkit *polkit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakePolkit, fake_polkit_free)

/* From now on, everything that @actions (patterns, with spaces between) matches is allowed. */
void fake_polkit_allow(FakePolkit *polkit, const char *actions);
/* Of libvirt's access driver, nothing that is about the domain @name is allowed. */
void fake_polkit_hide(FakePolkit *polkit, const char *name);
/* The same of any action. */
void fake_polkit_refuse(FakePolkit *polkit, const char *name);
/* What is not allowed is a challenge, or was dismissed by the user. */
void fake_polkit_set_challenge(FakePolkit *polkit, gboolean challenge);
void fake_polkit_set_dismissed(FakePolkit *polkit, gboolean dismissed);
/* Keeps all questions without an answer until it is called with FALSE. */
void fake_polkit_hold(FakePolkit *polkit, gboolean hold);

/* What was asked since the last look: "ACTION PERMISSION 'DOMAIN'[ interactive]\n" for each; free with
 * g_free(). */
char *fake_polkit_asked(FakePolkit *polkit);
