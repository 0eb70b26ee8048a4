/* The stream of saved state: tables of fields, and what a stream must not do. */
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"

#include <glib.h>
#include <stdatomic.h>
#include <string.h>

typedef struct Inner {
    uint16_t a;
    bool b;
} Inner;

typedef struct Thing {
    uint8_t level;
    uint32_t mode;
    bool on;
    _Atomic uint16_t vector;
    int64_t offset;
    uint16_t many[3];
    uint8_t raw[5];
    Inner pair[2];
    Inner *far;
    uint64_t hidden;
    char blob[16];
    size_t blob_size;
    unsigned n_saved, n_loaded;
} Thing;

static const StateField inner_fields[] = {
    STATE_NUMBER(Inner, a),
    STATE_NUMBER(Inner, b),
    STATE_END,
};

static const StateTable inner_table = { .version = 1, .fields = inner_fields };

static uint64_t
get_hidden(const void *object)
{
    return ((const Thing *)object)->hidden;
}

static bool
set_hidden(void *object, uint64_t value)
{
    if (value > 100)
        return false;
    ((Thing *)object)->hidden = value;
    return true;
}

static void
save_blob(const void *object, StateOut *out)
{
    const Thing *thing = object;

    state_put_bytes(out, thing->blob, thing->blob_size);
}

static bool
load_blob(void *object, const void *data, size_t size, VmmError *err)
{
    Thing *thing = object;

    if (size > sizeof(thing->blob))
        return vmm_error(err, VMM_ERROR_INVALID, "the blob is too long");
    memcpy(thing->blob, data, size);
    thing->blob_size = size;
    return true;
}

static void *
find_far(void *object)
{
    return ((Thing *)object)->far;
}

static void
count_save(void *object)
{
    ((Thing *)object)->n_saved++;
}

static bool
check_loaded(void *object, VmmError *err)
{
    Thing *thing = object;

    thing->n_loaded++;
    return thing->level <= thing->mode ||
           vmm_error(err, VMM_ERROR_INVALID, "the level is above the mode");
}

static const StateField fields[] = {
    STATE_NUMBER_MAX(Thing, level, 9),
    STATE_NUMBER(Thing, mode),
    STATE_NUMBER(Thing, on),
    STATE_NUMBER(Thing, vector),
    STATE_NUMBER(Thing, offset),
    STATE_NUMBERS(Thing, many),
    STATE_BYTES(Thing, raw),
    STATE_STRUCTS(Thing, pair, &inner_table),
    STATE_PART("far", find_far, &inner_table),
    STATE_VALUE("hidden", get_hidden, set_hidden),
    STATE_BLOB("blob", save_blob, load_blob),
    STATE_END,
};

static const StateTable table = {
    .version = 1, .fields = fields, .before_save = count_save, .loaded = check_loaded
};

static GBytes *
save(const StateTable *with, Thing *thing)
{
    StateOut *out = state_out_new();
    const void *data;
    size_t size;
    GBytes *bytes;

    state_put_section(out, "thing", "thing0", with, thing);
    data = state_out_bytes(out, &size);
    bytes = g_bytes_new(data, size);
    state_out_free(out);
    return bytes;
}

/* Reads a section from a copy that is exactly as long, so that a sanitizer sees who reads on. */
static bool
load(GBytes *bytes, const StateTable *with, Thing *thing, VmmError *err)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);
    g_autofree uint8_t *copy = g_memdup2(data, size);
    StateSection section;
    int head = state_read_head(copy, size, &section, err);

    if (head <= 0)
        return head == 0 ? vmm_error(err, VMM_ERROR_INVALID, "short") : false;
    if (section.length != size - head)
        return vmm_error(err, VMM_ERROR_INVALID, "length");
    section.data = copy + head;
    return state_load(&section, with, thing, err);
}

static Inner far_inner = { 7, true };

static Thing
example(void)
{
    return (Thing){
        .level = 3,
        .mode = 0x12345678,
        .on = true,
        .vector = 0xffff,
        .offset = -5,
        .many = { 1, 2, 3 },
        .raw = { 9, 8, 7, 6, 5 },
        .pair = { { 1, false }, { 2, true } },
        .far = &far_inner,
        .hidden = 42,
        .blob = "abc",
        .blob_size = 3,
    };
}

static void
test_round_trip(void)
{
    Inner inner = { 0 };
    Thing thing = example(), copy = { .far = &inner };
    g_autoptr(GBytes) bytes = save(&table, &thing);
    g_autoptr(GBytes) again = NULL;
    VmmError err;

    g_assert_true(load(bytes, &table, &copy, &err));
    g_assert_cmpuint(thing.n_saved, ==, 1);
    g_assert_cmpuint(copy.n_loaded, ==, 1);
    g_assert_cmpint(copy.offset, ==, -5);
    g_assert_cmpuint(copy.many[2], ==, 3);
    g_assert_cmpuint(copy.pair[1].a, ==, 2);
    g_assert_true(inner.b);
    g_assert_cmpuint(copy.hidden, ==, 42);
    g_assert_cmpuint(copy.blob_size, ==, 3);
    again = save(&table, &copy);
    g_assert_true(g_bytes_equal(bytes, again));
}

