#include "qemu-kvm-backend/state.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct StateOut {
    uint8_t *data;
    size_t size, room;
};

/* Writing. */

StateOut *
state_out_new(void)
{
    return vmm_must(calloc(1, sizeof(StateOut)));
}

void
state_out_free(StateOut *out)
{
    if (!out)
        return;
    free(out->data);
    free(out);
}

const void *
state_out_bytes(const StateOut *out, size_t *ret_size)
{
    *ret_size = out->size;
    return out->data;
}

/* Room for @size more bytes, which count as written. */
static uint8_t *
extend(StateOut *out, size_t size)
{
    if (size > out->room - out->size) {
        out->room = (out->size + size) * 2;
        out->data = vmm_must(realloc(out->data, out->room));
    }
    out->size += size;
    return out->data + out->size - size;
}

static void
store(uint8_t *to, uint64_t value, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        to[i] = value >> (8 * i);
}

static void
put_number(StateOut *out, uint64_t value, unsigned width)
{
    store(extend(out, width), value, width);
}

void
state_put_bytes(StateOut *out, const void *data, size_t size)
{
    if (size > 0)
        memcpy(extend(out, size), data, size);
}

static void
put_name(StateOut *out, const char *name)
{
    size_t length = strlen(name);

    assert(length <= STATE_NAME_MAX);
    put_number(out, length, 1);
    state_put_bytes(out, name, length);
}

void
state_put_header(StateOut *out)
{
    state_put_bytes(out, STATE_MAGIC, strlen(STATE_MAGIC));
    put_number(out, STATE_FORMAT, 4);
    put_number(out, 0, 4);
}

/* A length that is known only afterwards: where to put it. */
static size_t
open_length(StateOut *out, unsigned width)
{
    put_number(out, 0, width);
    return out->size;
}

static void
close_length(StateOut *out, size_t start, unsigned width)
{
    store(out->data + start - width, out->size - start, width);
}

/* Members have the host's byte order, which is the stream's: an x86 monitor. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are copied as they lie there");

static void put_fields(StateOut *out, const StateTable *table, void *object);

static size_t
count_structs(const StateField *field, const void *object)
{
    return field->n ? field->n(object) : field->count;
}

static void
put_structs(StateOut *out, const StateField *field, void *object)
{
    size_t n = count_structs(field, object);
    uint8_t *first = (uint8_t *)object + field->offset;

    put_number(out, field->table->version, 4);
    for (size_t i = 0; i < n; i++) {
        size_t start = open_length(out, 4);

        put_fields(out, field->table, first + i * field->width);
        close_length(out, start, 4);
    }
}

/* The struct behind a field, and the table that describes it. */
static void *
find_part(const StateField *field, void *object, const StateTable **ret_table)
{
    if (field->part_of)
        return field->part_of(object, ret_table);
    *ret_table = field->table;
    return field->part(object);
}

static void
put_part(StateOut *out, const StateField *field, void *object)
{
    const StateTable *table;
    void *part = find_part(field, object, &table);

    put_number(out, table->version, 4);
    put_fields(out, table, part);
}

static void
put_value(StateOut *out, const StateField *field, void *object)
{
    uint8_t *member = (uint8_t *)object + field->offset;

    switch (field->kind) {
    case STATE_KIND_NUMBERS:
    case STATE_KIND_BYTES:
        state_put_bytes(out, member, field->width * field->count);
        break;
    case STATE_KIND_STRUCTS:
        put_structs(out, field, object);
        break;
    case STATE_KIND_VALUE:
        put_number(out, field->get(object), 8);
        break;
    case STATE_KIND_BLOB:
        field->save(object, out);
        break;
    case STATE_KIND_PART:
        put_part(out, field, object);
        break;
    }
}

static void
put_fields(StateOut *out, const StateTable *table, void *object)
{
    if (table->before_save)
        table->before_save(object);
    for (const StateField *field = table->fields; field->name; field++) {
        size_t start;

        put_name(out, field->name);
        start = open_length(out, 4);
        put_value(out, field, object);
        close_length(out, start, 4);
    }
}

void
state_put_head(StateOut *out, const char *class, const char *id, uint32_t version, uint64_t length)
{
    put_name(out, class);
    put_name(out, id);
    put_number(out, version, 4);
    put_number(out, length, 8);
}

void
state_put_section(StateOut *out, const char *class, const char *id, const StateTable *table,
                  void *object)
{
    size_t start;

    state_put_head(out, class, id, table->version, 0);
    start = out->size;
    put_fields(out, table, object);
    close_length(out, start, 8);
}

/* Reading. */

