/* Telnet's bytes: what of them was typed, and how they go. */
#include "qemu-kvm-backend/telnet.h"

#include <glib.h>
#include <string.h>

/* What comes, byte by byte and at once, and what is left of it. */
static const struct {
    const char *bytes;
    size_t size;
    const char *typed;
} rows[] = {
    { "ls\r", 3, "ls\r" },
    { "a\xff\xff" "b", 4, "a\xff" "b" },
    { "\xff\xfd\x01\xff\xfb\x1f" "x", 7, "x" },              /* DO ECHO, WILL NAWS */
    { "\xff\xfa\x1f\x00\x50\xff\xff\x18\xff\xf0y", 11, "y" }, /* a size with a 255 in it */
    { "\xff\xf1z\xff\xf3", 5, "z" },                         /* NOP, BREAK */
    { "\xff\xfa\xff\xf1q\xff\xf0w", 8, "w" },
    { "\xff", 1, "" },
};

static void
test_decode(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree Telnet *telnet = g_new0(Telnet, 1);
        g_autoptr(GString) slow = g_string_new(NULL);
        uint8_t bytes[16];
        size_t n;

        telnet_begin(telnet);
        memcpy(bytes, rows[i].bytes, rows[i].size);
        n = telnet_decode(telnet, bytes, rows[i].size);
        g_assert_cmpmem(bytes, n, rows[i].typed, strlen(rows[i].typed));
        telnet_begin(telnet);
        for (size_t k = 0; k < rows[i].size; k++) {
            bytes[0] = rows[i].bytes[k];
            g_string_append_len(slow, (char *)bytes, telnet_decode(telnet, bytes, 1));
        }
        g_assert_cmpstr(slow->str, ==, rows[i].typed);
    }
}

static void
test_encode(void)
{
    g_autofree Telnet *telnet = g_new0(Telnet, 1);
    uint8_t bytes[2 * TELNET_PIECE];

    telnet_begin(telnet);
    g_assert_cmpuint(telnet->end - telnet->at, ==, 12);
    telnet->at = telnet->end;
    memset(bytes, 0xff, sizeof(bytes));
    g_assert_cmpuint(telnet_encode(telnet, bytes, sizeof(bytes)), ==, TELNET_PIECE);
    g_assert_cmpuint(telnet->end - telnet->at, ==, 2 * TELNET_PIECE);
    telnet->at = telnet->end;
    g_assert_cmpuint(telnet_encode(telnet, (const uint8_t *)"a\xff", 2), ==, 2);
    g_assert_cmpmem(telnet->out + telnet->at, telnet->end - telnet->at, "a\xff\xff", 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/telnet/decode", test_decode);
    g_test_add_func("/telnet/encode", test_encode);
    return g_test_run();
}
