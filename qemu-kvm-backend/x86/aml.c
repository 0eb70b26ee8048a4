#include "qemu-kvm-backend/x86/aml-private.h"

#include "qemu-kvm-backend/error.h"

#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Opcodes and prefixes: ACPI 6.4 section 20.3. */
#define OP_ZERO       0x00
#define OP_ONE        0x01
#define OP_NAME       0x08
#define OP_BYTE       0x0a
#define OP_WORD       0x0b
#define OP_DWORD      0x0c
#define OP_STRING     0x0d
#define OP_QWORD      0x0e
#define OP_SCOPE      0x10
#define OP_BUFFER     0x11
#define OP_PACKAGE    0x12
#define OP_METHOD     0x14
#define NAME_DUAL     0x2e
#define NAME_MULTI    0x2f
#define OP_EXT        0x5b
#define OP_EXT_REGION 0x80
#define OP_EXT_FIELD  0x81
#define OP_EXT_DEVICE 0x82
#define OP_ARG0       0x68
#define OP_DWORDFIELD 0x8a
#define OP_IF         0xa0
#define OP_ELSE       0xa1
#define OP_RETURN     0xa4
#define OP_ONES       0xff

#define SPACE_IO      1 /* of an OperationRegion: 20.2.5.2 */
#define SPACE_CONFIG  2
#define FIELD_BYTES   1    /* flags of a Field: byte access, no lock, bits that are not written stay */
#define METHOD_SERIAL 0x08 /* flags of a Method, beside the number of arguments */

#define DEPTH_MAX    16
#define SEGMENTS_MAX 255 /* of a path: their count is one byte */

typedef enum FrameKind {
    FRAME_TERMS,     /* of a scope, device or method */
    FRAME_ELEMENTS,  /* of a Package() */
    FRAME_RESOURCES, /* descriptors of a ResourceTemplate() */
} FrameKind;

/* A package whose length is not known yet. */
typedef struct Frame {
    FrameKind kind;
    size_t start;    /* where its PkgLength goes */
    unsigned n_left; /* FRAME_ELEMENTS: that were announced and did not come yet */
} Frame;

struct Aml {
    uint8_t *bytes;
    size_t size;
    size_t room;
    Frame frames[DEPTH_MAX];
    unsigned depth;
};

Aml *
aml_new(void)
{
    return vmm_must(calloc(1, sizeof(Aml)));
}

void
aml_free(Aml *aml)
{
    if (!aml)
        return;
    free(aml->bytes);
    free(aml);
}

const uint8_t *
aml_bytes(const Aml *aml, size_t *ret_size)
{
    assert(aml->depth == 0);
    *ret_size = aml->size;
    return aml->bytes;
}

/* Makes a gap of @size bytes at @at and fills it. */
static void
insert(Aml *aml, size_t at, const void *data, size_t size)
{
    if (aml->size + size > aml->room) {
        aml->room = (aml->size + size) * 2;
        aml->bytes = vmm_must(realloc(aml->bytes, aml->room));
    }
    memmove(aml->bytes + at + size, aml->bytes + at, aml->size - at);
    memcpy(aml->bytes + at, data, size);
    aml->size += size;
}

static void
put(Aml *aml, const void *data, size_t size)
{
    insert(aml, aml->size, data, size);
}

static void
put_byte(Aml *aml, uint8_t byte)
{
    put(aml, &byte, 1);
}

