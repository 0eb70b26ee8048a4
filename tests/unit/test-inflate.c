/* DEFLATE data of anybody's making: what it means, and what it costs to find that it means nothing. */
#include "qemu-kvm-backend/block/inflate.h"

#include <glib.h>
#include <string.h>
#include <time.h>

/* Blocks, bit by bit: RFC 1951 section 3.2 */

typedef struct Bits {
    guint8 *data;
    gsize n, room; /* bits */
} Bits;

static Bits
bits_new(gsize size)
{
    return (Bits){ .data = g_malloc0(size), .room = size * 8 };
}

static void
put(Bits *bits, guint value, guint n)
{
    g_assert_cmpuint(bits->n + n, <=, bits->room);
    for (guint i = 0; i < n; i++, bits->n++)
        bits->data[bits->n / 8] |= (value >> i & 1) << bits->n % 8;
}

/* Codes begin with their highest bit. */
static void
put_code(Bits *bits, guint code, guint n)
{
    while (n-- > 0)
        put(bits, code >> n & 1, 1);
}

static void
put_fixed(Bits *bits, const char *text, gboolean last)
{
    put(bits, last, 1);
    put(bits, 1, 2);
    for (; *text; text++)
        put_code(bits, 0x30 + *text, 8);
    put_code(bits, 0, 7);
}

/* So many symbols without a code: 18 is 1, as put_dynamic() says. */
static void
put_gap(Bits *bits, guint n)
{
    put(bits, 1, 1);
    put(bits, n - 11, 7);
}

/* A block of the letter 'c', @n times: one bit each, as the end is. */
static void
put_dynamic(Bits *bits, guint n)
{
    static const guint8 order[] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1 };

    put(bits, 2 << 1, 3);
    put(bits, 257 - 257, 5);
    put(bits, 1 - 1, 5);
    put(bits, sizeof(order) - 4, 4);
    for (gsize i = 0; i < sizeof(order); i++)
        put(bits, order[i] == 18 || order[i] == 1, 3);
    put_gap(bits, 'c');
    put(bits, 0, 1);
    put_gap(bits, 138);
    put_gap(bits, 256 - 'c' - 1 - 138);
    put(bits, 0, 1);
    put(bits, 0, 1);
    put(bits, 0, n);
    put(bits, 1, 1);
}

/* Each block has the codes that it says. */
static void
test_kinds(void)
{
    Bits bits = bits_new(200);
    char text[8];

    put_fixed(&bits, "ab", FALSE);
    put_dynamic(&bits, 1);
    put_fixed(&bits, "d", FALSE);
    put_dynamic(&bits, 2);
    put_fixed(&bits, "ef", TRUE);
    g_assert_true(inflate_raw(bits.data, 200, (uint8_t *)text, sizeof(text)));
    g_assert_cmpmem(text, sizeof(text), "abcdccef", 8);
    g_free(bits.data);
}

/* Blocks with nothing in them, as many as a compressed cluster of 512 KiB has room for. */

#define DEFLATED (1u << 20)
#define INFLATED (512u << 10)
#define SECONDS  2 /* of the processor, far more than it takes */

static void
put_fixed_nothing(Bits *bits)
{
    put_fixed(bits, "", FALSE);
}

static void
put_both(Bits *bits)
{
    put_dynamic(bits, 0);
    put_fixed(bits, "", FALSE);
}

static void
test_nothing(gconstpointer data)
{
    void (*const *put_blocks)(Bits *) = data;
    g_autofree guint8 *inflated = g_malloc(INFLATED);
    Bits bits = bits_new(DEFLATED);
    clock_t begun;

    while (bits.n + 200 < bits.room)
        (*put_blocks)(&bits);
    begun = clock();
    g_assert_false(inflate_raw(bits.data, DEFLATED, inflated, INFLATED));
    g_test_message("%.3f s", (double)(clock() - begun) / CLOCKS_PER_SEC);
    g_assert_cmpint((clock() - begun) / CLOCKS_PER_SEC, <, SECONDS);
    g_free(bits.data);
}

int
main(int argc, char **argv)
{
    static void (*const nothing)(Bits *) = put_fixed_nothing, (*const both)(Bits *) = put_both;

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inflate/kinds", test_kinds);
    g_test_add_data_func("/inflate/nothing/fixed", &nothing, test_nothing);
    g_test_add_data_func("/inflate/nothing/both", &both, test_nothing);
    return g_test_run();
}
