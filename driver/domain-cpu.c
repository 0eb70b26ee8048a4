#include "driver/domain-cpu.h"

#include "driver/cpu-models.h"
#include "driver/error.h"
#include "driver/host-cpu.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <string.h>

#define VENDOR_ID_LENGTH 12
#define ADDRESS_BITS_MIN 32
#define ADDRESS_BITS_MAX 64

static const char *const modes[] = { "custom", "host-model", "host-passthrough", "maximum", NULL };
static const char *const matches[] = { "minimum", "exact", "strict", NULL };
static const char *const checks[] = { "none", "partial", "full", NULL };
static const char *const switches[] = { "off", "on", NULL };
static const char *const fallbacks[] = { "forbid", "allow", NULL };
static const char *const policies[] = { "force", "require", "optional", "disable", "forbid", NULL };
static const char *const cache_modes[] = { "emulate", "passthrough", "disable", NULL };
static const char *const address_modes[] = { "emulate", "passthrough", NULL };

static void
feature_free(gpointer data)
{
    DomainCpuFeature *feature = data;

    g_free(feature->name);
    g_free(feature);
}

void
domain_cpu_init(DomainCpu *cpu)
{
    memset(cpu, 0, sizeof(*cpu));
    cpu->match = cpu->check = cpu->migratable = cpu->cache = cpu->cache_level = -1;
    cpu->address_mode = -1;
    cpu->may_differ = TRUE;
    cpu->features = g_ptr_array_new_with_free_func(feature_free);
}

void
domain_cpu_clear(DomainCpu *cpu)
{
    g_free(cpu->model);
    g_free(cpu->vendor_id);
    g_free(cpu->vendor);
    g_ptr_array_unref(cpu->features);
}

gboolean
domain_cpu_has_feature(const DomainCpu *cpu, const char *name)
{
    for (guint i = 0; i < cpu->features->len; i++) {
        const DomainCpuFeature *feature = cpu->features->pdata[i];

        if (strcmp(feature->name, name) == 0)
            return TRUE;
    }
    return FALSE;
}

void
domain_cpu_set_feature(DomainCpu *cpu, const char *name, DomainCpuPolicy policy)
{
    DomainCpuFeature *feature = g_new0(DomainCpuFeature, 1);

    feature->name = g_strdup(name);
    feature->policy = policy;
    g_ptr_array_add(cpu->features, feature);
}

void
domain_cpu_own(DomainCpu *cpu)
{
    const GPtrArray *others = cpu->features;

    cpu->model = g_strdup(cpu->model);
    cpu->vendor_id = g_strdup(cpu->vendor_id);
    cpu->vendor = g_strdup(cpu->vendor);
    cpu->features = g_ptr_array_new_with_free_func(feature_free);
    for (guint i = 0; i < others->len; i++) {
        const DomainCpuFeature *feature = others->pdata[i];

        domain_cpu_set_feature(cpu, feature->name, feature->policy);
    }
}

gboolean
domain_cpu_is_model(const DomainCpu *cpu)
{
    return cpu->mode == DOMAIN_CPU_HOST_MODEL || (cpu->mode == DOMAIN_CPU_CUSTOM && cpu->model);
}

/* Parsing. The texts are libvirt's. */

static gboolean
parse_head(DomainCpu *cpu, const XmlNode *node, GError **error)
{
    g_autofree char *mode = xml_attr(node, "mode");
    int i = DOMAIN_CPU_CUSTOM;

    if (mode) {
        for (i = 0; modes[i] && strcmp(modes[i], mode) != 0; i++)
            continue;
    }
    if (!modes[i])
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "Invalid mode attribute '%s'", mode);
    cpu->mode = i;
    if (!xml_attr_word(node, "match", XML_OPTIONAL, matches, &cpu->match, error) ||
        !xml_attr_word(node, "check", XML_OPTIONAL, checks, &cpu->check, error) ||
        !xml_attr_word(node, "migratable", XML_OPTIONAL, switches, &cpu->migratable, error))
        return FALSE;
    if (cpu->migratable >= 0 && cpu->mode < DOMAIN_CPU_HOST_PASSTHROUGH)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Attribute migratable is only allowed for 'host-passthrough' / "
                            "'maximum' CPU mode");
    return TRUE;
}

