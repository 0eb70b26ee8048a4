/* Fuzz target: the codec of the contract, which both sides read from a peer that may be hostile. */
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_field(VmmMsg *msg, const char *key)
{
    const char *string;
    const void *bytes;
    size_t size;
    uint64_t u;
    int64_t i;
    bool b;
    int fd;

    vmm_msg_get_u64(msg, key, &u);
    vmm_msg_get_i64(msg, key, &i);
    vmm_msg_get_bool(msg, key, &b);
    vmm_msg_get_string(msg, key, &string);
    vmm_msg_get_bytes(msg, key, &bytes, &size);
    if (vmm_msg_take_fd(msg, key, &fd))
        close(fd);
}

/* The first byte says how many descriptors come along. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fds[3];
    size_t n_fds = size ? data[0] % 4 : 0;
    VmmMsg *msg;
    const char *key;

    for (size_t i = 0; i < n_fds; i++)
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    msg = vmm_msg_parse(data + (size > 0), size - (size > 0), fds, n_fds);
    if (!msg)
        return 0;
    free(vmm_msg_describe(msg));
    for (size_t i = 0; (key = vmm_msg_key(msg, i)); i++)
        read_field(msg, key);
    if (vmm_msg_unread(msg))
        abort();
    vmm_msg_free(msg);
    return 0;
}
