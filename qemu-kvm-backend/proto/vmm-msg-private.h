/* vmm-msg-private: a message as its rooms have it: the fields, vmm-msg.c, and the socket, vmm-msg-socket.c. */
#pragma once

#include "qemu-kvm-backend/proto/vmm-msg.h"

typedef enum FieldType {
    FIELD_U64 = 'u',
    FIELD_I64 = 'i',
    FIELD_BOOL = 'b',
    FIELD_STRING = 's', /* the terminating NUL is on the wire, so that readers need no copy */
    FIELD_BYTES = 'y',
    FIELD_FD = 'h', /* u32 index into the descriptors of the packet */
} FieldType;

typedef struct Field {
    char *key;
    FieldType type;
    size_t offset; /* of the value in the packet */
    size_t size;
    bool read;
} Field;

struct VmmMsg {
    uint8_t *packet;
    size_t size;
    size_t room;
    VmmMsgKind kind;
    uint32_t serial;
    char *name;
    Field *fields;
    size_t n_fields;
    int fds[VMM_MSG_FDS_MAX];
    size_t n_fds;
    int failed;      /* errno of the first put that could not be done */
    unsigned others; /* owners besides the one that made it */
};
