#include "driver/uuid.h"

gboolean
uuid_parse(const char *text, char ret[UUID_SIZE])
{
    char digits[33] = "";
    gsize n = 0;

    while (*text == ' ')
        text++;
    for (; *text; text++) {
        if ((*text == '-' || *text == ' ') && n > 0 && n % 2 == 0)
            continue;
        if (!g_ascii_isxdigit(*text) || n == 32)
            return FALSE;
        digits[n++] = g_ascii_tolower(*text);
    }
    if (n != 32)
        return FALSE;
    g_snprintf(ret, UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12,
               digits + 16, digits + 20);
    return TRUE;
}
