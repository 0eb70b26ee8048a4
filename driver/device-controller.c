#include "driver/device-controller.h"

#include "driver/chardev.h"
#include "driver/device-address.h"
#include "driver/error.h"
#include "driver/virtio-serial-open.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <string.h>

#define TARGET_MAX  255 /* of a port's chassis and port numbers */
#define UNSAID      G_MAXUINT
#define SPARE_PORTS 3 /* that a running guest's virtio-serial controller has room for */

typedef enum ControllerType {
    CONTROLLER_PCI,
    CONTROLLER_USB,
    CONTROLLER_VIRTIO_SERIAL,
} ControllerType;

static const char *const type_words[] = { "pci", "usb", "virtio-serial", NULL };

/* The models of each type that this machine can honour. */
static const struct Model {
    ControllerType type;
    const char *name;
    PciRole role;
} models[] = {
    { CONTROLLER_PCI, "pcie-root", PCI_ROLE_ROOT },
    { CONTROLLER_PCI, "pcie-root-port", PCI_ROLE_PORT },
    { CONTROLLER_USB, "none", PCI_ROLE_NONE },
    { CONTROLLER_VIRTIO_SERIAL, NULL, PCI_ROLE_ENDPOINT },
    { CONTROLLER_VIRTIO_SERIAL, "virtio", PCI_ROLE_ENDPOINT },
};

typedef struct Controller {
    Device dev;
    int type;
    char *name;                /* the model as the document has it; NULL: none */
    const struct Model *model; /* NULL: none of the table's */
    char *model_name;          /* of a root port: the <model>'s; NULL: not said */
    guint index;               /* UNSAID: not said; complete() gives one */
    guint chassis, port;       /* of a root port; UNSAID: they follow from its index and place */
    guint ports, vectors;      /* of a virtio-serial one; UNSAID: not said */
    gboolean implicit;         /* the document did not have it */
} Controller;

static const struct Model *
find_model(ControllerType type, const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(models); i++) {
        if (models[i].type == type && g_strcmp0(models[i].name, name) == 0)
            return &models[i];
    }
    return NULL;
}

static PciRole
controller_pci_role(const Device *dev)
{
    const Controller *controller = (const Controller *)dev;

    return controller->model ? controller->model->role : PCI_ROLE_NONE;
}

static gboolean
parse_target(Controller *controller, const XmlNode *node, GError **error)
{
    const XmlNode *model = xml_child(node, "model");
    const XmlNode *target = xml_child(node, "target");

    controller->model_name = model ? xml_attr(model, "name") : NULL;
    return !target || (xml_attr_number(target, "chassis", &controller->chassis, error) &&
                       xml_attr_number(target, "port", &controller->port, error));
}

static gboolean
controller_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    Controller *controller = (Controller *)dev;

    controller->index = controller->chassis = controller->port = UNSAID;
    controller->ports = controller->vectors = UNSAID;
    controller->name = xml_attr(node, "model");
    device_parse_alias(dev, node, flags);
    if (!xml_attr_word(node, "type", XML_REQUIRED, type_words, &controller->type, error) ||
        !xml_attr_uint(node, "index", XML_OPTIONAL, &controller->index, error) ||
        !xml_attr_uint(node, "ports", XML_OPTIONAL, &controller->ports, error) ||
        !xml_attr_uint(node, "vectors", XML_OPTIONAL, &controller->vectors, error) ||
        !parse_target(controller, node, error) || !device_parse_address(dev, node, error))
        return FALSE;
    controller->model = find_model(controller->type, controller->name);
    return TRUE;
}

static guint
chassis_of(const Controller *controller)
{
    return controller->chassis == UNSAID ? controller->index : controller->chassis;
}

static guint
port_of(const Controller *controller)
{
    const PciAddress *pci = &controller->dev.pci;

    return controller->port == UNSAID ? pci->slot << 3 | pci->function : controller->port;
}

