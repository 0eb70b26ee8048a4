#include "qemu-kvm-backend/block/request.h"

#include <string.h>

static size_t
least(size_t a, uint64_t b)
{
    return a < b ? a : b;
}

void
block_request_skip(BlockRequest *req, uint64_t size)
{
    req->offset += size;
    req->size -= size;
    while (req->n_iov > 0 && size >= req->iov->iov_len) {
        size -= req->iov->iov_len;
        req->iov++;
        req->n_iov--;
    }
    if (req->n_iov > 0) {
        req->iov->iov_base = (uint8_t *)req->iov->iov_base + size;
        req->iov->iov_len -= size;
    }
}

void
block_request_copy(const BlockRequest *req, uint8_t *data, size_t size)
{
    for (unsigned i = 0; size > 0; i++) {
        size_t n = least(req->iov[i].iov_len, size);

        if (req->op == BLOCK_READ)
            memcpy(req->iov[i].iov_base, data, n);
        else
            memcpy(data, req->iov[i].iov_base, n);
        data += n;
        size -= n;
    }
}

void
block_request_clear(BlockRequest *req, uint64_t size)
{
    uint64_t left = size;

    for (unsigned i = 0; left > 0; i++) {
        size_t n = least(req->iov[i].iov_len, left);

        memset(req->iov[i].iov_base, 0, n);
        left -= n;
    }
    block_request_skip(req, size);
}
