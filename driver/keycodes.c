#include "driver/keycodes.h"

#include <libvirt/libvirt.h>

#define OSX_NONE 0xff /* where other sets have 0, which is a key of a Mac */

static const char *const names[] = {
    [VIR_KEYCODE_SET_LINUX] = "linux",   [VIR_KEYCODE_SET_XT] = "xt",
    [VIR_KEYCODE_SET_ATSET1] = "atset1", [VIR_KEYCODE_SET_ATSET2] = "atset2",
    [VIR_KEYCODE_SET_ATSET3] = "atset3", [VIR_KEYCODE_SET_OSX] = "os_x",
    [VIR_KEYCODE_SET_XT_KBD] = "xt_kbd", [VIR_KEYCODE_SET_USB] = "usb",
    [VIR_KEYCODE_SET_WIN32] = "win32",   [VIR_KEYCODE_SET_QNUM] = "qnum",
};

/* What Linux has a name for; most of it is on no keyboard of a PC. */
static const struct {
    guint16 first, last;
} linux_codes[] = {
    { 0, 265 },   { 272, 279 }, { 288, 299 }, { 303, 318 }, { 320, 327 }, { 330, 337 },
    { 352, 439 }, { 448, 451 }, { 464, 484 }, { 497, 506 }, { 512, 524 },
};

const char *
keycode_set_name(guint set)
{
    return set < G_N_ELEMENTS(names) ? names[set] : NULL;
}

/* What has e0 before it in set 1 has @extended in another. */
static guint
prefixed(guint8 qnum, guint extended)
{
    return qnum & 0x80 ? extended | (qnum & 0x7f) : qnum;
}

static guint
code_in(const KeycodeRow *row, guint set)
{
    switch (set) {
    case VIR_KEYCODE_SET_LINUX:
        return row->linux_code;
    case VIR_KEYCODE_SET_XT:
    case VIR_KEYCODE_SET_ATSET1:
        return prefixed(row->qnum, 0xe000);
    case VIR_KEYCODE_SET_ATSET2:
        return row->atset2;
    case VIR_KEYCODE_SET_ATSET3:
        return row->atset3;
    case VIR_KEYCODE_SET_OSX:
        return row->osx;
    case VIR_KEYCODE_SET_XT_KBD:
        return prefixed(row->qnum, 0x100);
    case VIR_KEYCODE_SET_USB:
        return row->usb;
    case VIR_KEYCODE_SET_WIN32:
        return row->win32;
    default:
        return row->qnum;
    }
}

/* The first row, as in libvirt, where keys share a code. */
static const KeycodeRow *
find(guint set, guint code)
{
    if (code == (set == VIR_KEYCODE_SET_OSX ? OSX_NONE : 0))
        return NULL;
    for (const KeycodeRow *row = keycode_rows; row->linux_code; row++) {
        if (code_in(row, set) == code)
            return row;
    }
    return NULL;
}

static gboolean
is_linux_code(guint code)
{
    for (gsize i = 0; i < G_N_ELEMENTS(linux_codes); i++) {
        if (code >= linux_codes[i].first && code <= linux_codes[i].last)
            return TRUE;
    }
    return FALSE;
}

/* No key at all is known, too. */
gboolean
keycode_is_known(guint set, guint code)
{
    if (!keycode_set_name(set))
        return FALSE;
    if (code == 0 || (set == VIR_KEYCODE_SET_OSX && code == OSX_NONE))
        return TRUE;
    return set == VIR_KEYCODE_SET_LINUX ? is_linux_code(code) : find(set, code) != NULL;
}

guint8
keycode_to_qnum(guint set, guint code)
{
    const KeycodeRow *row = keycode_set_name(set) ? find(set, code) : NULL;

    return row ? row->qnum : 0;
}