static gboolean
parse_vendor_id(DomainCpu *cpu, const XmlNode *model, GError **error)
{
    cpu->vendor_id = xml_attr(model, "vendor_id");
    if (!cpu->vendor_id)
        return TRUE;
    if (strlen(cpu->vendor_id) != VENDOR_ID_LENGTH)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "vendor_id must be exactly %d characters long", VENDOR_ID_LENGTH);
    if (strchr(cpu->vendor_id, ','))
        return driver_error(error, VIR_ERR_XML_ERROR, "vendor id is invalid");
    return TRUE;
}

static gboolean
parse_model(DomainCpu *cpu, const XmlNode *node, GError **error)
{
    const XmlNode *model = xml_child(node, "model");
    int fallback = -1;

    cpu->model = xml_child_text(node, "model");
    cpu->vendor = xml_child_text(node, "vendor");
    if (cpu->model && cpu->match < 0)
        cpu->match = DOMAIN_CPU_EXACT;
    if (cpu->model && !xml_attr_word(model, "fallback", XML_OPTIONAL, fallbacks, &fallback, NULL))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "Invalid fallback attribute");
    /* The others are the host's own, and libvirt does not read a model of theirs. */
    if (model && (cpu->model || cpu->mode == DOMAIN_CPU_HOST_MODEL) &&
        !parse_vendor_id(cpu, model, error))
        return FALSE;
    cpu->may_differ = fallback != 0;
    if (cpu->vendor && !cpu->model)
        return driver_error(error, VIR_ERR_XML_ERROR, "CPU vendor specified without CPU model");
    return TRUE;
}

static gboolean
parse_topology(DomainCpu *cpu, const XmlNode *node, GError **error)
{
    const XmlNode *topology = xml_child(node, "topology");
    const XmlNeed always = XML_REQUIRED | XML_NONZERO;

    if (!topology)
        return TRUE;
    cpu->dies = 1;
    return xml_attr_uint(topology, "sockets", always, &cpu->sockets, error) &&
           xml_attr_uint(topology, "dies", XML_NONZERO, &cpu->dies, error) &&
           xml_attr_uint(topology, "cores", always, &cpu->cores, error) &&
           xml_attr_uint(topology, "threads", always, &cpu->threads, error);
}

static gboolean
parse_feature(DomainCpu *cpu, const XmlNode *node, GError **error)
{
    g_autofree char *name = xml_attr(node, "name");
    int policy = DOMAIN_CPU_REQUIRE;

    if (!xml_attr_word(node, "policy", XML_OPTIONAL, policies, &policy, NULL))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "Invalid CPU feature policy");
    if (!name || !*name)
        return driver_error(error, VIR_ERR_XML_ERROR, "Invalid CPU feature name");
    if (domain_cpu_has_feature(cpu, name))
        return driver_error(error, VIR_ERR_XML_ERROR, "CPU feature '%s' specified more than once",
                            name);
    domain_cpu_set_feature(cpu, name, policy);
    return TRUE;
}

