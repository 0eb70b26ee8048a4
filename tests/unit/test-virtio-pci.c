/* The PCI transport, with the random number generator behind it: the rules of initialization and reset, what may be
 * changed when, and what drivers may not do (virtio 1.2, sections 2 to 4.1). */
#include "tests/unit/virtio-guest.h"

#include <string.h>

#define MIB    ((uint64_t)1 << 20)
#define DEVFN  8
#define DRIVER (STATUS_ACKNOWLEDGE | STATUS_DRIVER)
#define EVENTS (1ull << VIRTIO_F_EVENT_IDX)
#define ALL    (EVENTS | 1ull << VIRTIO_F_INDIRECT_DESC)
#define GSI    (16 + 1) /* of slot 1's INTA */

static VirtioGuest *
set_up(void)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_string(params, "device", "rng");
    return virtio_guest_new(params, 2 * MIB);
}

static uint32_t
get_config(VirtioGuest *guest, unsigned offset, unsigned size)
{
    return config_read(guest->test, 0, DEVFN, offset, size);
}

static void
set_config(VirtioGuest *guest, unsigned offset, unsigned size, uint32_t value)
{
    config_write(guest->test, 0, DEVFN, offset, size, value);
}

/* A request that the device answers when it works. */
static void
offer(VirtioGuest *guest, unsigned i)
{
    guest_desc(guest, guest->queues[0].desc, i, 0x80000, 16, DESC_WRITE, 0);
    guest_offer(guest, 0, i);
}

static bool
answers(VirtioGuest *guest)
{
    uint32_t head, len;

    return guest_take_used(guest, 0, &head, &len);
}

static bool
works(VirtioGuest *guest)
{
    offer(guest, 0);
    guest_kick(guest, 0);
    return answers(guest);
}

static void
test_capabilities(void)
{
    static const uint8_t order[] = { 5, 2, 3, 1 }; /* the last one that was added comes first */
    VirtioGuest *guest = set_up();
    unsigned cap = get_config(guest, 0x34, 1);

    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        g_assert_cmphex(get_config(guest, cap, 1), ==, 0x09);
        g_assert_cmphex(get_config(guest, cap + 3, 1), ==, order[i]);
        g_assert_cmpuint(get_config(guest, cap + 2, 1), ==,
                         order[i] == 2 || order[i] == 5 ? 20 : 16);
        cap = get_config(guest, cap + 1, 1);
    }
    g_assert_cmphex(get_config(guest, cap, 1), ==, 0x11);
    g_assert_cmphex(get_config(guest, cap + 2, 2), ==, 1); /* two vectors */
    g_assert_cmphex(get_config(guest, cap + 1, 1), ==, 0);
    g_assert_cmpuint(guest->notify_step, ==, 4);
    virtio_guest_free(guest);
}

static void
test_features(void)
{
    VirtioGuest *guest = set_up();

    guest_set(guest, COMMON_FEATURE_SELECT, 4, 0);
    g_assert_cmphex(guest_get(guest, COMMON_FEATURE, 4), ==, ALL);
    guest_set(guest, COMMON_FEATURE_SELECT, 4, 1);
    g_assert_cmphex(guest_get(guest, COMMON_FEATURE, 4), ==, 1);
    guest_set(guest, COMMON_FEATURE_SELECT, 4, 2);
    g_assert_cmphex(guest_get(guest, COMMON_FEATURE, 4), ==, 0);
    guest_set(guest, COMMON_FEATURE, 4, ~0u);

    /* Not without VERSION_1, not what was not offered. */
    guest_set(guest, COMMON_STATUS, 1, DRIVER | STATUS_FEATURES_OK);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, DRIVER);
    guest_set(guest, COMMON_DRIVER_FEATURE_SELECT, 4, 1);
    guest_set(guest, COMMON_DRIVER_FEATURE, 4, 3);
    guest_set(guest, COMMON_STATUS, 1, DRIVER | STATUS_FEATURES_OK);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, DRIVER);
    guest_set(guest, COMMON_STATUS, 1, DRIVER | STATUS_DRIVER_OK);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, DRIVER);

    guest_set(guest, COMMON_DRIVER_FEATURE, 4, 1);
    guest_set(guest, COMMON_STATUS, 1, DRIVER | STATUS_FEATURES_OK);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, DRIVER | STATUS_FEATURES_OK);

    /* After that they stay. */
    guest_set(guest, COMMON_DRIVER_FEATURE, 4, 0);
    g_assert_cmphex(guest_get(guest, COMMON_DRIVER_FEATURE, 4), ==, 1);
    virtio_guest_free(guest);
}

