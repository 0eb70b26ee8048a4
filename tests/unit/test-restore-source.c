/* An image is of whom it was when somebody was asked about it, or it is refused. */
#include "driver/restore-source.h"

#include "driver/image-file.h"
#include "driver/save-image.h"
#include "driver/test-image.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define UUID "11111111-2222-3333-4444-555555555555"
#define XML(of, more) \
    "<domain type='" of "'" more "><name>web</name><uuid>" UUID "</uuid><memory>65536</memory><vcpu>1</vcpu>" \
    "<os><type>hvm</type></os></domain>"

static void
check(gboolean simulated, const char *path)
{
    DriverEnv env = { .simulated = simulated };
    const struct {
        DomainIdentity whose;
        gboolean good;
    } all[] = {
        { { (char *)"web", (char *)UUID }, TRUE },
        { { (char *)"prod", (char *)UUID }, FALSE },
        { { (char *)"web", (char *)"99999999-2222-3333-4444-555555555555" }, FALSE },
        { { NULL, NULL }, FALSE }, /* there was none */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        const SavedImage image = { path, &all[i].whose };
        g_auto(RestoreSource) source = { .fd = -1 };
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(restore_source_open(&env, &image, NULL, 0, &source, NULL, &error), ==, all[i].good);
        if (error)
            g_assert_nonnull(strstr(error->message, "has become another domain's image meanwhile"));
    }
}

static void
test_simulated(void)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    int fd = g_file_open_tmp(NULL, &path, NULL);

    close(fd);
    g_assert_true(test_image_write(path, "web", XML("test", ""), &error));
    check(TRUE, path);
    g_unlink(path);
}

static void
test_real(void)
{
    g_autofree char *dir = g_dir_make_tmp(NULL, NULL);
    g_autofree char *path = g_build_filename(dir, "image", NULL);
    g_autofree char *temporary = NULL;
    g_autoptr(GError) error = NULL;
    int fd = save_image_begin(path, XML("kvm", " id='1'"), &temporary, &error);

    g_assert_no_error(error);
    g_assert_cmpint(write(fd, "stream", 6), ==, 6);
    g_assert_true(save_image_seal(fd, TRUE, &error));
    g_assert_true(image_file_publish(temporary, path, &error));
    close(fd);
    check(FALSE, path);
    g_unlink(path);
    g_rmdir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/restore-source/real", test_real);
    g_test_add_func("/restore-source/simulated", test_simulated);
    return g_test_run();
}
