/* saved: what the tests of guests that are saved have in common. */
#pragma once

#include "tests/bus/fixture.h"

#define SAVED_IMAGES    "saved" /* below the fixture's directory: of those who choose a file ... */
#define SAVED_MANAGED   "data/vmctl/save" /* ... and of those who do not */
#define SAVED_EVENTS    "3,0 5,4"         /* paused, stopped: saved */
#define RESTORED_EVENTS "2,2 4,2"         /* started: restored, resumed: from a snapshot */

/* A guest, "kept", that runs, and a directory for its image. Its path; @cmdline as fixture_xml()'s. */
char *saved_start(Fixture *fixture, const char *cmdline);
/* How many files there are in one of the directories above. */
guint saved_count(Fixture *fixture, const char *below);
/* Whether a domain has an image of its own. */
gboolean saved_has_managed(Fixture *fixture, const char *path);
/* @xml with @new in the place of @old, which has to be there. */
char *saved_edited(const char *xml, const char *old, const char *new);