static gboolean
parse_features(DomainCpu *cpu, const XmlNode *node, GError **error)
{
    if (xml_child(node, "feature") && !cpu->model && cpu->mode == DOMAIN_CPU_CUSTOM)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Non-empty feature list specified without CPU model");
    for (const XmlNode *child = xml_first(node); child; child = xml_next(child)) {
        if (!xml_namespace(child) && strcmp(xml_name(child), "feature") == 0 &&
            !parse_feature(cpu, child, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
parse_cache(DomainCpu *cpu, const XmlNode *node, GError **error)
{
    const XmlNode *cache = xml_child(node, "cache");
    g_autofree char *text = cache ? xml_attr(cache, "level") : NULL;
    guint level = 0;

    if (!cache)
        return TRUE;
    if (!xml_attr_uint(cache, "level", XML_OPTIONAL, &level, error) ||
        !xml_attr_word(cache, "mode", XML_REQUIRED, cache_modes, &cpu->cache, error))
        return FALSE;
    if (level > 3 || (text && level == 0))
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "invalid CPU cache level, must be in range [1,3]");
    cpu->cache_level = text ? (int)level : -1;
    return TRUE;
}

static gboolean
parse_addresses(DomainCpu *cpu, const XmlNode *node, GError **error)
{
    const XmlNode *addresses = xml_child(node, "maxphysaddr");

    return !addresses ||
           (xml_attr_word(addresses, "mode", XML_REQUIRED, address_modes, &cpu->address_mode,
                          error) &&
            xml_attr_uint(addresses, "bits", XML_OPTIONAL, &cpu->address_bits, error));
}

gboolean
domain_cpu_parse(DomainCpu *cpu, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "cpu");

    if (!node)
        return TRUE;
    if (!parse_head(cpu, node, error) || !parse_model(cpu, node, error) ||
        !parse_topology(cpu, node, error) || !parse_features(cpu, node, error) ||
        !parse_cache(cpu, node, error) || !parse_addresses(cpu, node, error))
        return FALSE;
    if (cpu->check >= 0 && cpu->mode == DOMAIN_CPU_CUSTOM && !cpu->model)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "check attribute specified for CPU with no model");
    cpu->present = cpu->mode != DOMAIN_CPU_CUSTOM || cpu->model || cpu->sockets ||
                   cpu->cache >= 0 || cpu->address_mode >= 0; /* an empty one is not written back */
    return TRUE;
}

/* Completing and checking */

void
domain_cpu_complete(DomainCpu *cpu)
{
    if (cpu->mode >= DOMAIN_CPU_HOST_PASSTHROUGH) {
        if (cpu->check < 0)
            cpu->check = DOMAIN_CPU_CHECK_NONE;
        if (cpu->migratable < 0)
            cpu->migratable = 1;
    } else if (domain_cpu_is_model(cpu) && cpu->check < 0) {
        cpu->check = DOMAIN_CPU_CHECK_PARTIAL;
    }
}

static gboolean
check_topology(const DomainCpu *cpu, guint vcpus, GError **error)
{
    const guint factors[] = { cpu->sockets, cpu->dies, cpu->cores, cpu->threads };
    guint64 product = 1;

    if (!cpu->sockets)
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(factors); i++) {
        product *= factors[i]; /* at most 2^32 times 2^32 */
        if (product > G_MAXUINT)
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                "cpu topology results in more than %u cpus", G_MAXUINT);
    }
    if (product != vcpus)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "CPU topology doesn't match maximum vcpu count");
    return TRUE;
}

/* libvirt asks for them when the guest starts; here it is known that they never will. */
static gboolean
check_names(const DomainCpu *cpu, GError **error)
{
    if (cpu->mode == DOMAIN_CPU_CUSTOM && cpu->model && !cpu_model_find(cpu->model))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "CPU model '%s' is not supported by this machine", cpu->model);
    for (guint i = 0; i < cpu->features->len; i++) {
        const DomainCpuFeature *feature = cpu->features->pdata[i];

        if (!cpu_feature_known(feature->name))
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                "CPU feature '%s' is not supported by this machine", feature->name);
    }
    return TRUE;
}

static gboolean
check_cache(const DomainCpu *cpu, GError **error)
{
    if (cpu->cache < 0)
        return TRUE;
    if (cpu->cache == DOMAIN_CPU_CACHE_EMULATE)
        return cpu->cache_level == 3 ||
               driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "CPU cache mode '%s' can only be used with level='3'",
                            cache_modes[cpu->cache]);
    if (cpu->cache_level >= 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "unsupported CPU cache level for mode '%s'", cache_modes[cpu->cache]);
    if (cpu->cache == DOMAIN_CPU_CACHE_PASSTHROUGH && cpu->mode < DOMAIN_CPU_HOST_PASSTHROUGH)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "CPU cache mode '%s' can only be used with '%s' / '%s' CPUs",
                            cache_modes[cpu->cache], modes[DOMAIN_CPU_HOST_PASSTHROUGH],
                            modes[DOMAIN_CPU_MAXIMUM]);
    return TRUE;
}

