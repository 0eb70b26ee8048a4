/* Networks, pools, interfaces and devices of the test driver: finding, filtering, their life and what they tell. */
#include "driver/error.h"
#include "driver/host-objects.h"
#include "driver/test-default.h"

#include <libvirt/libvirt.h>

typedef struct Told {
    DriverEvents events;
    HostObjects *objects;
    GString *text; /* "name event ", and "name refresh " */
} Told;

static void
on_event(gpointer data, HostObject *object, int event)
{
    g_string_append_printf(((Told *)data)->text, "%s %d ", object->facts->name, event);
}

static void
on_refresh(gpointer data, HostObject *pool)
{
    g_string_append_printf(((Told *)data)->text, "%s refresh ", pool->facts->name);
}

static void
set_up(Told *told, gconstpointer facts)
{
    told->text = g_string_new(NULL);
    told->events =
        (DriverEvents){ .host_object = on_event, .pool_refresh = on_refresh, .data = told };
    told->objects = host_objects_new(facts, &told->events);
}

static void
tear_down(Told *told, gconstpointer facts)
{
    host_objects_free(told->objects);
    g_string_free(told->text, TRUE);
}

static void
assert_told(Told *told, const char *wanted)
{
    g_assert_cmpstr(told->text->str, ==, wanted);
    g_string_truncate(told->text, 0);
}

static guint
count(Told *told, HostKind kind, guint flags)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = host_objects_list(told->objects, kind, flags, &error);

    g_assert_no_error(error);
    return list->len;
}

static HostObject *
found(Told *told, HostKind kind, HostKey by, const char *value)
{
    g_autoptr(GError) error = NULL;
    HostObject *object = host_objects_find(told->objects, kind, by, value, &error);

    g_assert_no_error(error);
    return object;
}

static void
assert_missing(Told *told, HostKind kind, HostKey by, const char *value, int code)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(host_objects_find(told->objects, kind, by, value, &error));
    g_assert_error(error, DRIVER_ERROR, code);
}

typedef gboolean (*Verb)(HostObjects *objects, HostObject *object, GError **error);

