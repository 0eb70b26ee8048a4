/* The half of domain-xml that writes. */
#include "driver/domain-xml.h"

#include "driver/domain-xml-os.h"
#include "driver/domain-xml-sysinfo.h"
#include "driver/xml-write.h"

static void
format_identity(const DomainDef *def, XmlWriter *out)
{
    xml_put_element(out, "name", def->name);
    xml_put_element(out, "uuid", def->uuid);
    xml_put_element(out, "title", def->title);
    xml_put_element(out, "description", def->description);
    if (def->metadata)
        xml_put_raw(out, def->metadata);
}

static void
format_size(XmlWriter *out, const char *name, guint64 kib)
{
    xml_open(out, name);
    xml_put_attr(out, "unit", "KiB");
    xml_put_text_uint(out, kib);
    xml_close(out);
}

static void
format_vcpu(const DomainDef *def, XmlWriter *out)
{
    g_autofree char *cpuset =
        cpuset_is_empty(&def->tune.cpuset) ? NULL : cpuset_format(&def->tune.cpuset);

    xml_open(out, "vcpu");
    xml_put_attr(out, "placement", "static");
    if (cpuset)
        xml_put_attr(out, "cpuset", cpuset);
    if (def->current_vcpus != def->vcpus)
        xml_put_attr_uint(out, "current", def->current_vcpus);
    xml_put_text_uint(out, def->vcpus);
    xml_close(out);
}

static void
format_actions(const DomainDef *def, XmlWriter *out)
{
    xml_put_element(out, "on_poweroff", domain_action_to_string(def->on_poweroff));
    xml_put_element(out, "on_reboot", domain_action_to_string(def->on_reboot));
    xml_put_element(out, "on_crash", domain_action_to_string(def->on_crash));
}

static void
format_devices(const DomainDef *def, XmlWriter *out, guint flags)
{
    xml_open(out, "devices");
    xml_begin_content(out); /* as libvirt writes it where there is none */
    xml_put_element(out, "emulator", def->emulator);
    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        dev->kind->format(dev, out, flags);
    }
    xml_close(out);
}

static void
format_seclabel(const DomainDef *def, XmlWriter *out)
{
    if (!def->no_seclabel)
        return;
    xml_open(out, "seclabel");
    xml_put_attr(out, "type", "none");
    xml_put_attr(out, "model", "none");
    xml_close(out);
}

/* In libvirt's order. */
void
domain_xml_write(const DomainDef *def, XmlWriter *out, const char *element, int id, guint flags)
{
    if (def->virt == DOMAIN_VIRT_TEST)
        flags = (flags & ~DOMAIN_FORMAT_LIVE) | DOMAIN_FORMAT_SAID;
    xml_open(out, element);
    xml_put_attr(out, "type", domain_virt_words[def->virt]);
    if (id >= 0)
        xml_put_attr_uint(out, "id", id);
    format_identity(def, out);
    format_size(out, "memory", def->memory_kib);
    format_size(out, "currentMemory", def->current_memory_kib);
    domain_tune_format_before_memory_backing(&def->tune, out);
    domain_memory_format(&def->backing, out);
    format_vcpu(def, out);
    domain_iothreads_format(&def->iothreads, out);
    domain_tune_format_cputune(&def->tune, &def->iothreads, out);
    domain_numatune_format(&def->numatune, out);
    domain_tune_format_resource(&def->tune, out);
    domain_xml_format_sysinfo(&def->sysinfo, out);
    domain_xml_format_os(&def->os, out);
    domain_features_format(&def->features, out);
    domain_cpu_format(&def->cpu, out);
    domain_clock_format(&def->clock, out);
    format_actions(def, out);
    domain_pm_format(&def->pm, out);
    format_devices(def, out, flags);
    format_seclabel(def, out);
    xml_close(out);
}

char *
domain_xml_format(const DomainDef *def, int id, guint flags)
{
    XmlWriter *out = xml_writer_new();

    domain_xml_write(def, out, "domain", id, flags);
    return xml_writer_finish(out);
}