static void
format_port(const Controller *controller, XmlWriter *out)
{
    xml_open(out, "model");
    xml_put_attr(out, "name", "pcie-root-port");
    xml_close(out);
    xml_open(out, "target");
    xml_put_attr_uint(out, "chassis", chassis_of(controller));
    xml_put_attr_hex(out, "port", 1, port_of(controller));
    xml_close(out);
}

static void
controller_format(const Device *dev, XmlWriter *out, guint flags)
{
    const Controller *controller = (const Controller *)dev;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "type", type_words[controller->type]);
    xml_put_attr_uint(out, "index", controller->index);
    if (controller->name)
        xml_put_attr(out, "model", controller->name);
    if (controller->ports != UNSAID)
        xml_put_attr_uint(out, "ports", controller->ports);
    if (controller->vectors != UNSAID)
        xml_put_attr_uint(out, "vectors", controller->vectors);
    if (device_pci_role(dev) == PCI_ROLE_PORT)
        format_port(controller, out);
    device_format_alias(dev, out, flags);
    device_format_address(dev, out);
    xml_close(out);
}

static void
controller_copy(const Device *from, Device *to)
{
    const Controller *old = (const Controller *)from;
    Controller *copy = (Controller *)to;

    copy->type = old->type;
    copy->index = old->index;
    copy->name = g_strdup(old->name);
    copy->model = old->model;
    copy->model_name = g_strdup(old->model_name);
    copy->chassis = old->chassis;
    copy->port = old->port;
    copy->ports = old->ports;
    copy->vectors = old->vectors;
    copy->implicit = old->implicit;
}

static void
controller_clear(Device *dev)
{
    Controller *controller = (Controller *)dev;

    g_free(controller->name);
    g_free(controller->model_name);
}

static gboolean
check_model(const Controller *controller, GError **error)
{
    const char *type = type_words[controller->type];

    if (!controller->name && !controller->model)
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "controller of type '%s' without a model is not supported yet by this machine", type);
    if (!controller->model)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%s' of attribute 'model' of <controller type='%s'> is not "
                            "supported yet by this machine",
                            controller->name, type);
    return TRUE;
}

/* What a root port has and the root has not, in libvirt's words. */
static gboolean
check_root_options(const Controller *controller, GError **error)
{
    const char *option = controller->model_name          ? "modelName"
                         : controller->chassis != UNSAID ? "chassis"
                         : controller->port != UNSAID    ? "port"
                                                         : NULL;

    if (option)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Option '%s' is not valid for PCI controller with index '%u', model "
                            "'%s' and modelName '%s'",
                            option, controller->index, controller->name,
                            controller->model_name ? controller->model_name : "none");
    return TRUE;
}

static gboolean
check_root(const Controller *controller, GError **error)
{
    if (controller->index != 0)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "pci-root and pcie-root controllers should have index 0");
    if (controller->dev.pci.known)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "pci-root and pcie-root controllers should not have an address");
    return check_root_options(controller, error);
}

static gboolean
check_number(const char *name, guint value, GError **error)
{
    if (value != UNSAID && value > TARGET_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "PCI controller %s '%u' out of range - must be 0-%d", name, value,
                            TARGET_MAX);
    return TRUE;
}

static gboolean
check_port(const Controller *controller, GError **error)
{
    const char *name = controller->model_name;

    if (controller->index == 0)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "The PCI controller with index='0' must be model='pcie-root' for this "
                            "machine type, but model='%s' was found instead",
                            controller->name);
    if (name && strcmp(name, "pcie-root-port") != 0)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid value for attribute 'name' in element 'model': '%s'.", name);
    return check_number("port", controller->port, error) &&
           check_number("chassis", controller->chassis, error);
}

static gboolean
refuse_usb(const char *what, const Controller *controller, GError **error)
{
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "%s of <controller type='usb' model='%s'> is not supported yet by this "
                        "machine",
                        what, controller->name);
}

static gboolean
check_usb(const Controller *controller, GError **error)
{
    if (controller->index != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%u' of attribute 'index' of <controller type='usb'> is not "
                            "supported yet by this machine",
                            controller->index);
    if (controller->model_name)
        return refuse_usb("element <model>", controller, error);
    if (controller->chassis != UNSAID || controller->port != UNSAID)
        return refuse_usb("element <target>", controller, error);
    if (controller->dev.pci.known)
        return refuse_usb("element <address>", controller, error);
    return TRUE;
}

