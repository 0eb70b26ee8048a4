/* keycodes: the numbers that the keys of keyboards have in libvirt's codesets (virKeycodeSet).
 *
 * They are facts of Linux (linux/input-event-codes.h), of the keyboards of PCs (scan code sets 1 to 3), of the USB HID
 * usage tables, of Windows (virtual-key codes) and of Mac OS (HIToolbox), put side by side as libvirt does. */
#pragma once

#include <glib.h>

typedef struct KeycodeRow {
    guint16 linux_code;
    guint8
        qnum; /* the code of set 1, with bit 7 where e0 goes before it; 0: PCs have no such key */
    guint16 atset2;
    guint8 atset3, osx, usb, win32;
} KeycodeRow;

/* What has a code in another set than Linux's alone; a row without a Linux code ends it. */
extern const KeycodeRow keycode_rows[];

/* The name of the codeset @set; NULL where there is none. */
const char *keycode_set_name(guint set);
/* Whether the codeset has @code. */
gboolean keycode_is_known(guint set, guint code);
/* The qnum of @code; 0: it is not known, or PCs have no such key. */
guint8 keycode_to_qnum(guint set, guint code);