static void
test_works(gconstpointer features)
{
    VirtioGuest *guest = set_up();

    guest_enable_msix(guest);
    guest_start(guest, GPOINTER_TO_SIZE(features));
    for (unsigned i = 0; i < 1000; i++)
        g_assert_true(works(guest));
    g_assert_cmpuint(test_board_take_msi(guest->test, GUEST_VECTOR(0)), >=, 1);
    guest_reset(guest);
    g_assert_cmpuint(test_board_n_doorbells(guest->test), ==, 0);
    guest_start(guest, GPOINTER_TO_SIZE(features));
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

/* A driver that waits sees when a reset is over; what one writes that does not, as EDK II's (Virtio10SetDeviceStatus()),
 * counts all the same, and the device it had is not the one that it gets. */
static void
test_hasty_reset(void)
{
    VirtioGuest *guest = set_up();

    guest_start(guest, ALL);
    g_assert_true(works(guest));
    guest_begin_reset(guest);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, 0xf);
    g_assert_true(guest_negotiate(guest, 0));
    guest_setup_queue(guest, 0, 4);
    guest_driver_ok(guest);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, 0xf);
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

/* The end of the reset comes in the middle of what it writes. */
static void
test_reset_between(void)
{
    VirtioGuest *guest = set_up();

    guest_start(guest, ALL);
    guest_begin_reset(guest);
    g_assert_true(guest_negotiate(guest, 0));
    test_board_settle(guest->test);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, DRIVER | STATUS_FEATURES_OK);
    guest_setup_queue(guest, 0, 4);
    guest_driver_ok(guest);
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

/* A second driver starts over before the first one's reset is done. */
static void
test_reset_twice(void)
{
    VirtioGuest *guest = set_up();

    guest_start(guest, ALL);
    guest_begin_reset(guest);
    g_assert_true(guest_negotiate(guest, 0));
    guest_setup_queue(guest, 0, 4);
    guest_set(guest, COMMON_STATUS, 1, 0xf);
    guest_reset(guest);
    guest_start(guest, 0);
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

/* What is there before DRIVER_OK is served without a notification. */
static void
test_early(void)
{
    VirtioGuest *guest = set_up();

    g_assert_true(guest_negotiate(guest, 0));
    guest_setup_queue(guest, 0, 8);
    offer(guest, 0);
    guest_kick(guest, 0);
    g_assert_false(answers(guest));
    guest_driver_ok(guest);
    g_assert_true(answers(guest));
    virtio_guest_free(guest);
}

static void
test_pin(void)
{
    VirtioGuest *guest = set_up();

    guest_start(guest, 0);
    g_assert_true(works(guest));
    g_assert_true(guest->test->level[GSI]);
    g_assert_cmphex(mmio_read(guest->test, guest->isr, 1), ==, 1);
    g_assert_false(guest->test->level[GSI]);
    g_assert_cmphex(mmio_read(guest->test, guest->isr, 1), ==, 0);
    virtio_guest_free(guest);
}

/* Until a driver reads why, the pin stays; a reset lets it go. */
static void
test_pin_reset(void)
{
    VirtioGuest *guest = set_up();

    guest_start(guest, 0);
    guest_set_avail(guest, 0, 1000);
    guest_kick(guest, 0);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, 0xf | STATUS_NEEDS_RESET);
    g_assert_true(guest->test->level[GSI]);
    guest_reset(guest);
    g_assert_false(guest->test->level[GSI]);
    guest_start(guest, 0);
    guest_set_avail(guest, 0, 1000);
    guest_kick(guest, 0);
    g_assert_cmphex(mmio_read(guest->test, guest->isr, 1), ==, 2);
    virtio_guest_free(guest);
}