static gboolean
check_addresses(const DomainCpu *cpu, GError **error)
{
    if (cpu->address_mode == 1 && cpu->address_bits)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "CPU maximum physical address bits number specification cannot be used "
                            "with mode='%s'",
                            address_modes[1]);
    if (cpu->address_mode == 0 && !cpu->address_bits)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "if using CPU maximum physical address mode='%s', bits= must be "
                            "specified too",
                            address_modes[0]);
    if (cpu->address_mode == 0 &&
        (cpu->address_bits < ADDRESS_BITS_MIN || cpu->address_bits > ADDRESS_BITS_MAX))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "CPU maximum physical address bits number %u is not supported by this "
                            "machine, which has %d to %d",
                            cpu->address_bits, ADDRESS_BITS_MIN, ADDRESS_BITS_MAX);
    return TRUE;
}

gboolean
domain_cpu_check(const DomainCpu *cpu, guint vcpus, GError **error)
{
    return check_topology(cpu, vcpus, error) && check_names(cpu, error) &&
           check_cache(cpu, error) && check_addresses(cpu, error);
}

/* Formatting */

static void
put_word(struct XmlWriter *out, const char *name, const char *const *words, int i)
{
    if (i >= 0)
        xml_put_attr(out, name, words[i]);
}

static void
format_model(const DomainCpu *cpu, struct XmlWriter *out)
{
    if (!cpu->model && !cpu->vendor_id)
        return;
    xml_open(out, "model");
    if (cpu->model)
        xml_put_attr(out, "fallback", fallbacks[cpu->may_differ]);
    if (cpu->vendor_id)
        xml_put_attr(out, "vendor_id", cpu->vendor_id);
    if (cpu->model)
        xml_put_text(out, cpu->model);
    xml_close(out);
}

static void
format_topology(const DomainCpu *cpu, struct XmlWriter *out)
{
    if (!cpu->sockets)
        return;
    xml_open(out, "topology");
    xml_put_attr_uint(out, "sockets", cpu->sockets);
    xml_put_attr_uint(out, "dies", cpu->dies);
    xml_put_attr_uint(out, "cores", cpu->cores);
    xml_put_attr_uint(out, "threads", cpu->threads);
    xml_close(out);
}

static void
format_cache(const DomainCpu *cpu, struct XmlWriter *out)
{
    if (cpu->cache >= 0) {
        xml_open(out, "cache");
        if (cpu->cache_level >= 0)
            xml_put_attr_uint(out, "level", cpu->cache_level);
        put_word(out, "mode", cache_modes, cpu->cache);
        xml_close(out);
    }
    if (cpu->address_mode >= 0) {
        xml_open(out, "maxphysaddr");
        put_word(out, "mode", address_modes, cpu->address_mode);
        if (cpu->address_bits)
            xml_put_attr_uint(out, "bits", cpu->address_bits);
        xml_close(out);
    }
}

static void
format_features(const DomainCpu *cpu, struct XmlWriter *out)
{
    for (guint i = 0; i < cpu->features->len; i++) {
        const DomainCpuFeature *feature = cpu->features->pdata[i];

        xml_open(out, "feature");
        xml_put_attr(out, "policy", policies[feature->policy]);
        xml_put_attr(out, "name", feature->name);
        xml_close(out);
    }
}

void
domain_cpu_format(const DomainCpu *cpu, struct XmlWriter *out)
{
    if (!cpu->present)
        return;
    xml_open(out, "cpu");
    if (cpu->mode != DOMAIN_CPU_CUSTOM || cpu->model) {
        put_word(out, "mode", modes, cpu->mode);
        if (cpu->mode == DOMAIN_CPU_CUSTOM)
            put_word(out, "match", matches, cpu->match);
        put_word(out, "check", checks, cpu->check);
        put_word(out, "migratable", switches, cpu->migratable);
    }
    format_model(cpu, out);
    if (cpu->vendor)
        xml_put_element(out, "vendor", cpu->vendor);
    format_topology(cpu, out);
    format_cache(cpu, out);
    format_features(cpu, out);
    xml_close(out);
}
