/* state: what a guest is made of, as bytes: a versioned stream that says what it holds.
 *
 * A stream is a header and sections; numbers are little-endian:
 *
 *     magic    "vmctlsav", u32 format (STATE_FORMAT), u32 0
 *     section  u8 length of the class, the class, u8 length of the id, the id, u32 version, u64 length, payload
 *     ...      in this order: machine, ram..., chips, vcpu..., one for each device, clock, end
 *
 * A section's payload (but for "ram", see state-job.h) is fields: u8 length of the name, the name, u32 size, the
 * value. What there is to save is a const table of fields beside the struct that it describes, so that
 * saving and loading cannot differ. Fields are found by name:
 *
 *   - a field that a newer version of the table has added (its @since) may be missing in an older stream:
 *     then the member stays what the device's reset has made it;
 *   - any other field that is missing, a field or a section that nobody knows, a newer version of a table,
 *     a wrong size and a number out of bounds are errors that name what is wrong.
 *
 * So a table may grow by raising its version, and never lose or change a field. Streams come from disks
 * and networks: whatever is in one, loading it ends in success or an error.
 *
 * Hooks and tables run in the main thread while the machine is paused: its devices are quiet (DeviceClass,
 * VirtioClass: pause, stop).
 */
#pragma once

#include "qemu-kvm-backend/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_MAGIC       "vmctlsav"
#define STATE_FORMAT      1u
#define STATE_HEADER_SIZE 16u
#define STATE_NAME_MAX    127u        /* bytes of a class, an id or a field's name */
#define STATE_SECTION_MAX (16u << 20) /* bytes of a payload other than RAM */

typedef struct StateOut StateOut;
typedef struct StateField StateField;

/* What is saved of one struct. */
typedef struct StateTable {
    uint32_t version;         /* from 1; of what is written, and the newest that is read */
    const StateField *fields; /* one without a name ends it */
    /* Brings members that follow from others into shape before they are written. May be NULL. */
    void (*before_save)(void *object);
    /* All fields are in place: checks what no single field's bound can, and brings to life what they say
     * (lines, alarms, mappings). May be NULL. */
    bool (*loaded)(void *object, VmmError *err);
} StateTable;

typedef enum StateKind {
    STATE_KIND_NUMBERS, /* @count unsigned integers or bools of @width bytes at @offset */
    STATE_KIND_BYTES,   /* @count bytes at @offset */
    STATE_KIND_STRUCTS, /* @count structs, or as many as @n says, of @width bytes at @offset, by @table */
    STATE_KIND_VALUE, /* a number by @get and @set */
    STATE_KIND_BLOB,  /* any number of bytes by @save and @load */
    STATE_KIND_PART, /* the struct that @part finds, by @table, or the table that @part_of finds too */
} StateKind;

struct StateField {
    const char *name; /* unique in its table; stays what it is for good */
    uint32_t since;   /* the version of the table that first had it; 0 is 1 */
    StateKind kind;
    size_t offset, width, count;
    uint64_t max; /* of a number, inclusive */
    const StateTable *table;
    uint64_t (*get)(const void *object);
    bool (*set)(void *object, uint64_t value);       /* false: no such value */
    void (*save)(const void *object, StateOut *out); /* by state_put_bytes() */
    bool (*load)(void *object, const void *data, size_t size, VmmError *err);
    void *(*part)(void *object);
    void *(*part_of)(void *object, const StateTable **ret_table);
    size_t (*n)(const void *object);
};

#define STATE_MEMBER_(type, member) (((type *)0)->member)
#define STATE_IS_BOOL_(expression)                                                                 \
    (__builtin_types_compatible_p(__typeof__(expression), bool) ||                                 \
     __builtin_types_compatible_p(__typeof__(expression), _Atomic(bool)))

/* A member that is an unsigned or signed integer, an enumeration or a bool; the _MAX one with a bound. */
#define STATE_NUMBER_MAX(type, member, bound)                                                      \
    {                                                                                              \
        .name = #member, .kind = STATE_KIND_NUMBERS, .offset = offsetof(type, member),             \
        .width = sizeof(STATE_MEMBER_(type, member)), .count = 1,                                  \
        .max = STATE_IS_BOOL_(STATE_MEMBER_(type, member)) ? 1 : (bound)                           \
    }
#define STATE_NUMBER(type, member) STATE_NUMBER_MAX(type, member, UINT64_MAX)

