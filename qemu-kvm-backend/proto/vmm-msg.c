#include "qemu-kvm-backend/proto/vmm-msg-private.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC       0x314d4d56u /* "VMM1" */
#define HEADER_SIZE 14
#define FIELD_SIZE  6
#define FIELDS_MAX  256

static void *
must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static bool
is_word(const char *text, size_t size)
{
    if (size == 0 || size > 255)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

static void
put16(uint8_t *at, uint16_t value)
{
    value = htole16(value);
    memcpy(at, &value, sizeof(value));
}

static void
put32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof(value));
}

static uint16_t
get16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return le16toh(value);
}

static uint32_t
get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

static uint64_t
get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return le64toh(value);
}

static void
append(VmmMsg *msg, const void *data, size_t size)
{
    if (msg->size + size > msg->room) {
        msg->room = (msg->size + size) * 2;
        msg->packet = must(realloc(msg->packet, msg->room));
    }
    if (size)
        memcpy(msg->packet + msg->size, data, size);
    msg->size += size;
}

VmmMsg *
vmm_msg_new(VmmMsgKind kind, uint32_t serial, const char *name)
{
    VmmMsg *msg = must(calloc(1, sizeof(*msg)));
    uint8_t header[HEADER_SIZE] = { 0 };

    msg->kind = kind;
    msg->serial = serial;
    msg->name = must(strdup(name));
    if (!is_word(name, strlen(name)))
        msg->failed = EINVAL;
    put32(header, MAGIC);
    put32(header + 4, serial);
    header[8] = kind;
    put16(header + 12, strlen(name));
    append(msg, header, sizeof(header));
    append(msg, name, strlen(name));
    return msg;
}

VmmMsg *
vmm_msg_ref(VmmMsg *msg)
{
    msg->others++;
    return msg;
}

void
vmm_msg_free(VmmMsg *msg)
{
    if (!msg || msg->others-- > 0)
        return;
    for (size_t i = 0; i < msg->n_fds; i++) {
        if (msg->fds[i] >= 0)
            close(msg->fds[i]);
    }
    for (size_t i = 0; i < msg->n_fields; i++)
        free(msg->fields[i].key);
    free(msg->fields);
    free(msg->name);
    free(msg->packet);
    free(msg);
}

void
vmm_msg_clear(VmmMsg **msg)
{
    vmm_msg_free(*msg);
    *msg = NULL;
}

VmmMsgKind
vmm_msg_kind(const VmmMsg *msg)
{
    return msg->kind;
}

uint32_t
vmm_msg_serial(const VmmMsg *msg)
{
    return msg->serial;
}

const char *
vmm_msg_name(const VmmMsg *msg)
{
    return msg->name;
}

const char *
vmm_msg_key(const VmmMsg *msg, size_t i)
{
    return i < msg->n_fields ? msg->fields[i].key : NULL;
}

static Field *
find(const VmmMsg *msg, const char *key)
{
    for (size_t i = 0; i < msg->n_fields; i++) {
        if (strcmp(msg->fields[i].key, key) == 0)
            return &msg->fields[i];
    }
    return NULL;
}

static void
add_field(VmmMsg *msg, const char *key, size_t key_size, FieldType type, size_t offset, size_t size)
{
    msg->fields = must(realloc(msg->fields, (msg->n_fields + 1) * sizeof(Field)));
    msg->fields[msg->n_fields++] = (Field){
        .key = must(strndup(key, key_size)), .type = type, .offset = offset, .size = size
    };
}

static void
put(VmmMsg *msg, const char *key, FieldType type, const void *value, size_t size)
{
    uint8_t head[FIELD_SIZE];
    size_t key_size = strlen(key);

    if (!is_word(key, key_size) || find(msg, key))
        msg->failed = EINVAL;
    if (msg->size + sizeof(head) + key_size + size > VMM_MSG_MAX || msg->n_fields == FIELDS_MAX)
        msg->failed = EMSGSIZE;
    if (msg->failed)
        return;
    head[0] = type;
    head[1] = key_size;
    put32(head + 2, size);
    append(msg, head, sizeof(head));
    append(msg, key, key_size);
    add_field(msg, key, key_size, type, msg->size, size);
    append(msg, value, size);
    put16(msg->packet + 10, msg->n_fields);
}

