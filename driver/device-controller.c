#include "driver/device-controller.h"

#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <string.h>

typedef enum ControllerType {
    CONTROLLER_PCI,
    CONTROLLER_USB,
} ControllerType;

static const char *const type_words[] = { "pci", "usb", NULL };
/* The one model of each type that this machine can honour. */
static const char *const model_of_type[] = { "pcie-root", "none" };

typedef struct Controller {
    Device dev;
    int type;
    char *model;
    guint index;
} Controller;

static gboolean
controller_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    Controller *controller = (Controller *)dev;

    controller->model = xml_attr(node, "model");
    device_parse_alias(dev, node, flags);
    return xml_attr_word(node, "type", XML_REQUIRED, type_words, &controller->type, error) &&
           xml_attr_uint(node, "index", XML_OPTIONAL, &controller->index, error);
}

static void
controller_format(const Device *dev, XmlWriter *out, guint flags)
{
    const Controller *controller = (const Controller *)dev;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "type", type_words[controller->type]);
    xml_put_attr_uint(out, "index", controller->index);
    if (controller->model)
        xml_put_attr(out, "model", controller->model);
    device_format_alias(dev, out, flags);
    xml_close(out);
}

static void
controller_copy(const Device *from, Device *to)
{
    const Controller *old = (const Controller *)from;
    Controller *copy = (Controller *)to;

    copy->type = old->type;
    copy->index = old->index;
    copy->model = g_strdup(old->model);
}

static gboolean
controller_check(const Device *dev, GError **error)
{
    const Controller *controller = (const Controller *)dev;
    const char *type = type_words[controller->type];

    if (!controller->model)
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "controller of type '%s' without a model is not supported yet by this machine", type);
    if (strcmp(controller->model, model_of_type[controller->type]) != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%s' of attribute 'model' of <controller type='%s'> is not "
                            "supported yet by this machine",
                            controller->model, type);
    if (controller->index != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%u' of attribute 'index' of <controller type='%s'> is not "
                            "supported yet by this machine",
                            controller->index, type);
    return TRUE;
}

static gboolean
controller_check_all(const GPtrArray *devices, GError **error)
{
    gboolean seen[G_N_ELEMENTS(model_of_type)] = { FALSE };

    for (guint i = 0; i < devices->len; i++) {
        const Controller *controller = g_ptr_array_index(devices, i);

        if (controller->dev.kind != &device_controller)
            continue;
        if (seen[controller->type])
            return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                                "Multiple '%s' controllers with index '%u'",
                                type_words[controller->type], controller->index);
        seen[controller->type] = TRUE;
    }
    return TRUE;
}

static void
controller_clear(Device *dev)
{
    g_free(((Controller *)dev)->model);
}

/* libvirt calls the root of a PCI Express hierarchy "pcie.0", and a USB bus that is not there
 * nothing but its type. */
static void
controller_assign_alias(Device *dev, const GPtrArray *devices)
{
    const Controller *controller = (const Controller *)dev;

    g_free(dev->alias);
    dev->alias = controller->type == CONTROLLER_PCI ? g_strdup_printf("pcie.%u", controller->index)
                                                    : g_strdup(type_words[controller->type]);
}

const DeviceKind device_controller = {
    .element = "controller",
    .size = sizeof(Controller),
    .parse = controller_parse,
    .format = controller_format,
    .copy = controller_copy,
    .check = controller_check,
    .clear = controller_clear,
    .check_all = controller_check_all,
    .assign_alias = controller_assign_alias,
};
