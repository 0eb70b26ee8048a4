#include "qemu-kvm-backend/block/inflate.h"

#include <string.h>

#define CODE_BITS_MAX 15
#define N_LITERALS    288
#define N_DISTANCES   32
#define N_LENGTHS     19
#define FAST_BITS     9

/* A canonical Huffman code. Codes of up to FAST_BITS are looked up, longer ones are counted through. */
typedef struct Huffman {
    uint16_t count[CODE_BITS_MAX + 1]; /* symbols with codes of so many bits */
    uint16_t symbols[N_LITERALS];      /* in the order of their codes */
    uint16_t fast[1 << FAST_BITS];     /* symbol << 4 | bits; 0: none */
} Huffman;

typedef struct Codes {
    Huffman literals, distances;
} Codes;

typedef struct Inflate {
    const uint8_t *in, *in_end;
    uint64_t bits;
    unsigned n_bits;
    bool starved; /* bits were made up */
    uint8_t *out;
    size_t at, size;
    const Codes *codes; /* the block's */
    Codes dynamic, fixed;
    bool has_fixed; /* made once: there may be millions of blocks, with next to nothing in each */
} Inflate;

/* Bits come from the lowest of each byte on. Behind the end there are zeros, so that codes can be looked
 * at ahead of it; it is taking them that fails. */

static void
refill(Inflate *z)
{
    while (z->n_bits <= 56 && z->in < z->in_end) {
        z->bits |= (uint64_t)*z->in++ << z->n_bits;
        z->n_bits += 8;
    }
}

static void
drop_bits(Inflate *z, unsigned n)
{
    z->starved |= n > z->n_bits;
    z->bits >>= n;
    z->n_bits -= n < z->n_bits ? n : z->n_bits;
}

static unsigned
take_bits(Inflate *z, unsigned n)
{
    unsigned value;

    refill(z);
    value = z->bits & ((1u << n) - 1);
    drop_bits(z, n);
    return value;
}

/* Huffman codes, RFC 1951 section 3.2.2 */

static unsigned
reverse(unsigned code, unsigned bits)
{
    unsigned reversed = 0;

    for (unsigned i = 0; i < bits; i++)
        reversed |= (code >> i & 1) << (bits - 1 - i);
    return reversed;
}

static void
fill_fast(Huffman *huffman)
{
    unsigned code = 0, index = 0;

    memset(huffman->fast, 0, sizeof(huffman->fast));
    for (unsigned bits = 1; bits <= FAST_BITS; bits++, code <<= 1) {
        for (unsigned i = 0; i < huffman->count[bits]; i++, code++, index++) {
            for (unsigned at = reverse(code, bits); at < 1 << FAST_BITS; at += 1u << bits)
                huffman->fast[at] = huffman->symbols[index] << 4 | bits;
        }
    }
}

/* From the length of each symbol's code. False where there are more codes than fit, or fewer, but for a
 * single code of one bit, or none at all, which the format allows for distances. */
static bool
huffman_build(Huffman *huffman, const uint8_t *lengths, unsigned n)
{
    uint16_t first[CODE_BITS_MAX + 2] = { 0 };
    int left = 1;

    memset(huffman->count, 0, sizeof(huffman->count));
    for (unsigned i = 0; i < n; i++)
        huffman->count[lengths[i]]++;
    huffman->count[0] = 0;
    for (unsigned bits = 1; bits <= CODE_BITS_MAX; bits++) {
        left = left * 2 - huffman->count[bits];
        if (left < 0)
            return false;
        first[bits + 1] = first[bits] + huffman->count[bits];
    }
    for (unsigned i = 0; i < n; i++) {
        if (lengths[i])
            huffman->symbols[first[lengths[i]]++] = i;
    }
    fill_fast(huffman);
    return left == 0 || first[CODE_BITS_MAX] <= 1;
}