static bool
is_name_char(char c, bool first)
{
    return (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

/* One segment of one to four characters, filled up with underscores (20.2.2). */
static const char *
put_segment(Aml *aml, const char *path)
{
    char segment[4] = { '_', '_', '_', '_' };
    size_t n = strcspn(path, ".");

    assert(n >= 1 && n <= sizeof(segment));
    for (size_t i = 0; i < n; i++)
        assert(is_name_char(path[i], i == 0));
    memcpy(segment, path, n);
    put(aml, segment, sizeof(segment));
    return path[n] ? path + n + 1 : path + n;
}

static void
put_segment_count(Aml *aml, size_t n)
{
    assert(n <= SEGMENTS_MAX);
    if (n == 0) {
        put_byte(aml, 0); /* NullName */
    } else if (n == 2) {
        put_byte(aml, NAME_DUAL);
    } else if (n > 2) {
        put_byte(aml, NAME_MULTI);
        put_byte(aml, n);
    }
}

static void
put_path(Aml *aml, const char *path)
{
    size_t n = 0;

    while (*path == '\\' || *path == '^')
        put_byte(aml, *path++);
    for (const char *p = path; *p; p++)
        n += *p == '.' || p == path;
    put_segment_count(aml, n);
    while (*path)
        path = put_segment(aml, path);
}

/* Encodes @value in as few bytes as can be, opcode included; the number of them. */
static size_t
encode_integer(uint64_t value, uint8_t to[9])
{
    static const uint8_t ops[] = { OP_BYTE, OP_WORD, OP_DWORD, OP_QWORD };
    uint64_t le = htole64(value);
    unsigned log = value <= UINT8_MAX ? 0 : value <= UINT16_MAX ? 1 : value <= UINT32_MAX ? 2 : 3;

    to[0] = value == 0 ? OP_ZERO : value == 1 ? OP_ONE : value == UINT64_MAX ? OP_ONES : ops[log];
    if (value <= 1 || value == UINT64_MAX)
        return 1;
    memcpy(to + 1, &le, (size_t)1 << log);
    return 1 + ((size_t)1 << log);
}

static void
put_integer(Aml *aml, uint64_t value)
{
    uint8_t code[9];

    put(aml, code, encode_integer(value, code));
}

/* Encodes a PkgLength, which counts itself, for @size bytes after it (20.2.4). */
static size_t
encode_length(size_t size, uint8_t to[4])
{
    size_t n = 1;
    size_t rest;

    if (size + n < 1u << 6) {
        to[0] = size + n;
        return n;
    }
    for (n = 2; n < 4 && size + n >= (size_t)1 << (8 * n - 4); n++)
        continue;
    size += n;
    assert(size < 1u << 28);
    to[0] = (n - 1) << 6 | (size & 0xf);
    rest = size >> 4;
    for (size_t i = 1; i < n; i++, rest >>= 8)
        to[i] = rest & 0xff;
    return n;
}

static void
open_frame(Aml *aml, FrameKind kind, unsigned n_elements)
{
    assert(aml->depth < DEPTH_MAX);
    aml->frames[aml->depth++] = (Frame){ .kind = kind, .start = aml->size, .n_left = n_elements };
}

void
aml_open_scope(Aml *aml, const char *path)
{
    put_byte(aml, OP_SCOPE);
    open_frame(aml, FRAME_TERMS, 0);
    put_path(aml, path);
}

void
aml_open_device(Aml *aml, const char *name)
{
    put_byte(aml, OP_EXT);
    put_byte(aml, OP_EXT_DEVICE);
    open_frame(aml, FRAME_TERMS, 0);
    put_path(aml, name);
}

static void
open_method(Aml *aml, const char *name, unsigned n_args, uint8_t flags)
{
    assert(n_args <= 7);
    put_byte(aml, OP_METHOD);
    open_frame(aml, FRAME_TERMS, 0);
    put_path(aml, name);
    put_byte(aml, n_args | flags); /* sync level 0 */
}

void
aml_open_method(Aml *aml, const char *name, unsigned n_args)
{
    open_method(aml, name, n_args, 0);
}

void
aml_open_serial_method(Aml *aml, const char *name, unsigned n_args)
{
    open_method(aml, name, n_args, METHOD_SERIAL);
}

static void
put_name(Aml *aml, const char *name)
{
    put_byte(aml, OP_NAME);
    put_path(aml, name);
}

void
aml_open_resources(Aml *aml, const char *name)
{
    put_name(aml, name);
    put_byte(aml, OP_BUFFER);
    open_frame(aml, FRAME_RESOURCES, 0);
}

void
aml_open_package(Aml *aml, const char *name, unsigned n_elements)
{
    assert(n_elements <= UINT8_MAX);
    put_name(aml, name);
    put_byte(aml, OP_PACKAGE);
    open_frame(aml, FRAME_ELEMENTS, n_elements);
    put_byte(aml, n_elements);
}

static bool
inside(const Aml *aml, FrameKind kind)
{
    return aml->depth > 0 && aml->frames[aml->depth - 1].kind == kind;
}

static void
count_element(Aml *aml)
{
    assert(inside(aml, FRAME_ELEMENTS) && aml->frames[aml->depth - 1].n_left > 0);
    aml->frames[aml->depth - 1].n_left--;
}

void
aml_open_element(Aml *aml, unsigned n_elements)
{
    assert(n_elements <= UINT8_MAX);
    count_element(aml);
    put_byte(aml, OP_PACKAGE);
    open_frame(aml, FRAME_ELEMENTS, n_elements);
    put_byte(aml, n_elements);
}

void
aml_open_if(Aml *aml)
{
    put_byte(aml, OP_IF);
    open_frame(aml, FRAME_TERMS, 0);
}

void
aml_open_else(Aml *aml)
{
    put_byte(aml, OP_ELSE);
    open_frame(aml, FRAME_TERMS, 0);
}

/* The end tag, then the buffer's size before the first descriptor. A checksum of 0 in the tag means
 * that there is none (6.4.2.9). */
static void
finish_resources(Aml *aml, size_t start)
{
    static const uint8_t end_tag[] = { 0x79, 0 };
    uint8_t code[9];

    put(aml, end_tag, sizeof(end_tag));
    insert(aml, start, code, encode_integer(aml->size - start, code));
}

void
aml_close(Aml *aml)
{
    uint8_t code[4];
    Frame frame;

    assert(aml->depth > 0);
    frame = aml->frames[--aml->depth];
    assert(frame.n_left == 0);
    if (frame.kind == FRAME_RESOURCES)
        finish_resources(aml, frame.start);
    insert(aml, frame.start, code, encode_length(aml->size - frame.start, code));
}

void
aml_name_integer(Aml *aml, const char *name, uint64_t value)
{
    put_name(aml, name);
    put_integer(aml, value);
}

void
aml_name_string(Aml *aml, const char *name, const char *value)
{
    put_name(aml, name);
    put_byte(aml, OP_STRING);
    put(aml, value, strlen(value) + 1);
}

static unsigned
hex_digit(char c)
{
    assert((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'));
    return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* Three letters of five bits, then four hexadecimal digits, most significant byte first (19.3.4,
 * "EISAID"). */
void
aml_name_eisaid(Aml *aml, const char *name, const char *id)
{
    uint32_t value = 0;

    assert(strlen(id) == 7);
    for (int i = 0; i < 3; i++) {
        assert(id[i] >= 'A' && id[i] <= 'Z');
        value = value << 5 | (unsigned)(id[i] - 'A' + 1);
    }
    for (int i = 3; i < 7; i++)
        value = value << 4 | hex_digit(id[i]);
    value = htobe32(value);
    put_name(aml, name);
    put_byte(aml, OP_DWORD);
    put(aml, &value, sizeof(value));
}

void
aml_integer(Aml *aml, uint64_t value)
{
    count_element(aml);
    put_integer(aml, value);
}

void
aml_path(Aml *aml, const char *path)
{
    count_element(aml);
    put_path(aml, path);
}

void
aml_return_integer(Aml *aml, uint64_t value)
{
    put_byte(aml, OP_RETURN);
    put_integer(aml, value);
}

void
aml_put_descriptor(Aml *aml, const void *data, size_t size)
{
    assert(inside(aml, FRAME_RESOURCES));
    put(aml, data, size);
}

void
aml_operator(Aml *aml, AmlOperator op)
{
    put_byte(aml, op);
}

void
aml_reference(Aml *aml, const char *path)
{
    put_path(aml, path);
}

void
aml_arg(Aml *aml, unsigned i)
{
    assert(i < 7);
    put_byte(aml, OP_ARG0 + i);
}

void
aml_constant(Aml *aml, uint64_t value)
{
    put_integer(aml, value);
}

/* A buffer in which the first three parts have their bytes turned around (19.6.142, "ToUUID"). */
void
aml_uuid(Aml *aml, const char *uuid)
{
    static const uint8_t places[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    uint8_t bytes[16];
    const char *p = uuid;

    for (unsigned i = 0; i < sizeof(bytes); i++) {
        p += *p == '-';
        bytes[places[i]] = hex_digit(p[0]) << 4 | hex_digit(p[1]);
        p += 2;
    }
    assert(*p == 0);
    put_byte(aml, OP_BUFFER);
    open_frame(aml, FRAME_TERMS, 0);
    put_integer(aml, sizeof(bytes));
    put(aml, bytes, sizeof(bytes));
    aml_close(aml);
}

/* 20.2.5.2 */
static void
open_field(Aml *aml, const char *region, uint8_t space, unsigned offset, unsigned size)
{
    put_byte(aml, OP_EXT);
    put_byte(aml, OP_EXT_REGION);
    put_path(aml, region);
    put_byte(aml, space);
    put_integer(aml, offset);
    put_integer(aml, size);
    put_byte(aml, OP_EXT);
    put_byte(aml, OP_EXT_FIELD);
    open_frame(aml, FRAME_TERMS, 0);
    put_path(aml, region);
    put_byte(aml, FIELD_BYTES);
}

void
aml_open_config_field(Aml *aml, const char *region, unsigned offset, unsigned size)
{
    open_field(aml, region, SPACE_CONFIG, offset, size);
}

/* A width counts bits as a PkgLength does, but is no length of anything (NamedField, ReservedField). */

void
aml_field_byte(Aml *aml, const char *name)
{
    put_segment(aml, name);
    put_byte(aml, 8);
}

void
aml_field_gap(Aml *aml, unsigned n)
{
    assert(n < 8);
    put_byte(aml, 0);
    put_byte(aml, 8 * n);
}

void
aml_port_field(Aml *aml, const char *region, uint16_t port, const char *name)
{
    open_field(aml, region, SPACE_IO, port, 1);
    aml_field_byte(aml, name);
    aml_close(aml);
}

void
aml_dword_field(Aml *aml, unsigned i, unsigned offset, const char *name)
{
    put_byte(aml, OP_DWORDFIELD);
    aml_arg(aml, i);
    put_integer(aml, offset);
    put_path(aml, name);
}

void
aml_dword_field_of(Aml *aml, const char *buffer, unsigned offset, const char *name)
{
    put_byte(aml, OP_DWORDFIELD);
    put_path(aml, buffer);
    put_integer(aml, offset);
    put_path(aml, name);
}