/* What is left to read. */
typedef struct Cursor {
    const uint8_t *at;
    size_t left;
} Cursor;

static const uint8_t *
take(Cursor *cursor, size_t size)
{
    const uint8_t *at = cursor->at;

    if (size > cursor->left)
        return NULL;
    cursor->at += size;
    cursor->left -= size;
    return at;
}

static bool
take_number(Cursor *cursor, unsigned width, uint64_t *ret)
{
    const uint8_t *at = take(cursor, width);

    if (!at)
        return false;
    *ret = 0;
    for (unsigned i = 0; i < width; i++)
        *ret |= (uint64_t)at[i] << (8 * i);
    return true;
}

bool
state_check_header(const void *data, size_t size, VmmError *err)
{
    Cursor cursor = { data, size };
    const uint8_t *magic = take(&cursor, strlen(STATE_MAGIC));
    uint64_t format, flags;

    if (!magic || memcmp(magic, STATE_MAGIC, strlen(STATE_MAGIC)) != 0 ||
        !take_number(&cursor, 4, &format) || !take_number(&cursor, 4, &flags))
        return vmm_error(err, VMM_ERROR_INVALID, "This is not the saved state of a guest");
    if (format != STATE_FORMAT || flags != 0)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "The saved state has format %" PRIu64 ", of which this VMM knows nothing",
                         format);
    return true;
}

/* Names are printable, so that errors can say them. */
static bool
is_printable(const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return false;
    }
    return true;
}

/* 1: taken, 0: more bytes are needed, -1: it is none. */
static int
take_name(Cursor *cursor, char *ret)
{
    const uint8_t *text;
    uint64_t length;

    if (!take_number(cursor, 1, &length))
        return 0;
    if (length > STATE_NAME_MAX)
        return -1;
    text = take(cursor, length);
    if (!text)
        return 0;
    if (!is_printable(text, length))
        return -1;
    memcpy(ret, text, length);
    ret[length] = 0;
    return 1;
}

int
state_read_head(const void *data, size_t size, StateSection *ret, VmmError *err)
{
    Cursor cursor = { data, size };
    int class = take_name(&cursor, ret->class),
        id = class > 0 ? take_name(&cursor, ret->id) : class;
    uint64_t version;

    if (class < 0 || id < 0 || (class > 0 && ret->class[0] == 0)) {
        vmm_error(err, VMM_ERROR_INVALID, "The saved state is damaged: a section has no name");
        return -1;
    }
    if (id == 0 || !take_number(&cursor, 4, &version) || !take_number(&cursor, 8, &ret->length))
        return 0;
    ret->version = version;
    ret->data = NULL;
    return cursor.at - (const uint8_t *)data;
}

/* What errors are about, and the version of the table that wrote what is being read. */
typedef struct Loading {
    const StateSection *section;
    uint32_t version;
    VmmError *err;
} Loading;

#define FIELDS_MAX 64u /* in a table */

static bool load_fields(const Loading *loading, const StateTable *table, Cursor cursor,
                        void *object);

static bool
is_readable(const Loading *loading, const StateTable *table)
{
    return (loading->version > 0 && loading->version <= table->version) ||
           vmm_error(loading->err, VMM_ERROR_UNSUPPORTED,
                     "The saved state of '%s%s%s' has a version %" PRIu32
                     ", of which this VMM reads up to %" PRIu32,
                     loading->section->class, loading->section->id[0] ? " " : "",
                     loading->section->id, loading->version, table->version);
}

static bool
damaged(const Loading *loading, const char *field, const char *what)
{
    return vmm_error(loading->err, VMM_ERROR_INVALID,
                     "The saved state of '%s%s%s' does not fit: its field '%s' %s",
                     loading->section->class, loading->section->id[0] ? " " : "",
                     loading->section->id, field, what);
}

static bool
load_numbers(const Loading *loading, const StateField *field, Cursor cursor, uint8_t *member)
{
    const uint8_t *from = cursor.at;

    if (cursor.left != field->width * field->count)
        return damaged(loading, field->name, "has another size");
    for (size_t i = 0; i < field->count; i++) {
        uint64_t value = 0;

        take_number(&cursor, field->width, &value);
        if (value > field->max)
            return damaged(loading, field->name, "is out of bounds");
    }
    memcpy(member, from, field->width * field->count);
    return true;
}

static bool
load_bytes(const Loading *loading, const StateField *field, Cursor cursor, uint8_t *member)
{
    if (cursor.left != field->count)
        return damaged(loading, field->name, "has another size");
    memcpy(member, cursor.at, field->count);
    return true;
}