static void
test_vectors(void)
{
    VirtioGuest *guest = set_up();

    guest_set(guest, COMMON_CONFIG_VECTOR, 2, 1);
    g_assert_cmphex(guest_get(guest, COMMON_CONFIG_VECTOR, 2), ==, 1);
    guest_set(guest, COMMON_CONFIG_VECTOR, 2, 2);
    g_assert_cmphex(guest_get(guest, COMMON_CONFIG_VECTOR, 2), ==, 0xffff);
    g_assert_cmphex(guest_get(guest, COMMON_QUEUE_VECTOR, 2), ==, 0xffff);
    guest_set(guest, COMMON_QUEUE_VECTOR, 2, 1);
    g_assert_cmphex(guest_get(guest, COMMON_QUEUE_VECTOR, 2), ==, 1);
    guest_set(guest, COMMON_QUEUE_VECTOR, 2, 0xfffe);
    g_assert_cmphex(guest_get(guest, COMMON_QUEUE_VECTOR, 2), ==, 0xffff);

    /* A queue without a vector works in silence; a broken one says so by the configuration's. */
    guest_enable_msix(guest);
    guest_start(guest, 0);
    guest_set(guest, COMMON_QUEUE_VECTOR, 2, 0xffff);
    g_assert_true(works(guest));
    g_assert_cmpuint(test_board_take_msi(guest->test, GUEST_VECTOR(0)), ==, 0);
    g_assert_cmphex(mmio_read(guest->test, guest->isr, 1), ==, 0);
    guest_set_avail(guest, 0, 1000);
    guest_kick(guest, 0);
    g_assert_cmpuint(test_board_take_msi(guest->test, GUEST_CONFIG_MSI), ==, 1);
    g_assert_false(guest->test->level[GSI]);
    g_assert_cmphex(mmio_read(guest->test, guest->isr, 1), ==, 2);
    virtio_guest_free(guest);
}

/* A queue that is not there reads as none, and takes nothing. */
static void
test_no_queue(void)
{
    VirtioGuest *guest = set_up();

    guest_set(guest, COMMON_QUEUE_SELECT, 2, 1);
    g_assert_cmpuint(guest_get(guest, COMMON_QUEUE_SIZE, 2), ==, 0);
    guest_set(guest, COMMON_QUEUE_SELECT, 2, 0xffff);
    guest_set(guest, COMMON_QUEUE_SIZE, 2, 8);
    guest_set(guest, COMMON_QUEUE_VECTOR, 2, 0);
    guest_set64(guest, COMMON_QUEUE_DESC, ~0ull);
    guest_set(guest, COMMON_QUEUE_ENABLE, 2, 1);
    g_assert_cmphex(guest_get(guest, COMMON_QUEUE_VECTOR, 2), ==, 0xffff);
    g_assert_cmpuint(guest_get(guest, COMMON_QUEUE_ENABLE, 2), ==, 0);
    g_assert_cmphex(guest_get(guest, COMMON_QUEUE_DESC, 4), ==, 0);
    for (unsigned i = 0; i < 64; i++)
        mmio_write(guest->test, guest->notify + i, 4, i);
    virtio_guest_free(guest);
}