/* A member that is an array of numbers. */
#define STATE_NUMBERS(type, member)                                                                \
    {                                                                                              \
        .name = #member, .kind = STATE_KIND_NUMBERS, .offset = offsetof(type, member),             \
        .width = sizeof(STATE_MEMBER_(type, member)[0]),                                           \
        .count = sizeof(STATE_MEMBER_(type, member)) / sizeof(STATE_MEMBER_(type, member)[0]),     \
        .max = STATE_IS_BOOL_(STATE_MEMBER_(type, member)[0]) ? 1 : UINT64_MAX                     \
    }

/* A member as it lies there: bytes, or a struct of the kernel's. */
#define STATE_BYTES(type, member)                                                                  \
    {                                                                                              \
        .name = #member, .kind = STATE_KIND_BYTES, .offset = offsetof(type, member), .width = 1,   \
        .count = sizeof(STATE_MEMBER_(type, member))                                               \
    }

/* A member that is a struct, or an array of structs, with a table of its own. */
#define STATE_STRUCT(type, member, its_table)                                                      \
    {                                                                                              \
        .name = #member, .kind = STATE_KIND_STRUCTS, .offset = offsetof(type, member),             \
        .width = sizeof(STATE_MEMBER_(type, member)), .count = 1, .table = (its_table)             \
    }
#define STATE_STRUCTS(type, member, its_table)                                                     \
    {                                                                                              \
        .name = #member, .kind = STATE_KIND_STRUCTS, .offset = offsetof(type, member),             \
        .width = sizeof(STATE_MEMBER_(type, member)[0]),                                           \
        .count = sizeof(STATE_MEMBER_(type, member)) / sizeof(STATE_MEMBER_(type, member)[0]),     \
        .table = (its_table)                                                                       \
    }

/* The first so many of such an array, as the machine's configuration has it. */
#define STATE_SOME(type, member, counter, its_table)                                               \
    {                                                                                              \
        .name = #member, .kind = STATE_KIND_STRUCTS, .offset = offsetof(type, member),             \
        .width = sizeof(STATE_MEMBER_(type, member)[0]), .n = (counter), .table = (its_table)      \
    }

#define STATE_VALUE(its_name, getter, setter)                                                      \
    {                                                                                              \
        .name = (its_name), .kind = STATE_KIND_VALUE, .width = 8, .count = 1, .get = (getter),     \
        .set = (setter)                                                                            \
    }
#define STATE_BLOB(its_name, saver, loader)                                                        \
    {                                                                                              \
        .name = (its_name), .kind = STATE_KIND_BLOB, .save = (saver), .load = (loader)             \
    }
/* The struct that @finder finds from the one that the table describes; never NULL. */
#define STATE_PART(its_name, finder, its_table)                                                    \
    {                                                                                              \
        .name = (its_name), .kind = STATE_KIND_PART, .table = (its_table), .part = (finder)        \
    }
/* One that has a table of its own. */
#define STATE_PART_OF(its_name, finder)                                                            \
    {                                                                                              \
        .name = (its_name), .kind = STATE_KIND_PART, .part_of = (finder)                           \
    }
#define STATE_END                                                                                  \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* Writing into memory. */

StateOut *state_out_new(void);
void state_out_free(StateOut *out);
const void *state_out_bytes(const StateOut *out, size_t *ret_size);
void state_put_header(StateOut *out);
void state_put_bytes(StateOut *out, const void *data, size_t size);
/* The head of a section with a payload of @length bytes, which the caller puts behind it. */
void state_put_head(StateOut *out, const char *class, const char *id, uint32_t version,
                    uint64_t length);
/* A section with what @table says of @object. */
void state_put_section(StateOut *out, const char *class, const char *id, const StateTable *table,
                       void *object);

/* Reading. */

typedef struct StateSection {
    char class[STATE_NAME_MAX + 1];
    char id[STATE_NAME_MAX + 1];
    uint32_t version;
    uint64_t length;
    const void *data; /* @length bytes, where they have been read; the caller's */
} StateSection;

/* What the first STATE_HEADER_SIZE bytes of a stream say. */
bool state_check_header(const void *data, size_t size, VmmError *err);
/* A section's head, up to its payload: its size in bytes, 0 where @size bytes are too few to tell, -1 with
 * @err where it is none. STATE_HEAD_MAX bytes are never too few. */
#define STATE_HEAD_MAX (1u + STATE_NAME_MAX + 1u + STATE_NAME_MAX + 4u + 8u)
int state_read_head(const void *data, size_t size, StateSection *ret, VmmError *err);
/* Brings @section into @object by @table. On false @object may have some of it. */
bool state_load(const StateSection *section, const StateTable *table, void *object, VmmError *err);