void
vmm_msg_put_u64(VmmMsg *msg, const char *key, uint64_t value)
{
    value = htole64(value);
    put(msg, key, FIELD_U64, &value, sizeof(value));
}

void
vmm_msg_put_i64(VmmMsg *msg, const char *key, int64_t value)
{
    uint64_t raw = htole64((uint64_t)value);
    put(msg, key, FIELD_I64, &raw, sizeof(raw));
}

void
vmm_msg_put_bool(VmmMsg *msg, const char *key, bool value)
{
    uint8_t raw = value;
    put(msg, key, FIELD_BOOL, &raw, sizeof(raw));
}

void
vmm_msg_put_string(VmmMsg *msg, const char *key, const char *value)
{
    put(msg, key, FIELD_STRING, value, strlen(value) + 1);
}

void
vmm_msg_put_bytes(VmmMsg *msg, const char *key, const void *data, size_t size)
{
    put(msg, key, FIELD_BYTES, data, size);
}

void
vmm_msg_put_fd(VmmMsg *msg, const char *key, int fd)
{
    uint8_t raw[4];

    put32(raw, msg->n_fds);
    if (fd < 0)
        msg->failed = EBADF;
    else if (msg->n_fds == VMM_MSG_FDS_MAX)
        msg->failed = EMSGSIZE;
    put(msg, key, FIELD_FD, raw, sizeof(raw));
    if (!msg->failed)
        msg->fds[msg->n_fds++] = fd;
    else if (fd >= 0)
        close(fd);
}

static const uint8_t *
value(VmmMsg *msg, const char *key, FieldType type, size_t *ret_size)
{
    Field *field = find(msg, key);

    if (!field || field->type != type)
        return NULL;
    field->read = true;
    if (ret_size)
        *ret_size = field->size;
    return msg->packet + field->offset;
}

bool
vmm_msg_has(const VmmMsg *msg, const char *key)
{
    return find(msg, key) != NULL;
}

bool
vmm_msg_get_u64(VmmMsg *msg, const char *key, uint64_t *ret)
{
    const uint8_t *at = value(msg, key, FIELD_U64, NULL);

    if (at)
        *ret = get64(at);
    return at != NULL;
}

bool
vmm_msg_get_i64(VmmMsg *msg, const char *key, int64_t *ret)
{
    const uint8_t *at = value(msg, key, FIELD_I64, NULL);

    if (at)
        *ret = (int64_t)get64(at);
    return at != NULL;
}

bool
vmm_msg_get_bool(VmmMsg *msg, const char *key, bool *ret)
{
    const uint8_t *at = value(msg, key, FIELD_BOOL, NULL);

    if (at)
        *ret = *at != 0;
    return at != NULL;
}

bool
vmm_msg_get_string(VmmMsg *msg, const char *key, const char **ret)
{
    const uint8_t *at = value(msg, key, FIELD_STRING, NULL);

    if (at)
        *ret = (const char *)at;
    return at != NULL;
}

bool
vmm_msg_get_bytes(VmmMsg *msg, const char *key, const void **ret, size_t *ret_size)
{
    const uint8_t *at = value(msg, key, FIELD_BYTES, ret_size);

    if (at)
        *ret = at;
    return at != NULL;
}

bool
vmm_msg_take_fd(VmmMsg *msg, const char *key, int *ret)
{
    const uint8_t *at = value(msg, key, FIELD_FD, NULL);
    uint32_t i;

    if (!at)
        return false;
    i = get32(at);
    if (msg->fds[i] < 0)
        return false;
    *ret = msg->fds[i];
    msg->fds[i] = -1;
    return true;
}

const char *
vmm_msg_unread(const VmmMsg *msg)
{
    for (size_t i = 0; i < msg->n_fields; i++) {
        if (!msg->fields[i].read)
            return msg->fields[i].key;
    }
    return NULL;
}

const void *
vmm_msg_bytes(const VmmMsg *msg, size_t *ret_size)
{
    if (msg->failed)
        return NULL;
    *ret_size = msg->size;
    return msg->packet;
}