/* From enabling on a queue is where it is: size and place after DRIVER_OK are what past holes were made of. */
static void
test_frozen(void)
{
    VirtioGuest *guest = set_up();
    uint64_t desc;

    guest_start(guest, 0);
    desc = guest->queues[0].desc;
    guest_set(guest, COMMON_QUEUE_SIZE, 2, 32768);
    guest_set64(guest, COMMON_QUEUE_DESC, ~0ull);
    guest_set64(guest, COMMON_QUEUE_DRIVER, ~0ull);
    guest_set64(guest, COMMON_QUEUE_DEVICE, ~0ull);
    guest_set(guest, COMMON_QUEUE_ENABLE, 2, 0);
    g_assert_cmpuint(guest_get(guest, COMMON_QUEUE_SIZE, 2), ==, 64);
    g_assert_cmphex(guest_get(guest, COMMON_QUEUE_DESC, 4), ==, desc);
    g_assert_cmpuint(guest_get(guest, COMMON_QUEUE_ENABLE, 2), ==, 1);
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

static void
test_misplaced(gconstpointer data)
{
    static const struct {
        unsigned size;
        uint64_t desc;
    } bad[] = { { 3, 0 }, { 0, 0 }, { 128, 0 }, { 64, 0xfee00000 }, { 64, 0x1004 }, { 64, ~0ull } };
    size_t i = GPOINTER_TO_SIZE(data);
    VirtioGuest *guest = set_up();

    g_assert_true(guest_negotiate(guest, 0));
    guest_set(guest, COMMON_QUEUE_SIZE, 2, bad[i].size);
    guest_set64(guest, COMMON_QUEUE_DESC, bad[i].desc);
    guest_set64(guest, COMMON_QUEUE_DRIVER, 0x2000);
    guest_set64(guest, COMMON_QUEUE_DEVICE, 0x3000);
    guest_set(guest, COMMON_QUEUE_ENABLE, 2, 1);
    guest_driver_ok(guest);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, 0xf | STATUS_NEEDS_RESET);
    guest_reset(guest);
    guest_start(guest, 0);
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

/* In widths that no field has nothing happens. */
static void
test_widths(void)
{
    VirtioGuest *guest = set_up();

    guest_set(guest, COMMON_FEATURE_SELECT, 4, 1);
    for (unsigned offset = 0; offset < 0x40; offset++) {
        if (offset != COMMON_STATUS)
            guest_set(guest, offset, 1, 0xff);
        if (offset % 2 && offset < 0x3f)
            guest_set(guest, offset, 2, 0xffff);
    }
    g_assert_cmphex(guest_get(guest, COMMON_FEATURE_SELECT, 4), ==, 1);
    g_assert_cmphex(guest_get(guest, COMMON_QUEUE_SELECT, 2), ==, 0);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, 0);
    mmio_write(guest->test, guest->common + COMMON_QUEUE_DESC, 8, 0x123456789000);
    g_assert_cmphex(mmio_read(guest->test, guest->common + COMMON_QUEUE_DESC, 8), ==,
                    0x123456789000);
    g_assert_cmphex(guest_get(guest, COMMON_QUEUE_DESC + 4, 4), ==, 0x1234);
    g_assert_cmphex(guest_get(guest, COMMON_NUM_QUEUES, 1), ==, 1);
    mmio_read(guest->test, guest->common + 0xffc, 8);
    mmio_write(guest->test, guest->common + 0xffc, 8, 1);
    virtio_guest_free(guest);
}

