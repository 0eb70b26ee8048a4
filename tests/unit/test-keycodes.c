/* The codesets of keys: what libvirt's says of every code, where it is installed, and what a PC's keyboard has. */
#include "driver/keycodes.h"

#include <dlfcn.h>
#include <gio/gio.h>
#include <libvirt/libvirt.h>

static void
test_names(void)
{
    g_assert_cmpstr(keycode_set_name(VIR_KEYCODE_SET_LINUX), ==, "linux");
    g_assert_cmpstr(keycode_set_name(VIR_KEYCODE_SET_OSX), ==, "os_x");
    g_assert_cmpstr(keycode_set_name(VIR_KEYCODE_SET_QNUM), ==, "qnum");
    g_assert_null(keycode_set_name(VIR_KEYCODE_SET_QNUM + 1));
    g_assert_false(keycode_is_known(VIR_KEYCODE_SET_QNUM + 1, 0));
    g_assert_cmpuint(keycode_to_qnum(VIR_KEYCODE_SET_QNUM + 1, 1), ==, 0);
}

/* One key, right Ctrl, in each; and the others' ways of saying no key. */
static void
test_codes(void)
{
    static const guint codes[] = {
        97, 0xe01d, 0xe01d, 0xe014, 0x58, 0x3e, 0x11d, 0xe4, 0xa3, 0x9d
    };

    for (guint set = 0; set < G_N_ELEMENTS(codes); set++) {
        g_assert_cmphex(keycode_to_qnum(set, codes[set]), ==, 0x9d);
        g_assert_true(keycode_is_known(set, codes[set]));
        g_assert_true(keycode_is_known(set, 0));
        g_assert_false(keycode_is_known(set, 0x10000));
    }
    g_assert_cmphex(keycode_to_qnum(VIR_KEYCODE_SET_LINUX, 0), ==, 0);
    g_assert_cmphex(keycode_to_qnum(VIR_KEYCODE_SET_OSX, 0), ==, 0x1e);
    g_assert_cmphex(keycode_to_qnum(VIR_KEYCODE_SET_OSX, 0xff), ==, 0);
    g_assert_true(keycode_is_known(VIR_KEYCODE_SET_LINUX, 330)); /* a finger on a touch screen */
    g_assert_cmphex(keycode_to_qnum(VIR_KEYCODE_SET_LINUX, 330), ==, 0);
}

/* What libvirt itself, whose function is private but found, makes of every code of every set. Later ones know more. */
static void
test_as_libvirt(void)
{
    void *library = dlopen("libvirt.so.0", RTLD_NOW);
    int (*translate)(int from, int to, int code) =
        library ? dlsym(library, "virKeycodeValueTranslate") : NULL;
    int (*get_version)(unsigned long *ret, const char *type, unsigned long *ret_type) =
        library ? dlsym(library, "virGetVersion") : NULL;
    unsigned long version;

    if (!translate || !get_version || get_version(&version, NULL, NULL) < 0) {
        g_test_skip("there is no libvirt.so.0 with its table");
        return;
    }
    for (guint set = 0; keycode_set_name(set); set++) {
        for (guint code = 0; code < 0x10000; code++) {
            int qnum = translate(set, VIR_KEYCODE_SET_QNUM, code);
            gboolean known = keycode_is_known(set, code);

            if (keycode_to_qnum(set, code) != MAX(qnum, 0) || (known && qnum < 0) ||
                (!known && qnum >= 0 && version / 1000 == 9000))
                g_error("code %u of %s is %d in libvirt", code, keycode_set_name(set), qnum);
        }
    }
    dlclose(library);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keycodes/names", test_names);
    g_test_add_func("/keycodes/codes", test_codes);
    g_test_add_func("/keycodes/as-libvirt", test_as_libvirt);
    return g_test_run();
}
