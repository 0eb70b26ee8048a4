#include "tests/unit/image-fixture.h"

#include <glib/gstdio.h>

void
image_set_up(Fixture *f, gconstpointer unused)
{
    f->dir = g_dir_make_tmp("vmctl-image-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "image", NULL);
}

void
image_tear_down(Fixture *f, gconstpointer unused)
{
    g_unlink(f->path);
    g_assert_no_errno(g_rmdir(f->dir));
    g_free(f->path);
    g_free(f->dir);
}
