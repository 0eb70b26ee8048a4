#include "driver/device-input.h"

#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

typedef enum InputType {
    INPUT_MOUSE,
    INPUT_KEYBOARD,
    INPUT_N_TYPES,
} InputType;

static const char *const type_words[] = { "mouse", "keyboard" };

typedef struct Input {
    Device dev;
    InputType type;
} Input;

static gboolean
parse_type(Input *input, const char *type, GError **error)
{
    if (!type)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "missing input device type");
    for (guint i = 0; i < INPUT_N_TYPES; i++) {
        if (g_str_equal(type_words[i], type)) {
            input->type = i;
            return TRUE;
        }
    }
    if (g_str_equal(type, "tablet"))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "ps2 bus does not support %s input device", type);
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown input device type '%s'", type);
}

/* What has no bus is on this one; those that are on others that libvirt knows are not this kind's. */
static gboolean
input_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    g_autofree char *type = xml_attr(node, "type");
    g_autofree char *bus = xml_attr(node, "bus");

    device_parse_alias(dev, node, flags);
    if (bus && !g_str_equal(bus, "ps2"))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown input bus type '%s'", bus);
    return parse_type((Input *)dev, type, error);
}

static void
input_format(const Device *dev, XmlWriter *out, guint flags)
{
    xml_open(out, dev->kind->element);
    xml_put_attr(out, "type", type_words[((const Input *)dev)->type]);
    xml_put_attr(out, "bus", "ps2");
    device_format_alias(dev, out, flags);
    xml_close(out);
}

static void
input_copy(const Device *from, Device *to)
{
    ((Input *)to)->type = ((const Input *)from)->type;
}

static gboolean
has(const GPtrArray *devices, InputType type)
{
    for (guint i = 0; i < devices->len; i++) {
        const Input *input = g_ptr_array_index(devices, i);

        if (input->dev.kind == &device_input && input->type == type)
            return TRUE;
    }
    return FALSE;
}

/* As libvirt adds them, and in its order, with a display or without. */
static void
input_complete(GPtrArray *devices)
{
    for (InputType type = INPUT_MOUSE; type < INPUT_N_TYPES; type++) {
        Input *input;

        if (has(devices, type))
            continue;
        input = (Input *)device_new(&device_input);
        input->type = type;
        g_ptr_array_add(devices, input);
    }
}

const DeviceKind device_input = {
    .element = "input",
    .alias = "input",
    .size = sizeof(Input),
    .parse = input_parse,
    .format = input_format,
    .copy = input_copy,
    .complete = input_complete,
    .of_machine = TRUE,
    .of_pc = TRUE,
};