static bool
check_value(const VmmMsg *msg, FieldType type, const uint8_t *at, size_t size, uint32_t *ret_used)
{
    switch (type) {
    case FIELD_U64:
    case FIELD_I64:
        return size == 8;
    case FIELD_BOOL:
        return size == 1 && *at <= 1;
    case FIELD_STRING:
        return size > 0 && memchr(at, 0, size) == at + size - 1;
    case FIELD_BYTES:
        return true;
    case FIELD_FD:
        if (size != 4 || get32(at) >= msg->n_fds || (*ret_used & 1u << get32(at)))
            return false;
        *ret_used |= 1u << get32(at);
        return true;
    }
    return false;
}

static bool
parse_field(VmmMsg *msg, size_t *at, uint32_t *used)
{
    const uint8_t *head = msg->packet + *at;
    size_t left = msg->size - *at, key_size, size;
    const char *key;

    if (left < FIELD_SIZE)
        return false;
    key_size = head[1];
    size = get32(head + 2);
    left -= FIELD_SIZE;
    if (key_size > left || size > left - key_size)
        return false;
    key = (const char *)head + FIELD_SIZE;
    if (!is_word(key, key_size))
        return false;
    *at += FIELD_SIZE + key_size;
    if (!check_value(msg, head[0], msg->packet + *at, size, used))
        return false;
    add_field(msg, key, key_size, head[0], *at, size);
    if (find(msg, msg->fields[msg->n_fields - 1].key) != &msg->fields[msg->n_fields - 1])
        return false;
    *at += size;
    return true;
}

static bool
parse_packet(VmmMsg *msg)
{
    const uint8_t *p = msg->packet;
    size_t at = HEADER_SIZE, name_size, n_fields;
    uint32_t used = 0;

    if (msg->size < HEADER_SIZE || get32(p) != MAGIC || p[9] != 0)
        return false;
    msg->serial = get32(p + 4);
    msg->kind = p[8];
    n_fields = get16(p + 10);
    name_size = get16(p + 12);
    if (msg->kind < VMM_MSG_REQUEST || msg->kind > VMM_MSG_EVENT ||
        (msg->serial == 0) != (msg->kind == VMM_MSG_EVENT) || n_fields > FIELDS_MAX ||
        name_size > msg->size - at || !is_word((const char *)p + at, name_size))
        return false;
    msg->name = must(strndup((const char *)p + at, name_size));
    at += name_size;
    while (n_fields-- > 0) {
        if (!parse_field(msg, &at, &used))
            return false;
    }
    return at == msg->size && used == (1u << msg->n_fds) - 1;
}

VmmMsg *
vmm_msg_parse(const void *data, size_t size, const int *fds, size_t n_fds)
{
    VmmMsg *msg = must(calloc(1, sizeof(*msg)));

    for (size_t i = 0; i < n_fds; i++) {
        if (i < VMM_MSG_FDS_MAX)
            msg->fds[msg->n_fds++] = fds[i];
        else
            close(fds[i]);
    }
    append(msg, data, size);
    if (n_fds <= VMM_MSG_FDS_MAX && size <= VMM_MSG_MAX && parse_packet(msg))
        return msg;
    vmm_msg_free(msg);
    errno = EBADMSG;
    return NULL;
}

static void
describe_field(FILE *out, const Field *field, const uint8_t *at)
{
    fprintf(out, "%s=", field->key);
    switch (field->type) {
    case FIELD_U64:
        fprintf(out, "%" PRIu64, get64(at));
        break;
    case FIELD_I64:
        fprintf(out, "%" PRId64, (int64_t)get64(at));
        break;
    case FIELD_BOOL:
        fputs(*at ? "true" : "false", out);
        break;
    case FIELD_STRING:
        fprintf(out, "'%s'", (const char *)at);
        break;
    case FIELD_BYTES:
        fprintf(out, "bytes[%zu]", field->size);
        break;
    case FIELD_FD:
        fputs("descriptor", out);
        break;
    }
    fputc('\n', out);
}

char *
vmm_msg_describe(const VmmMsg *msg)
{
    char *text = NULL;
    size_t size;
    FILE *out = must(open_memstream(&text, &size));

    fprintf(out, "%s\n", msg->name);
    for (size_t i = 0; i < msg->n_fields; i++) {
        fputs("  ", out);
        describe_field(out, &msg->fields[i], msg->packet + msg->fields[i].offset);
    }
    fclose(out);
    return must(text);
}