static int
decode_slowly(Inflate *z, const Huffman *huffman)
{
    unsigned code = 0, first = 0, index = 0;

    for (unsigned bits = 1; bits <= CODE_BITS_MAX; bits++) {
        unsigned count = huffman->count[bits];

        code |= z->bits >> (bits - 1) & 1;
        if (code < first + count) {
            drop_bits(z, bits);
            return huffman->symbols[index + code - first];
        }
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return -1;
}

/* The next symbol, or -1. */
static int
decode(Inflate *z, const Huffman *huffman)
{
    unsigned fast;

    refill(z);
    fast = huffman->fast[z->bits & ((1u << FAST_BITS) - 1)];
    if (!fast)
        return decode_slowly(z, huffman);
    drop_bits(z, fast & 15);
    return fast >> 4;
}

/* Blocks, section 3.2.3 on */

static bool
copy_stored(Inflate *z)
{
    unsigned size, inverse;

    drop_bits(z, z->n_bits % 8);
    size = take_bits(z, 16);
    inverse = take_bits(z, 16);
    if (z->starved || size != (inverse ^ 0xffff))
        return false;
    for (; size > 0 && z->at < z->size; size--)
        z->out[z->at++] = take_bits(z, 8);
    return !z->starved;
}

static bool
copy_match(Inflate *z, size_t length, size_t distance)
{
    if (distance > z->at)
        return false;
    for (; length > 0 && z->at < z->size; length--, z->at++)
        z->out[z->at] = z->out[z->at - distance];
    return true;
}

static bool
inflate_match(Inflate *z, unsigned symbol)
{
    static const uint16_t length_base[] = { 3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                            15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                            67, 83, 99, 115, 131, 163, 195, 227, 258 };
    static const uint8_t length_bits[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                           2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
    static const uint16_t distance_base[] = { 1,    2,    3,    4,     5,     7,    9,    13,
                                              17,   25,   33,   49,    65,    97,   129,  193,
                                              257,  385,  513,  769,   1025,  1537, 2049, 3073,
                                              4097, 6145, 8193, 12289, 16385, 24577 };
    size_t length, distance;
    int code;

    symbol -= 257;
    if (symbol >= sizeof(length_bits))
        return false;
    length = length_base[symbol] + take_bits(z, length_bits[symbol]);
    code = decode(z, &z->codes->distances);
    if (code < 0 || code >= 30)
        return false;
    distance = distance_base[code] + take_bits(z, code < 4 ? 0 : code / 2 - 1);
    return !z->starved && copy_match(z, length, distance);
}

static bool
inflate_codes(Inflate *z)
{
    while (z->at < z->size) {
        int symbol = decode(z, &z->codes->literals);

        if (symbol < 0 || z->starved)
            return false;
        if (symbol == 256)
            return true;
        if (symbol < 256)
            z->out[z->at++] = symbol;
        else if (!inflate_match(z, symbol))
            return false;
    }
    return true;
}

static void
make_fixed(Inflate *z)
{
    uint8_t lengths[N_LITERALS];

    z->has_fixed = true;
    for (unsigned i = 0; i < N_LITERALS; i++)
        lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    huffman_build(&z->fixed.literals, lengths, N_LITERALS);
    memset(lengths, 5, N_DISTANCES);
    huffman_build(&z->fixed.distances, lengths, N_DISTANCES);
}

static bool
inflate_fixed(Inflate *z)
{
    if (!z->has_fixed)
        make_fixed(z);
    z->codes = &z->fixed;
    return inflate_codes(z);
}

/* Lengths of codes, themselves coded, with 16 to 18 for what repeats. */
static bool
read_lengths(Inflate *z, uint8_t *lengths, unsigned n)
{
    unsigned at = 0;

    while (at < n) {
        int symbol = decode(z, &z->dynamic.literals);
        unsigned times = 1;
        uint8_t length = symbol;

        if (symbol < 0 || z->starved || (symbol == 16 && at == 0))
            return false;
        if (symbol >= 16) {
            length = symbol == 16 ? lengths[at - 1] : 0;
            times = symbol == 16   ? 3 + take_bits(z, 2)
                    : symbol == 17 ? 3 + take_bits(z, 3)
                                   : 11 + take_bits(z, 7);
        }
        if (times > n - at)
            return false;
        memset(lengths + at, length, times);
        at += times;
    }
    return true;
}

static bool
inflate_dynamic(Inflate *z)
{
    static const uint8_t order[N_LENGTHS] = { 16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                              11, 4,  12, 3, 13, 2, 14, 1, 15 };
    unsigned n_literals = take_bits(z, 5) + 257, n_distances = take_bits(z, 5) + 1;
    unsigned n_lengths = take_bits(z, 4) + 4;
    uint8_t lengths[N_LITERALS + N_DISTANCES] = { 0 };

    if (n_literals > 286 || n_distances > 30)
        return false;
    for (unsigned i = 0; i < n_lengths; i++)
        lengths[order[i]] = take_bits(z, 3);
    if (z->starved || !huffman_build(&z->dynamic.literals, lengths, N_LENGTHS))
        return false;
    z->codes = &z->dynamic;
    return read_lengths(z, lengths, n_literals + n_distances) && lengths[256] != 0 &&
           huffman_build(&z->dynamic.literals, lengths, n_literals) &&
           huffman_build(&z->dynamic.distances, lengths + n_literals, n_distances) && inflate_codes(z);
}

bool
inflate_raw(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size)
{
    Inflate z = { .in = in, .in_end = in + in_size, .out = out, .size = out_size };
    bool last = false;

    while (z.at < z.size && !last) {
        bool good = false;
        unsigned type;

        last = take_bits(&z, 1);
        type = take_bits(&z, 2);
        if (type == 0)
            good = copy_stored(&z);
        else if (type == 1)
            good = inflate_fixed(&z);
        else if (type == 2)
            good = inflate_dynamic(&z);
        if (!good || z.starved)
            return false;
    }
    return z.at == z.size;
}
