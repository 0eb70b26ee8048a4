/* Devices come and go while a vCPU's thread asks for all of them. */
#include "qemu-kvm-backend/device-list.h"

#include <glib.h>

#define ROUNDS 2000

static int n_described, n_rung; /* atomic */

static void
describe(Device *dev, struct Aml *aml)
{
    g_atomic_int_inc(&n_described);
}

static void
ring(Device *dev)
{
    g_atomic_int_inc(&n_rung);
}

static const DeviceClass board_class = { .name = "board", .describe = describe, .rtc_alarm = ring };
static const DeviceClass hot_class = { .name = "hot" };

static Device *
new_device(const DeviceClass *class, const char *id)
{
    Device *dev = g_new0(Device, 1);

    dev->class = class;
    dev->id = (char *)id;
    return dev;
}

static gpointer
vcpu(gpointer data)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        device_list_describe(data, NULL);
        device_list_ring(data);
    }
    return NULL;
}

/* What is on the board from the beginning is found however many have come or gone meanwhile. */
static void
test_hot(void)
{
    Device *board = new_device(&board_class, "board"), *hot[8];
    DeviceList list;
    GThread *thread;

    device_list_init(&list);
    for (unsigned i = 0; i < G_N_ELEMENTS(hot); i++)
        hot[i] = new_device(&hot_class, "hot");
    device_list_add(&list, hot[0]);
    device_list_add(&list, board); /* it moves when the one in front of it goes */
    thread = g_thread_new("vcpu", vcpu, &list);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 1; i < G_N_ELEMENTS(hot); i++)
            device_list_add(&list, hot[i]);
        for (unsigned i = 0; i < G_N_ELEMENTS(hot); i++)
            device_list_take(&list, hot[i]);
        device_list_add(&list, hot[0]);
        device_list_take(&list, board);
        device_list_add(&list, board);
    }
    g_thread_join(thread);
    g_assert_cmpint(n_described, >, 0);
    g_assert_true(device_list_find(&list, "board") == board);
    g_assert_true(device_list_has(&list, &hot_class));
    g_assert_cmpuint(list.n, ==, 2);
    device_list_take(&list, board);
    device_list_take(&list, hot[0]);
    g_free(board);
    for (unsigned i = 0; i < G_N_ELEMENTS(hot); i++)
        g_free(hot[i]);
    device_list_clear(&list);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-list/hot", test_hot);
    return g_test_run();
}