/* The version of a table within a table. */
static bool
open_table(const Loading *loading, const StateField *field, const StateTable *table, Cursor *cursor,
           Loading *ret)
{
    uint64_t version;

    if (!take_number(cursor, 4, &version))
        return damaged(loading, field->name, "is cut short");
    *ret = *loading;
    ret->version = version;
    return is_readable(ret, table);
}

static bool
load_structs(const Loading *loading, const StateField *field, Cursor cursor, void *object)
{
    size_t n = count_structs(field, object);
    uint8_t *first = (uint8_t *)object + field->offset;
    Loading inner;

    if (!open_table(loading, field, field->table, &cursor, &inner))
        return false;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *at;
        uint64_t length;

        if (!take_number(&cursor, 4, &length) || !(at = take(&cursor, length)))
            return damaged(loading, field->name, "has fewer elements");
        if (!load_fields(&inner, field->table, (Cursor){ at, length }, first + i * field->width))
            return false;
    }
    return cursor.left == 0 || damaged(loading, field->name, "has more elements");
}

static bool
load_value(const Loading *loading, const StateField *field, Cursor cursor, void *object)
{
    uint64_t value = 0;

    if (cursor.left != 8 || !take_number(&cursor, 8, &value))
        return damaged(loading, field->name, "has another size");
    return field->set(object, value) || damaged(loading, field->name, "is out of bounds");
}

static bool
load_part(const Loading *loading, const StateField *field, Cursor cursor, void *object)
{
    const StateTable *table;
    void *part = find_part(field, object, &table);
    Loading inner;

    return open_table(loading, field, table, &cursor, &inner) &&
           load_fields(&inner, table, cursor, part);
}

static bool
load_field(const Loading *loading, const StateField *field, Cursor cursor, void *object)
{
    uint8_t *member = (uint8_t *)object + field->offset;

    switch (field->kind) {
    case STATE_KIND_NUMBERS:
        return load_numbers(loading, field, cursor, member);
    case STATE_KIND_BYTES:
        return load_bytes(loading, field, cursor, member);
    case STATE_KIND_STRUCTS:
        return load_structs(loading, field, cursor, object);
    case STATE_KIND_VALUE:
        return load_value(loading, field, cursor, object);
    case STATE_KIND_BLOB:
        return field->load(object, cursor.at, cursor.left, loading->err);
    default:
        return load_part(loading, field, cursor, object);
    }
}

/* A field and its value as they lie in the stream. */
typedef struct Found {
    char name[STATE_NAME_MAX + 1];
    Cursor value;
} Found;

static bool
next_field(const Loading *loading, Cursor *cursor, Found *ret)
{
    uint64_t size;

    if (take_name(cursor, ret->name) <= 0 || !take_number(cursor, 4, &size))
        return damaged(loading, "?", "is cut short");
    ret->value = (Cursor){ take(cursor, size), size };
    return ret->value.at || damaged(loading, ret->name, "is cut short");
}

/* By its place in the table; FIELDS_MAX where there is none. */
static unsigned
find_field(const StateTable *table, const char *name)
{
    for (unsigned i = 0; table->fields[i].name; i++) {
        assert(i < FIELDS_MAX);
        if (strcmp(table->fields[i].name, name) == 0)
            return i;
    }
    return FIELDS_MAX;
}

static bool
check_missing(const Loading *loading, const StateTable *table, uint64_t seen)
{
    for (unsigned i = 0; table->fields[i].name; i++) {
        if (!(seen >> i & 1) && table->fields[i].since <= loading->version)
            return damaged(loading, table->fields[i].name, "is missing");
    }
    return true;
}

/* Fields are loaded in the order of the stream, which is the table's that wrote it. */
static bool
load_fields(const Loading *loading, const StateTable *table, Cursor cursor, void *object)
{
    uint64_t seen = 0;
    Found found;

    while (cursor.left > 0) {
        unsigned i;

        if (!next_field(loading, &cursor, &found))
            return false;
        i = find_field(table, found.name);
        if (i == FIELDS_MAX)
            return damaged(loading, found.name, "is unknown to this VMM");
        if (seen >> i & 1)
            return damaged(loading, found.name, "is there twice");
        seen |= 1ull << i;
        if (!load_field(loading, &table->fields[i], found.value, object))
            return false;
    }
    return check_missing(loading, table, seen) &&
           (!table->loaded || table->loaded(object, loading->err));
}

bool
state_load(const StateSection *section, const StateTable *table, void *object, VmmError *err)
{
    const Loading loading = { section, section->version, err };

    return is_readable(&loading, table) &&
           load_fields(&loading, table, (Cursor){ section->data, section->length }, object);
}