/* @verb is refused with libvirt's number and text. */
static void
assert_invalid(Told *told, Verb verb, HostObject *object, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(verb(told->objects, object, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_OPERATION_INVALID);
    g_assert_cmpstr(error->message, ==, text);
}

static void
test_find(Told *told, gconstpointer facts)
{
    HostObject *network = found(told, HOST_NETWORK, HOST_BY_NAME, "default");

    g_assert_true(found(told, HOST_NETWORK, HOST_BY_UUID, network->facts->uuid) == network);
    g_assert_cmpstr(host_object_key(network), ==, "dd8fe884-6c02-601e-7551-cca97df1c5df");
    g_assert_cmpstr(host_object_key(found(told, HOST_INTERFACE, HOST_BY_NAME, "eth1")), ==,
                    "aa:bb:cc:dd:ee:ff");
    assert_missing(told, HOST_POOL, HOST_BY_NAME, "default", VIR_ERR_NO_STORAGE_POOL);
    assert_missing(told, HOST_NETWORK, HOST_BY_UUID, "dd8fe884", VIR_ERR_INVALID_ARG);
    assert_missing(told, HOST_INTERFACE, HOST_BY_MAC, "", VIR_ERR_NO_INTERFACE);
    assert_missing(told, HOST_NODE_DEVICE, HOST_BY_NAME, "eth1", VIR_ERR_NO_NODE_DEVICE);
}

static void
test_filter(Told *told, gconstpointer facts)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(count(told, HOST_NETWORK, 0), ==, 1);
    g_assert_cmpuint(count(told, HOST_NETWORK, VIR_CONNECT_LIST_NETWORKS_INACTIVE), ==, 0);
    g_assert_cmpuint(count(told, HOST_POOL, VIR_CONNECT_LIST_STORAGE_POOLS_FS), ==, 0);
    g_assert_cmpuint(count(told, HOST_POOL,
                           VIR_CONNECT_LIST_STORAGE_POOLS_DIR | VIR_CONNECT_LIST_STORAGE_POOLS_FS |
                               VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE),
                     ==, 1);
    g_assert_cmpuint(count(told, HOST_NODE_DEVICE, 0), ==, 4);
    g_assert_cmpuint(count(told, HOST_NODE_DEVICE, VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPORTS), ==,
                     2);
    g_assert_null(host_objects_list(told->objects, HOST_INTERFACE, 4, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG);
}

static void
test_life(Told *told, gconstpointer facts)
{
    HostObject *network = found(told, HOST_NETWORK, HOST_BY_NAME, "default");

    assert_invalid(told, host_object_start, network,
                   "Requested operation is not valid: Network 'default' is already running");
    assert_invalid(told, host_object_undefine, network,
                   "Requested operation is not valid: Network 'default' is still running");
    assert_told(told, "");
    g_assert_true(host_object_stop(told->objects, network, NULL));
    g_assert_cmpuint(count(told, HOST_NETWORK, VIR_CONNECT_LIST_NETWORKS_INACTIVE), ==, 1);
    g_assert_true(host_object_start(told->objects, network, NULL));
    g_assert_true(host_object_stop(told->objects, network, NULL));
    g_assert_true(host_object_undefine(told->objects, network, NULL));
    assert_told(told, "default 3 default 2 default 3 default 1 ");
    g_assert_cmpuint(count(told, HOST_NETWORK, 0), ==, 0);
}

static void
test_interface(Told *told, gconstpointer facts)
{
    HostObject *interface = found(told, HOST_INTERFACE, HOST_BY_MAC, "aa:bb:cc:dd:ee:ff");

    g_assert_true(host_object_stop(told->objects, interface, NULL));
    assert_invalid(told, host_object_stop, interface, "Requested operation is not valid");
    assert_told(told, "");
}

static void
test_pool(Told *told, gconstpointer facts)
{
    HostObject *pool = found(told, HOST_POOL, HOST_BY_NAME, "default-pool");
    g_autoptr(GError) error = NULL;

    assert_invalid(told, host_pool_build, pool,
                   "Requested operation is not valid: storage pool 'default-pool' is active");
    g_assert_true(host_pool_refresh(told->objects, pool, NULL));
    g_assert_true(host_pool_check_active(pool, NULL));
    g_assert_true(host_object_stop(told->objects, pool, NULL));
    assert_invalid(told, host_pool_refresh, pool,
                   "Requested operation is not valid: storage pool 'default-pool' is not active");
    g_assert_false(host_pool_check_active(pool, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_OPERATION_INVALID);
    g_assert_true(host_pool_delete(told->objects, pool, NULL));
    assert_told(told, "default-pool refresh default-pool 3 default-pool 5 ");
}

#define NETWORK(name, uuid) "<network><name>" name "</name>" uuid "</network>"
#define UUID_1              "<uuid>11111111-2222-3333-4444-555555555555</uuid>"
#define UUID_2              "<uuid>21111111-2222-3333-4444-555555555555</uuid>"

static void
assert_not_defined(Told *told, HostKind kind, const char *xml, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(host_objects_define(told->objects, kind, xml, &error));
    g_assert_nonnull(error);
    g_assert_cmpstr(error->message, ==, text);
    assert_told(told, "");
}

static void
test_define(Told *told, gconstpointer facts)
{
    HostObject *made =
        host_objects_define(told->objects, HOST_NETWORK, NETWORK("two", UUID_1), NULL);
    g_autofree char *wanted = NULL;

    g_assert_false(made->active);
    g_assert_true(made->persistent);
    g_assert_true(host_objects_define(told->objects, HOST_NETWORK, NETWORK("two", UUID_1), NULL) ==
                  made);
    assert_told(told, "two 0 two 0 ");
    assert_not_defined(told, HOST_NETWORK, NETWORK("two", UUID_2),
                       "operation failed: network 'two' already exists with uuid "
                       "11111111-2222-3333-4444-555555555555");
    assert_not_defined(told, HOST_NETWORK, NETWORK("three", UUID_1),
                       "operation failed: network 'two' is already defined with uuid "
                       "11111111-2222-3333-4444-555555555555");
    assert_not_defined(told, HOST_POOL, "<pool><name>a</name></pool>",
                       "XML error: Missing required attribute 'type' in element 'pool'");
    assert_not_defined(
        told, HOST_INTERFACE, "<interface type='ethernet' name='a'/>",
        "unsupported configuration: an interface without a MAC address is not supported");
    made = host_objects_define(told->objects, HOST_POOL,
                               "<pool type='mpath'><source><name >x</name ></source>"
                               "<target><path>/x</path></target><name\n>a</name\n></pool>",
                               NULL);
    wanted = g_strdup_printf("</target><name>a</name><uuid>%s</uuid></pool>\n", made->facts->uuid);
    g_assert_true(g_str_has_suffix(made->facts->xml, wanted));
}

static void
test_create(Told *told, gconstpointer facts)
{
    HostObject *made =
        host_objects_create(told->objects, HOST_NETWORK, NETWORK("two", UUID_1), NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(made->active);
    g_assert_cmpuint(count(told, HOST_NETWORK, VIR_CONNECT_LIST_NETWORKS_TRANSIENT), ==, 1);
    g_assert_true(
        host_object_set_autostart(made, TRUE, NULL)); /* as libvirt's test driver has it */
    g_assert_null(host_objects_create(told->objects, HOST_NETWORK, NETWORK("two", UUID_1), &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_OPERATION_INVALID);
    g_assert_true(host_object_stop(told->objects, made, NULL));
    assert_told(told, "two 2 two 3 ");
    assert_missing(told, HOST_NETWORK, HOST_BY_NAME, "two", VIR_ERR_NO_NETWORK);
    g_clear_error(&error);
    made = host_objects_create(
        told->objects, HOST_POOL,
        "<pool type='dir'><name>a</name><target><path>/x</path></target></pool>", NULL);
    g_assert_false(host_object_set_autostart(made, TRUE, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG);
}

#define INTERFACE                                                                                  \
    "<interface type='ethernet' name='eth2'><mac address='00:11:22:33:44:55'/></interface>"

static void
assert_no_change(Told *told, gboolean (*change)(HostObjects *, GError **), const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(change(told->objects, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_OPERATION_INVALID);
    g_assert_true(g_str_has_suffix(error->message, text));
}

/* What was there is there again, as it was, and what came is not. */
static void
test_roll_back(Told *told, gconstpointer facts)
{
    HostObject *first = found(told, HOST_INTERFACE, HOST_BY_NAME, "eth1"), *second;

    assert_no_change(told, host_interfaces_roll_back, "nothing to rollback.");
    second = host_objects_define(told->objects, HOST_INTERFACE, INTERFACE, NULL);
    g_assert_true(host_interfaces_begin(told->objects, NULL));
    assert_no_change(told, host_interfaces_begin, "another transaction running.");
    g_assert_true(host_object_undefine(told->objects, first, NULL));
    g_assert_true(host_object_start(told->objects, second, NULL));
    g_assert_true(host_interfaces_roll_back(told->objects, NULL));
    g_assert_true(found(told, HOST_INTERFACE, HOST_BY_NAME, "eth1")->active);
    second = found(told, HOST_INTERFACE, HOST_BY_MAC, "00:11:22:33:44:55");
    g_assert_false(second->active);
    g_assert_cmpstr(second->facts->xml, ==, INTERFACE);
    g_assert_cmpuint(count(told, HOST_NETWORK, 0), ==, 1);
    g_assert_true(host_interfaces_begin(told->objects, NULL));
    g_assert_true(host_object_undefine(told->objects, second, NULL));
    g_assert_true(host_interfaces_commit(told->objects, NULL));
    assert_no_change(told, host_interfaces_commit, "nothing to be committed.");
    g_assert_cmpuint(count(told, HOST_INTERFACE, 0), ==, 1);
    g_assert_true(host_interfaces_begin(told->objects, NULL)); /* and is left open */
}

#define PORT_OF(parent, names)                                                                     \
    "<device>" parent "<capability type='scsi_host'><capability type='fc_host'>" names             \
    "</capability></capability></device>"
#define PORT(names) PORT_OF("<parent>scsi_host1</parent>", names)
#define NAMES       "<wwnn>1</wwnn><wwpn>2</wwpn>"

/* The device that is to have the port is told by its names, or is any that can. */
static void
test_parent(Told *told, gconstpointer facts)
{
    static const char *const found[] = {
        PORT_OF("", NAMES),
        PORT_OF("<parent wwnn='' wwpn='' fabric_wwn=''/>", NAMES),
        PORT_OF("<parent fabric_wwn='2000000043214321'/>", NAMES),
        PORT_OF("<parent wwnn='2000000012341234' wwpn='1000000012341234' fabric_wwn='7'/>", NAMES),
        PORT_OF("<parent wwnn='1' wwpn='2'>scsi_host1</parent>", NAMES),
    };
    static const struct {
        const char *xml, *text;
    } lost[] = {
        { PORT_OF("<parent wwnn='a'/>", NAMES),
          "XML error: when providing parent wwnn='a', the wwpn must also be provided" },
        { PORT_OF("<parent wwpn='a'/>", NAMES),
          "XML error: when providing parent wwpn='a', the wwnn must also be provided" },
        { PORT_OF("<parent fabric_wwn='2'/>", NAMES),
          "internal error: Could not find parent device for 'new device'" },
        { PORT_OF("<parent wwnn='2000000012341234' wwpn='2'/>", NAMES),
          "internal error: Could not find parent device for 'new device'" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(found); i++)
        g_assert_nonnull(host_device_create(told->objects, found[i], NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(lost); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(host_device_create(told->objects, lost[i].xml, &error));
        g_assert_cmpstr(error->message, ==, lost[i].text);
    }
}

static void
test_device(Told *told, gconstpointer facts)
{
    const char *xml = PORT("<wwnn>a&amp;b</wwnn><wwpn>2</wwpn>");
    HostObject *made = host_device_create(told->objects, xml, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(made->facts->name, ==, "scsi_host12");
    g_assert_nonnull(g_strrstr(made->facts->xml, "<wwnn>a&amp;b</wwnn>"));
    g_assert_true(host_device_create(told->objects, xml, NULL) == made);
    assert_told(told, "scsi_host12 0 scsi_host12 0 ");
    g_assert_null(host_device_create(told->objects, PORT("<wwnn>1</wwnn>"), &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_INTERNAL_ERROR);
    g_assert_true(host_device_destroy(told->objects, made, NULL));
    assert_told(told, "scsi_host12 1 ");
    assert_missing(told, HOST_NODE_DEVICE, HOST_BY_NAME, "scsi_host12", VIR_ERR_NO_NODE_DEVICE);
    g_clear_error(&error);
    made = found(told, HOST_NODE_DEVICE, HOST_BY_NAME, "computer");
    g_assert_false(host_device_destroy(told->objects, made, &error));
    g_assert_cmpstr(error->message, ==, "internal error: Device is not a fibre channel HBA");
    g_clear_error(&error);
    made = found(told, HOST_NODE_DEVICE, HOST_BY_NAME, "scsi_host1");
    g_assert_false(host_device_destroy(told->objects, made, &error));
    g_assert_cmpstr(error->message, ==,
                    "internal error: Parent device computer is not capable of vport operations");
    assert_told(told, "");
}

/* The driver of real guests has none of any kind. */
static void
test_none(Told *told, gconstpointer facts)
{
    for (HostKind kind = 0; kind < N_HOST_KINDS; kind++)
        g_assert_cmpuint(count(told, kind, 0), ==, 0);
    g_assert_false(host_objects_are_simulated(told->objects));
    assert_missing(told, HOST_NETWORK, HOST_BY_NAME, "default", VIR_ERR_NO_NETWORK);
}

#define ADD(path, facts, test) g_test_add(path, Told, facts, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/host-objects/find", test_default_objects, test_find);
    ADD("/host-objects/filter", test_default_objects, test_filter);
    ADD("/host-objects/life", test_default_objects, test_life);
    ADD("/host-objects/interface", test_default_objects, test_interface);
    ADD("/host-objects/pool", test_default_objects, test_pool);
    ADD("/host-objects/define", test_default_objects, test_define);
    ADD("/host-objects/create", test_default_objects, test_create);
    ADD("/host-objects/roll-back", test_default_objects, test_roll_back);
    ADD("/host-objects/device", test_default_objects, test_device);
    ADD("/host-objects/parent", test_default_objects, test_parent);
    ADD("/host-objects/none", NULL, test_none);
    return g_test_run();
}
