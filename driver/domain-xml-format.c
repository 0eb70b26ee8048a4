/* The half of domain-xml that writes. */
#include "driver/domain-xml.h"

#include "driver/domain-xml-os.h"
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
put_number(XmlWriter *out, guint64 number)
{
    char text[24];

    g_snprintf(text, sizeof(text), "%" G_GUINT64_FORMAT, number);
    xml_put_text(out, text);
}

static void
format_size(XmlWriter *out, const char *name, guint64 kib)
{
    xml_open(out, name);
    xml_put_attr(out, "unit", "KiB");
    put_number(out, kib);
    xml_close(out);
}

static void
format_vcpu(const DomainDef *def, XmlWriter *out)
{
    xml_open(out, "vcpu");
    xml_put_attr(out, "placement", "static");
    if (def->current_vcpus != def->vcpus)
        xml_put_attr_uint(out, "current", def->current_vcpus);
    put_number(out, def->vcpus);
    xml_close(out);
}

static gboolean
has_features(const DomainDef *def)
{
    for (int i = 0; i < DOMAIN_N_FEATURES; i++) {
        if (def->features[i])
            return TRUE;
    }
    return FALSE;
}

static void
format_features(const DomainDef *def, XmlWriter *out)
{
    if (!has_features(def))
        return;
    xml_open(out, "features");
    for (int i = 0; i < DOMAIN_N_FEATURES; i++) {
        if (!def->features[i])
            continue;
        xml_open(out, domain_feature_words[i]);
        if (i == DOMAIN_FEATURE_NO_VMPORT)
            xml_put_attr(out, "state", "off");
        xml_close(out);
    }
    xml_close(out);
}

static void
put_optional_attr(XmlWriter *out, const char *name, const char *value)
{
    if (value)
        xml_put_attr(out, name, value);
}

static void
format_cpu(const DomainCpu *cpu, XmlWriter *out)
{
    if (!cpu->present)
        return;
    xml_open(out, "cpu");
    if (cpu->mode == DOMAIN_CPU_HOST_PASSTHROUGH)
        xml_put_attr(out, "mode", "host-passthrough");
    put_optional_attr(out, "check", cpu->check);
    put_optional_attr(out, "migratable", cpu->migratable);
    if (cpu->sockets) {
        xml_open(out, "topology");
        xml_put_attr_uint(out, "sockets", cpu->sockets);
        xml_put_attr_uint(out, "dies", cpu->dies);
        xml_put_attr_uint(out, "cores", cpu->cores);
        xml_put_attr_uint(out, "threads", cpu->threads);
        xml_close(out);
    }
    xml_close(out);
}

static void
format_clock(const DomainClock *clock, XmlWriter *out)
{
    xml_open(out, "clock");
    xml_put_attr(out, "offset", domain_clock_words[clock->offset]);
    for (guint i = 0; i < clock->timers->len; i++) {
        const DomainTimer *timer = g_ptr_array_index(clock->timers, i);

        xml_open(out, "timer");
        xml_put_attr(out, "name", timer->name);
        if (timer->present >= 0)
            xml_put_attr(out, "present", timer->present ? "yes" : "no");
        put_optional_attr(out, "tickpolicy", timer->tickpolicy);
        put_optional_attr(out, "track", timer->track);
        xml_close(out);
    }
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
format_suspend(XmlWriter *out, const char *name, gboolean no)
{
    if (!no)
        return;
    xml_open(out, name);
    xml_put_attr(out, "enabled", "no");
    xml_close(out);
}

static void
format_pm(const DomainDef *def, XmlWriter *out)
{
    if (!def->no_suspend_to_mem && !def->no_suspend_to_disk)
        return;
    xml_open(out, "pm");
    format_suspend(out, "suspend-to-mem", def->no_suspend_to_mem);
    format_suspend(out, "suspend-to-disk", def->no_suspend_to_disk);
    xml_close(out);
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
char *
domain_xml_format(const DomainDef *def, int id, guint flags)
{
    XmlWriter *out = xml_writer_new();

    xml_open(out, "domain");
    xml_put_attr(out, "type", "kvm");
    if (id >= 0)
        xml_put_attr_uint(out, "id", id);
    format_identity(def, out);
    format_size(out, "memory", def->memory_kib);
    format_size(out, "currentMemory", def->current_memory_kib);
    format_vcpu(def, out);
    domain_xml_format_os(&def->os, out);
    format_features(def, out);
    format_cpu(&def->cpu, out);
    format_clock(&def->clock, out);
    format_actions(def, out);
    format_pm(def, out);
    format_devices(def, out, flags);
    format_seclabel(def, out);
    xml_close(out);
    return xml_writer_finish(out);
}