static void
test_bar_moves(void)
{
    VirtioGuest *guest = set_up();
    const uint64_t old = guest->notify, to = 0x800000000ull;

    guest_start(guest, 0);
    g_assert_cmpuint(test_board_n_doorbells(guest->test), ==, 1);
    set_config(guest, 0x24, 4, to >> 32);
    set_config(guest, 0x20, 4, 0);
    guest->common += to - guest->structures;
    guest->notify += to - guest->structures;
    g_assert_true(works(guest));
    offer(guest, 1);
    mmio_write(guest->test, old, 2, 0);
    test_board_settle(guest->test);
    g_assert_false(answers(guest));
    guest_kick(guest, 0);
    g_assert_true(answers(guest));
    set_config(guest, 4, 2, 4); /* no memory decoding, no doorbell */
    g_assert_cmpuint(test_board_n_doorbells(guest->test), ==, 0);
    set_config(guest, 4, 2, 6);
    g_assert_cmpuint(test_board_n_doorbells(guest->test), ==, 1);
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

/* A board that has no doorbell left: the BAR itself takes notifications. */
static bool
no_doorbell(Board *board, uint64_t gpa, int fd)
{
    return false;
}

static void
test_no_doorbell(void)
{
    VirtioGuest *guest = set_up();

    guest->test->board.add_doorbell = no_doorbell;
    guest_start(guest, 0);
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

/* Without bus mastering the device leaves memory alone, and takes up its work again. */
static void
test_bus_master(void)
{
    VirtioGuest *guest = set_up();

    guest_start(guest, 0);
    set_config(guest, 4, 2, 2);
    test_board_settle(guest->test);
    g_assert_false(works(guest));
    set_config(guest, 4, 2, 6);
    test_board_settle(guest->test);
    g_assert_true(answers(guest));
    virtio_guest_free(guest);
}

static void
test_pause(void)
{
    VirtioGuest *guest = set_up();

    guest_start(guest, ALL);
    g_assert_true(works(guest));
    guest->dev->class->pause(guest->dev);
    g_assert_false(works(guest));
    guest->dev->class->resume(guest->dev);
    test_board_settle(guest->test);
    g_assert_true(answers(guest));
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

/* A reset that the driver wrote and the device has not done yet when the machine pauses. */
static void
test_reset_and_pause(void)
{
    VirtioGuest *guest = set_up();

    guest_start(guest, 0);
    guest_set(guest, COMMON_STATUS, 1, 0);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, 0xf);
    guest->dev->class->pause(guest->dev);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, 0);
    guest->dev->class->resume(guest->dev);
    test_board_settle(guest->test);
    g_assert_cmpuint(guest_get(guest, COMMON_QUEUE_SIZE, 2), ==, 64);
    guest_start(guest, 0);
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

/* And then the driver did not wait for it. */
static void
test_hasty_reset_and_pause(void)
{
    VirtioGuest *guest = set_up();

    guest_start(guest, 0);
    guest_begin_reset(guest);
    guest_set(guest, COMMON_STATUS, 1, DRIVER);
    guest_set(guest, COMMON_QUEUE_SIZE, 2, 4);
    guest->dev->class->pause(guest->dev);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, DRIVER);
    guest->dev->class->resume(guest->dev);
    test_board_settle(guest->test);
    g_assert_cmpuint(guest_get(guest, COMMON_QUEUE_SIZE, 2), ==, 4);
    guest_start(guest, 0);
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

/* The machine's own reset, while the driver is at work. */
static void
test_machine_reset(void)
{
    VirtioGuest *guest = set_up();

    guest_enable_msix(guest);
    guest_start(guest, 0);
    guest->dev->class->pause(guest->dev);
    guest->dev->class->reset(guest->dev);
    g_assert_cmpuint(test_board_n_doorbells(guest->test), ==, 0);
    g_assert_cmphex(get_config(guest, 0x20, 4), ==, 0xc);
    guest->dev->class->resume(guest->dev);
    test_board_settle(guest->test);
    set_config(guest, 0x20, 4, guest->structures);
    set_config(guest, 4, 2, 6);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, 0);
    guest_start(guest, 0);
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

/* The window in configuration space, for firmware that has no access to memory space (4.1.4.9). */
static void
test_window(void)
{
    VirtioGuest *guest = set_up();
    unsigned cap = get_config(guest, 0x34, 1);

    set_config(guest, cap + 4, 1, 4);
    set_config(guest, cap + 8, 4, COMMON_NUM_QUEUES);
    set_config(guest, cap + 12, 4, 2);
    g_assert_cmphex(get_config(guest, cap + 16, 2), ==, 1);
    set_config(guest, cap + 8, 4, COMMON_STATUS);
    set_config(guest, cap + 12, 4, 1);
    set_config(guest, cap + 16, 1, DRIVER);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, DRIVER);
    /* Lengths, places and BARs that are none. */
    for (unsigned length = 0; length < 9; length++) {
        set_config(guest, cap + 12, 4, length);
        set_config(guest, cap + 8, 4, 0x4000 - 1);
        get_config(guest, cap + 16, 4);
        set_config(guest, cap + 8, 4, ~0u);
        set_config(guest, cap + 16, 4, ~0u);
    }
    set_config(guest, cap + 4, 1, 1);
    set_config(guest, cap + 8, 4, 0);
    set_config(guest, cap + 12, 4, 4);
    set_config(guest, cap + 16, 4, ~0u);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, DRIVER);
    virtio_guest_free(guest);
}

