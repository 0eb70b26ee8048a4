#include "tests/unit/raw-pty.h"

#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <termios.h>

int
raw_pty_open(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios modes;

    g_assert_cmpint(master, >=, 0);
    g_assert_cmpint(grantpt(master) | unlockpt(master), ==, 0);
    g_assert_cmpint(tcgetattr(master, &modes), ==, 0);
    cfmakeraw(&modes);
    g_assert_cmpint(tcsetattr(master, TCSANOW, &modes), ==, 0);
    return master;
}
