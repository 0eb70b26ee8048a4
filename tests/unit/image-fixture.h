/* image-fixture: a directory of a test's own, with room for one image. */
#pragma once

#include <glib.h>

typedef struct Fixture {
    char *dir, *path; /* of the image, which is not there yet */
} Fixture;

void image_set_up(Fixture *f, gconstpointer unused);
/* Nothing but the image itself may be left there. */
void image_tear_down(Fixture *f, gconstpointer unused);