static void
test_refused(void)
{
    VirtioGuest *guest = set_up();
    vmm_msg_auto unnamed = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    vmm_msg_auto unknown = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    vmm_msg_auto elsewhere = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    VmmError err;

    vmm_msg_put_string(unknown, "device", "toaster");
    vmm_msg_put_string(elsewhere, "device", "rng");
    vmm_msg_put_string(elsewhere, "bus", "pci.7");
    g_assert_null(device_new(guest->dev->class, &guest->test->board, "x", unnamed, &err));
    g_assert_cmpstr(err.text, ==, "Device 'x': the string 'device' is missing");
    g_assert_null(device_new(guest->dev->class, &guest->test->board, "x", unknown, &err));
    g_assert_cmpstr(err.text, ==, "There is no virtio device 'toaster'");
    g_assert_null(device_new(guest->dev->class, &guest->test->board, "x", elsewhere, &err));
    g_assert_cmpstr(err.text, ==, "Device 'x': there is no PCI bus 'pci.7'");
    guest_start(guest, 0);
    g_assert_true(works(guest));
    virtio_guest_free(guest);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-pci/capabilities", test_capabilities);
    g_test_add_func("/virtio-pci/features", test_features);
    g_test_add_data_func("/virtio-pci/works/plain", GSIZE_TO_POINTER(0), test_works);
    g_test_add_data_func("/virtio-pci/works/events", GSIZE_TO_POINTER(EVENTS), test_works);
    g_test_add_data_func("/virtio-pci/works/all", GSIZE_TO_POINTER(ALL), test_works);
    g_test_add_func("/virtio-pci/hasty-reset", test_hasty_reset);
    g_test_add_func("/virtio-pci/reset-between", test_reset_between);
    g_test_add_func("/virtio-pci/reset-twice", test_reset_twice);
    g_test_add_func("/virtio-pci/early", test_early);
    g_test_add_func("/virtio-pci/pin", test_pin);
    g_test_add_func("/virtio-pci/pin-reset", test_pin_reset);
    g_test_add_func("/virtio-pci/vectors", test_vectors);
    g_test_add_func("/virtio-pci/no-queue", test_no_queue);
    g_test_add_func("/virtio-pci/frozen", test_frozen);
    for (size_t i = 0; i < 6; i++) {
        g_autofree char *name = g_strdup_printf("/virtio-pci/misplaced/%zu", i);

        g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_misplaced);
    }
    g_test_add_func("/virtio-pci/widths", test_widths);
    g_test_add_func("/virtio-pci/bar-moves", test_bar_moves);
    g_test_add_func("/virtio-pci/no-doorbell", test_no_doorbell);
    g_test_add_func("/virtio-pci/bus-master", test_bus_master);
    g_test_add_func("/virtio-pci/pause", test_pause);
    g_test_add_func("/virtio-pci/reset-and-pause", test_reset_and_pause);
    g_test_add_func("/virtio-pci/hasty-reset-and-pause", test_hasty_reset_and_pause);
    g_test_add_func("/virtio-pci/machine-reset", test_machine_reset);
    g_test_add_func("/virtio-pci/window", test_window);
    g_test_add_func("/virtio-pci/refused", test_refused);
    return g_test_run();
}
