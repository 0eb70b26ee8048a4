#include "driver/device-memballoon.h"

#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

/* The models that the policy table refuses never get here. */
static const char *const model_words[] = { "none", NULL };

static gboolean
memballoon_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    int model = 0;

    device_parse_alias(dev, node, flags);
    return xml_attr_word(node, "model", XML_REQUIRED, model_words, &model, error);
}

static void
memballoon_format(const Device *dev, XmlWriter *out, guint flags)
{
    xml_open(out, dev->kind->element);
    xml_put_attr(out, "model", model_words[0]);
    device_format_alias(dev, out, flags);
    xml_close(out);
}

static gboolean
memballoon_check_all(const GPtrArray *devices, GError **error)
{
    guint n = 0;

    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);

        n += dev->kind == &device_memballoon;
    }
    if (n > 1)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "only a single memory balloon device is supported");
    return TRUE;
}

const DeviceKind device_memballoon = {
    .element = "memballoon",
    .alias = "balloon",
    .size = sizeof(Device),
    .parse = memballoon_parse,
    .format = memballoon_format,
    .check_all = memballoon_check_all,
};
