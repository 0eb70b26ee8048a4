/* What a Telnet client of a character device sends, in pieces as they come: what is left is never more, the same however it
 * is cut, and what goes out comes back as it was. */
#include "qemu-kvm-backend/telnet.h"

#include <glib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GByteArray *
decode(const uint8_t *data, size_t size, size_t piece)
{
    g_autofree Telnet *telnet = g_new0(Telnet, 1);
    GByteArray *typed = g_byte_array_new();

    telnet_begin(telnet);
    for (size_t at = 0; at < size; at += piece) {
        size_t n = MIN(piece, size - at), left;
        g_autofree uint8_t *bytes = g_memdup2(data + at, n);

        left = telnet_decode(telnet, bytes, n);
        g_assert_cmpuint(left, <=, n);
        g_byte_array_append(typed, bytes, left);
    }
    return typed;
}

static GByteArray *
encode(const uint8_t *data, size_t size)
{
    g_autofree Telnet *telnet = g_new0(Telnet, 1);
    GByteArray *sent = g_byte_array_new();

    for (size_t at = 0; at < size;) {
        at += telnet_encode(telnet, data + at, size - at);
        g_byte_array_append(sent, telnet->out, telnet->end);
        telnet->at = telnet->end;
    }
    return sent;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) whole = decode(data, size, size + 1);
    g_autoptr(GByteArray) cut = decode(data, size, size > 0 ? 1 + data[0] % 7 : 1);
    g_autoptr(GByteArray) sent = encode(data, size);
    g_autoptr(GByteArray) back = decode(sent->data, sent->len, 512);

    g_assert_cmpmem(whole->data, whole->len, cut->data, cut->len);
    g_assert_cmpmem(back->data, back->len, data, size);
    return 0;
}
