#include "tests/bus/saved.h"

#include <glib/gstdio.h>
#include <string.h>

char *
saved_start(Fixture *fixture, const char *cmdline)
{
    g_autofree char *dir = g_build_filename(fixture->dir, SAVED_IMAGES, NULL);
    char *path = fixture_define(fixture, "kept", cmdline);

    g_mkdir(dir, 0700);
    fixture_do(fixture, path, "Create", g_variant_new("(u)", 0));
    fixture_expect_events(fixture, "4,0 2,0");
    return path;
}

guint
saved_count(Fixture *fixture, const char *below)
{
    g_autofree char *path = g_build_filename(fixture->dir, below, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    while (dir && g_dir_read_name(dir))
        n++;
    return n;
}

gboolean
saved_has_managed(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "HasManagedSaveImage", g_variant_new("(u)", 0), "(b)");
    gboolean has;

    g_variant_get(reply, "(b)", &has);
    return has;
}

char *
saved_edited(const char *xml, const char *old, const char *new)
{
    g_autoptr(GString) text = g_string_new(xml);

    g_assert_cmpuint(g_string_replace(text, old, new, 1), ==, 1);
    return g_strdup(text->str);
}