/* A table that has grown reads what it wrote before, and leaves the new member alone. */
static void
test_versions(void)
{
    static const StateField old_fields[] = { STATE_NUMBER(Thing, mode), STATE_END };
    static const StateField new_fields[] = {
        { .name = "hidden",
          .since = 2,
          .kind = STATE_KIND_VALUE,
          .get = get_hidden,
          .set = set_hidden },
        STATE_NUMBER(Thing, mode),
        STATE_END,
    };
    static const StateTable old = { .version = 1, .fields = old_fields };
    static const StateTable new = { .version = 2, .fields = new_fields };
    Thing thing = example(), copy = { .hidden = 77 };
    g_autoptr(GBytes) bytes = save(&old, &thing);
    g_autoptr(GBytes) newer = save(&new, &thing);
    VmmError err;

    g_assert_true(load(bytes, &new, &copy, &err));
    g_assert_cmpuint(copy.mode, ==, 0x12345678);
    g_assert_cmpuint(copy.hidden, ==, 77);
    g_assert_false(load(newer, &old, &copy, &err));
    g_assert_cmpstr(
        err.text, ==,
        "The saved state of 'thing thing0' has a version 2, of which this VMM reads up to 1");
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_UNSUPPORTED);
}

/* Of one version, but not of one mind. */
static void
test_refused(void)
{
    static const StateField fewer[] = { STATE_NUMBER(Thing, mode), STATE_END };
    static const StateField wide[] = { STATE_NUMBER(Thing, mode), STATE_NUMBERS(Thing, many),
                                       STATE_END };
    static const StateField twice[] = { STATE_NUMBER(Thing, mode), STATE_NUMBER(Thing, mode),
                                        STATE_END };
    static const StateField narrow[] = {
        { .name = "mode",
          .kind = STATE_KIND_NUMBERS,
          .offset = offsetof(Thing, level),
          .width = 1,
          .count = 1 },
        STATE_END,
    };
    static const StateTable few = { .version = 1, .fields = fewer };
    static const StateTable more = { .version = 1, .fields = wide };
    static const StateTable two = { .version = 1, .fields = twice };
    static const StateTable small = { .version = 1, .fields = narrow };
    static const struct {
        const StateTable *writes, *reads;
        const char *text;
    } cases[] = {
        { &more, &few,
          "The saved state of 'thing thing0' does not fit: its field 'many' is unknown to this "
          "VMM" },
        { &few, &more,
          "The saved state of 'thing thing0' does not fit: its field 'many' is missing" },
        { &small, &few,
          "The saved state of 'thing thing0' does not fit: its field 'mode' has another size" },
        { &two, &few,
          "The saved state of 'thing thing0' does not fit: its field 'mode' is there twice" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Thing thing = example(), copy = { 0 };
        g_autoptr(GBytes) bytes = save(cases[i].writes, &thing);
        VmmError err;

        g_assert_false(load(bytes, cases[i].reads, &copy, &err));
        g_assert_cmpstr(err.text, ==, cases[i].text);
    }
}

static void
test_bounds(void)
{
    Inner inner = { 0 };
    Thing thing = example(), copy = { .far = &inner };
    g_autoptr(GBytes) level = NULL, on = NULL, hidden = NULL, relation = NULL;
    VmmError err;

    thing.level = 10;
    level = save(&table, &thing);
    g_assert_false(load(level, &table, &copy, &err));
    g_assert_nonnull(strstr(err.text, "'level' is out of bounds"));
    thing = example();
    memset(&thing.on, 2, 1);
    on = save(&table, &thing);
    g_assert_false(load(on, &table, &copy, &err));
    g_assert_nonnull(strstr(err.text, "'on' is out of bounds"));
    thing = example();
    thing.hidden = 101;
    hidden = save(&table, &thing);
    g_assert_false(load(hidden, &table, &copy, &err));
    g_assert_nonnull(strstr(err.text, "'hidden' is out of bounds"));
    thing = example();
    thing.mode = 0;
    relation = save(&table, &thing);
    g_assert_false(load(relation, &table, &copy, &err));
    g_assert_cmpstr(err.text, ==, "the level is above the mode");
}

/* No prefix is taken for the whole, and no changed byte is read past the end. */
static void
test_damage(void)
{
    Inner inner = { 0 };
    Thing thing = example(), copy = { .far = &inner };
    g_autoptr(GBytes) bytes = save(&table, &thing);
    size_t size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);

    for (size_t i = 0; i < size; i++) {
        g_autoptr(GBytes) cut = g_bytes_new(data, i);
        g_autofree uint8_t *flipped = g_memdup2(data, size);
        g_autoptr(GBytes) damaged = NULL;

        g_assert_false(load(cut, &table, &copy, NULL));
        flipped[i] ^= 0xff;
        damaged = g_bytes_new(flipped, size);
        load(damaged, &table, &copy, NULL);
    }
}

static void
test_header(void)
{
    StateOut *out = state_out_new();
    size_t size;
    const void *data;
    g_autofree uint8_t *copy = NULL;
    VmmError err;

    state_put_header(out);
    data = state_out_bytes(out, &size);
    g_assert_cmpuint(size, ==, STATE_HEADER_SIZE);
    g_assert_true(state_check_header(data, size, &err));
    g_assert_false(state_check_header(data, size - 1, &err));
    copy = g_memdup2(data, size);
    copy[8]++;
    g_assert_false(state_check_header(copy, size, &err));
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_UNSUPPORTED);
    copy[0]++;
    g_assert_false(state_check_header(copy, size, &err));
    g_assert_cmpstr(err.text, ==, "This is not the saved state of a guest");
    state_out_free(out);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/state/round-trip", test_round_trip);
    g_test_add_func("/state/versions", test_versions);
    g_test_add_func("/state/refused", test_refused);
    g_test_add_func("/state/bounds", test_bounds);
    g_test_add_func("/state/damage", test_damage);
    g_test_add_func("/state/header", test_header);
    return g_test_run();
}