/* How many interrupts it has is up to its queues: "vectors" is a wish that costs nobody anything. One without ports libvirt
 * defines, and QEMU does not start. */
static gboolean
check_virtio_serial(const Controller *controller, GError **error)
{
    if (controller->ports != UNSAID &&
        (controller->ports < 1 || controller->ports > VIRTIO_SERIAL_PORTS))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%u' of attribute 'ports' of <controller> is not supported by "
                            "this machine, whose controllers have 1 to %d",
                            controller->ports, VIRTIO_SERIAL_PORTS);
    return TRUE;
}

/* What only a virtio-serial controller has. */
static gboolean
check_no_ports(const Controller *controller, GError **error)
{
    const char *attr = controller->ports != UNSAID     ? "ports"
                       : controller->vectors != UNSAID ? "vectors"
                                                       : NULL;

    return !attr || driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                 "attribute '%s' of <controller type='%s'> is not supported by "
                                 "this machine",
                                 attr, type_words[controller->type]);
}

static gboolean
controller_check(const Device *dev, GError **error)
{
    const Controller *controller = (const Controller *)dev;

    if (!check_model(controller, error))
        return FALSE;
    if (controller->type == CONTROLLER_VIRTIO_SERIAL)
        return check_virtio_serial(controller, error);
    if (!check_no_ports(controller, error))
        return FALSE;
    switch (controller->model->role) {
    case PCI_ROLE_PORT:
        return check_port(controller, error);
    case PCI_ROLE_ROOT:
        return check_root(controller, error);
    default:
        return check_usb(controller, error);
    }
}

/* The first controller of @type with @index, or NULL. */
static Controller *
find_index(const GPtrArray *devices, int type, guint index)
{
    for (guint i = 0; i < devices->len; i++) {
        Controller *controller = g_ptr_array_index(devices, i);

        if (controller->dev.kind == &device_controller && controller->type == type &&
            controller->index == index)
            return controller;
    }
    return NULL;
}

/* The first index that no other controller of the type has, as in libvirt. */
static void
number_controllers(GPtrArray *devices)
{
    for (guint i = 0; i < devices->len; i++) {
        Controller *controller = g_ptr_array_index(devices, i);
        guint index = 0;

        if (controller->dev.kind != &device_controller || controller->index != UNSAID)
            continue;
        while (find_index(devices, controller->type, index))
            index++;
        controller->index = index;
    }
}

guint
device_controller_bus(const Device *dev)
{
    return ((const Controller *)dev)->index;
}

static guint
sort_key(const Device *dev)
{
    gboolean pci =
        dev->kind == &device_controller && ((const Controller *)dev)->type == CONTROLLER_PCI;

    return pci ? device_controller_bus(dev) : G_MAXUINT;
}

static gboolean
is_implicit(const Device *dev)
{
    return dev->kind == &device_controller && ((const Controller *)dev)->implicit;
}

void
device_controllers_sort(GPtrArray *devices)
{
    guint n = devices->len;

    device_list_sort_some(devices, sort_key);
    for (guint i = 0, at = 0; i < n; i++) {
        if (is_implicit(g_ptr_array_index(devices, at)))
            g_ptr_array_add(devices, g_ptr_array_steal_index(devices, at));
        else
            at++;
    }
}

static void
controller_complete(GPtrArray *devices)
{
    number_controllers(devices);
    device_controllers_sort(devices);
}

static gboolean
controller_check_all(const GPtrArray *devices, GError **error)
{
    for (guint i = 0; i < devices->len; i++) {
        Controller *controller = g_ptr_array_index(devices, i);

        if (controller->dev.kind == &device_controller &&
            find_index(devices, controller->type, controller->index) != controller)
            return driver_error(error, VIR_ERR_XML_ERROR,
                                "Multiple '%s' controllers with index '%u'",
                                type_words[controller->type], controller->index);
    }
    return TRUE;
}

