#include "tests/unit/state-fixture.h"

#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"

#include <sys/mman.h>
#include <unistd.h>

int
new_file(uint64_t size)
{
    int fd = memfd_create("image", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_no_errno(ftruncate(fd, size));
    return fd;
}

VmmMsg *
device_params(const char *device)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);

    if (device)
        vmm_msg_put_string(params, "device", device);
    return params;
}

GBytes *
save_device(Device *dev)
{
    StateOut *out = state_out_new();
    const void *data;
    size_t size;
    GBytes *bytes;

    state_put_section(out, dev->class->name, dev->id, dev->class->state, dev);
    data = state_out_bytes(out, &size);
    bytes = g_bytes_new(data, size);
    state_out_free(out);
    return bytes;
}

bool
load_device(Device *dev, GBytes *bytes, VmmError *err)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);
    StateSection section;
    int head = state_read_head(data, size, &section, err);

    g_assert_cmpint(head, >, 0);
    g_assert_cmpuint(section.length, ==, size - head);
    section.data = data + head;
    return state_load(&section, dev->class->state, dev, err);
}

void
must_load_device(Device *dev, GBytes *bytes)
{
    VmmError err;

    if (!load_device(dev, bytes, &err))
        g_error("%s", err.text);
}

void
assert_same_state(const char *what, GBytes *a, GBytes *b)
{
    gsize n_a, n_b;
    const guint8 *at_a = g_bytes_get_data(a, &n_a), *at_b = g_bytes_get_data(b, &n_b);

    for (gsize i = 0; i < n_a && i < n_b; i++) {
        if (at_a[i] != at_b[i])
            g_error("%s: byte %zu of what is saved again is 0x%x, not 0x%x", what, i, at_b[i],
                    at_a[i]);
    }
    g_assert_cmpuint(n_a, ==, n_b);
}

GBytes *
read_state_golden(const char *file)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "state", file, NULL);
    char *contents;
    gsize size;

    g_assert_true(g_file_get_contents(path, &contents, &size, NULL));
    return g_bytes_new_take(contents, size);
}

void
check_state_golden(const char *name, unsigned version, GBytes *bytes)
{
    const char *writes = g_getenv("STATE_GOLDEN_WRITE");
    g_autofree char *file = g_strdup_printf("%s.v%u", name, version);
    g_autoptr(GBytes) golden = NULL;

    if (writes) {
        g_autofree char *to = g_build_filename(writes, file, NULL);

        g_assert_true(
            g_file_set_contents(to, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL));
        return;
    }
    golden = read_state_golden(file);
    assert_same_state(file, golden, bytes);
}

void
load_damaged(Device *dev, GBytes *bytes)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    for (gsize i = 0; i < size; i++) {
        g_autofree guint8 *copy = g_memdup2(data, size);
        StateSection section;
        int head;

        copy[i] ^= 0x81;
        head = state_read_head(copy, size, &section, NULL);
        if (head <= 0 || section.length != size - head)
            continue;
        section.data = copy + head;
        state_load(&section, dev->class->state, dev, NULL);
    }
    dev->class->reset(dev);
    must_load_device(dev, bytes);
}

void
remap_bars(TestBoard *test)
{
    Pci *pci = test->board.pci;

    pthread_mutex_lock(pci_lock(pci));
    pci_remap(pci);
    pthread_mutex_unlock(pci_lock(pci));
}