/* libvirt calls the root of a PCI Express hierarchy "pcie.0", a port's bus "pci.N", and a USB bus that
 * is not there nothing but its type. */
static char *
alias_of(const Controller *controller)
{
    switch (device_pci_role(&controller->dev)) {
    case PCI_ROLE_ROOT:
        return g_strdup_printf("pcie.%u", controller->index);
    case PCI_ROLE_PORT:
        return g_strdup_printf("pci.%u", controller->index);
    case PCI_ROLE_ENDPOINT:
        return virtio_serial_alias(controller->index);
    default:
        return g_strdup(type_words[controller->type]);
    }
}

static void
controller_assign_alias(Device *dev, const GPtrArray *devices)
{
    g_free(dev->alias);
    dev->alias = alias_of((const Controller *)dev);
}

static gboolean
lower_virtio_serial(Device *dev, const DeviceLowering *to, GError **error)
{
    const Controller *controller = (const Controller *)dev;
    VmmMsg *msg = to->add(to->data, VMM_CLASS_VIRTIO_PCI, dev->alias);
    guint room = virtio_serial_highest(controller->index, to->devices) + 1 + SPARE_PORTS;

    vmm_msg_put_string(msg, "device", "console");
    device_describe_address(dev, msg);
    vmm_msg_put_u64(msg, "ports",
                    controller->ports == UNSAID ? MIN(room, VIRTIO_SERIAL_PORTS)
                                                : controller->ports);
    return virtio_serial_lower(device_controller_bus(dev), to, msg, error);
}

/* The root is the machine's own; a port is a device of its. */
static gboolean
controller_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    guint port = ((const Controller *)dev)->port;
    VmmMsg *msg;

    if (device_is_virtio_serial(dev))
        return lower_virtio_serial(dev, to, error);
    if (device_pci_role(dev) != PCI_ROLE_PORT)
        return TRUE;
    msg = to->add(to->data, VMM_CLASS_ROOT_PORT, dev->alias);
    device_describe_address(dev, msg);
    if (port != UNSAID) /* else it follows from the place there, too */
        vmm_msg_put_u64(msg, "port", port);
    return TRUE;
}

static Controller *
new_controller(ControllerType type, const char *model, guint index)
{
    Controller *controller = (Controller *)device_new(&device_controller);

    controller->type = type;
    controller->name = g_strdup(model);
    controller->model = find_model(type, model);
    controller->index = index;
    controller->chassis = controller->port = UNSAID;
    controller->ports = controller->vectors = UNSAID;
    return controller;
}

Device *
device_controller_new_virtio_serial(guint index)
{
    Controller *controller = new_controller(CONTROLLER_VIRTIO_SERIAL, NULL, index);

    controller->implicit = TRUE;
    return &controller->dev;
}

gboolean
device_is_virtio_serial(const Device *dev)
{
    return dev->kind == &device_controller &&
           ((const Controller *)dev)->type == CONTROLLER_VIRTIO_SERIAL;
}

guint
device_controller_ports(const GPtrArray *devices, guint index)
{
    const Controller *controller = find_index(devices, CONTROLLER_VIRTIO_SERIAL, index);

    if (!controller)
        return 0;
    return controller->ports == UNSAID ? VIRTIO_SERIAL_PORTS : controller->ports;
}

Device *
device_controller_new_root(void)
{
    return &new_controller(CONTROLLER_PCI, "pcie-root", 0)->dev;
}

Device *
device_controller_new_port(guint index)
{
    return &new_controller(CONTROLLER_PCI, "pcie-root-port", index)->dev;
}

const DeviceKind device_controller = {
    .element = "controller",
    .size = sizeof(Controller),
    .parse = controller_parse,
    .format = controller_format,
    .copy = controller_copy,
    .check = controller_check,
    .lower = controller_lower,
    .pci_role = controller_pci_role,
    .clear = controller_clear,
    .complete = controller_complete,
    .check_all = controller_check_all,
    .assign_alias = controller_assign_alias,
};
