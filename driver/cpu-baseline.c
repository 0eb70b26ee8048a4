#include "driver/cpu-baseline.h"

#include "driver/cpu-archs.h"
#include "driver/cpu-decode.h"
#include "driver/domain-cpu.h"
#include "driver/error.h"
#include "driver/host-cpu.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <libvirt/libvirt.h>
#include <string.h>

/* A guest with them cannot be migrated. */
static const char *const unmovable[] = { "invtsc", "xsaves", NULL };

/* What a document says. */
typedef struct Described {
    char *arch, *model, *vendor; /* vendor is NULL: not said */
    GPtrArray *features;         /* names */
} Described;

static void
described_free(gpointer data)
{
    Described *cpu = data;

    g_free(cpu->arch);
    g_free(cpu->model);
    g_free(cpu->vendor);
    g_ptr_array_unref(cpu->features);
    g_free(cpu);
}

/* Reading. A host's CPU has what stands there, whatever policy goes with it. */

static gboolean
read_features(const XmlNode *root, GPtrArray *features, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (const XmlNode *child = xml_first(root); child; child = xml_next(child)) {
        char *name;

        if (xml_namespace(child) || strcmp(xml_name(child), "feature") != 0)
            continue;
        name = xml_attr(child, "name");
        g_ptr_array_add(features, name);
        if (!name || !*name)
            return driver_error(error, VIR_ERR_XML_ERROR, "Invalid CPU feature name");
        if (!g_hash_table_add(seen, name))
            return driver_error(error, VIR_ERR_XML_ERROR,
                                "CPU feature '%s' specified more than once", name);
    }
    return TRUE;
}

static gboolean
read_cpu(const char *xml, Described *cpu, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, "(CPU_definition)", NULL, error);
    const XmlNode *root = doc ? xml_doc_root(doc) : NULL;

    if (!doc)
        return FALSE;
    if (strcmp(xml_name(root), "cpu") != 0)
        return driver_error(error, VIR_ERR_XML_ERROR, "XML does not contain expected 'cpu' element");
    if (xml_has_attr(root, "mode"))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Attribute mode is only allowed for guest CPU");
    cpu->arch = xml_child_text(root, "arch");
    cpu->model = xml_child_text(root, "model");
    cpu->vendor = xml_child_text(root, "vendor");
    if (!cpu->arch)
        return driver_error(error, VIR_ERR_XML_ERROR, "Missing CPU architecture");
    if (!cpu_arch_is_known(cpu->arch))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "Unknown architecture %s", cpu->arch);
    if (!cpu->model)
        return driver_error(error, VIR_ERR_XML_ERROR, "Missing CPU model name");
    return read_features(root, cpu->features, error);
}

static GPtrArray *
read_all(const char *const *documents, GError **error)
{
    g_autoptr(GPtrArray) cpus = g_ptr_array_new_with_free_func(described_free);

    for (; *documents; documents++) {
        Described *cpu = g_new0(Described, 1);

        cpu->features = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(cpus, cpu);
        if (!read_cpu(*documents, cpu, error))
            return NULL;
    }
    if (cpus->len == 0) {
        driver_error(error, VIR_ERR_INVALID_ARG, "no CPUs given");
        return NULL;
    }
    return g_steal_pointer(&cpus);
}

/* Joining */

/* What they have in common. */
typedef struct Common {
    CpuBits bits;
    const char *vendor; /* of them all; NULL: of any */
    gboolean named;     /* each document says it */
    const char *model;  /* of them all, NULL: they differ */
} Common;

static gboolean
bits_of(const Described *cpu, CpuBits *ret, GError **error)
{
    const CpuModel *model = cpu_model_find(cpu->model);

    if (!model)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Unknown CPU model %s", cpu->model);
    cpu_model_bits(model, ret);
    for (guint i = 0; i < cpu->features->len; i++) {
        const char *name = cpu->features->pdata[i];

        if (!cpu_bits_add_name(ret, name))
            return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Unknown CPU feature %s", name);
    }
    return TRUE;
}

static gboolean
take_vendor(Common *common, const char *vendor, GError **error)
{
    if (!vendor)
        return TRUE;
    if (common->vendor)
        return strcmp(common->vendor, vendor) == 0 ||
               driver_error(error, VIR_ERR_OPERATION_FAILED, "CPU vendors do not match");
    common->vendor = vendor;
    return host_cpu_vendor_known(vendor) ||
           driver_error(error, VIR_ERR_OPERATION_FAILED, "Unknown CPU vendor %s", vendor);
}

static gboolean
begin(const Described *first, Common *ret, GError **error)
{
    *ret = (Common){ .named = first->vendor != NULL, .model = first->model };
    return bits_of(first, &ret->bits, error) && take_vendor(ret, first->vendor, error);
}

static gboolean
join(Common *common, const Described *cpu, GError **error)
{
    const char *of_model;
    CpuBits bits;

    if (!bits_of(cpu, &bits, error))
        return FALSE;
    of_model = cpu_model_find(cpu->model)->vendor;
    if (cpu->vendor && of_model && strcmp(cpu->vendor, of_model) != 0)
        return driver_error(error, VIR_ERR_OPERATION_FAILED,
                            "CPU vendor %s of model %s differs from vendor %s", of_model, cpu->model,
                            cpu->vendor);
    common->named &= cpu->vendor != NULL;
    if (common->model && strcmp(common->model, cpu->model) != 0)
        common->model = NULL;
    cpu_bits_keep(&common->bits, &bits);
    return take_vendor(common, cpu->vendor ? cpu->vendor : of_model, error);
}

static gboolean
join_all(const GPtrArray *cpus, Common *ret, GError **error)
{
    const Described *first = cpus->pdata[0];

    if (!cpu_arch_is_ours(first->arch))
        return driver_error(error, VIR_ERR_NO_SUPPORT,
                            "'%s' architecture is not supported by CPU driver", first->arch);
    if (!begin(first, ret, error))
        return FALSE;
    for (guint i = 1; i < cpus->len; i++) {
        if (!join(ret, cpus->pdata[i], error))
            return FALSE;
    }
    return !cpu_bits_empty(&ret->bits) ||
           driver_error(error, VIR_ERR_OPERATION_FAILED, "CPUs are incompatible");
}

/* Describing */

static gboolean
may_be(const CpuModel *model, const Common *common)
{
    return !(model->flags & CPU_NOT_GUEST) &&
           (!model->vendor || !common->vendor || strcmp(model->vendor, common->vendor) == 0);
}

/* The model that all of them are said to be goes before one that describes them better. */
static const CpuModel *
choose_model(const Common *common)
{
    const CpuModel *model = common->model ? cpu_model_find(common->model) : NULL;

    if (model && may_be(model, common))
        return model;
    return cpu_decode(&common->bits, common->vendor, NULL, CPU_NOT_GUEST | CPU_OURS);
}

/* The features beside the model's, and those that the guest does without. */
typedef struct Details {
    CpuBits more, less;
} Details;

static Details
details_of(const Common *common, const CpuModel *model, guint flags)
{
    Details details = { .more = common->bits };

    cpu_model_bits(model, &details.less);
    cpu_bits_remove(&details.more, &details.less);
    cpu_bits_remove(&details.less, &common->bits);
    for (int i = 0; flags & VIR_CONNECT_BASELINE_CPU_MIGRATABLE && unmovable[i]; i++) {
        CpuBits one = { { 0 } };

        cpu_bits_add_name(&one, unmovable[i]);
        cpu_bits_remove(&details.more, &one);
    }
    return details;
}

static void
put_features(DomainCpu *cpu, GPtrArray *names, DomainCpuPolicy policy)
{
    for (guint i = 0; i < names->len; i++)
        domain_cpu_set_feature(cpu, names->pdata[i], policy);
    g_ptr_array_unref(names);
}

/* What an earlier libvirt gives its guests with the model, it is told not to. */
static void
put_details(DomainCpu *cpu, const CpuModel *model, const Details *details)
{
    put_features(cpu, cpu_bits_list(&details->more), DOMAIN_CPU_REQUIRE);
    put_features(cpu, cpu_bits_list(&details->less), DOMAIN_CPU_DISABLE);
    if (model->removed && !domain_cpu_has_feature(cpu, model->removed))
        domain_cpu_set_feature(cpu, model->removed, DOMAIN_CPU_DISABLE);
}

/* The same, with the model's. */
static void
put_all(DomainCpu *cpu, const CpuModel *model, const Details *details)
{
    g_autoptr(GPtrArray) names = NULL;
    CpuBits all, has;

    cpu_model_bits(model, &has);
    cpu_bits_remove(&has, &details->less);
    cpu_bits_add(&has, &details->more);
    all = has;
    cpu_bits_add(&all, &details->less);
    if (model->removed)
        cpu_bits_add_name(&all, model->removed);
    names = cpu_bits_sorted(&all);
    for (guint i = 0; i < names->len; i++)
        domain_cpu_set_feature(cpu, names->pdata[i],
                               cpu_bits_have(&has, names->pdata[i]) ? DOMAIN_CPU_REQUIRE
                                                                    : DOMAIN_CPU_DISABLE);
}

static char *
describe(const Common *common, const CpuModel *model, guint flags)
{
    XmlWriter *out = xml_writer_new();
    Details details = details_of(common, model, flags);
    DomainCpu cpu;

    domain_cpu_init(&cpu);
    cpu.present = TRUE;
    cpu.match = DOMAIN_CPU_EXACT;
    cpu.model = g_strdup(model->name);
    cpu.may_differ = g_strcmp0(common->model, model->name) != 0;
    cpu.vendor = common->named ? g_strdup(common->vendor) : NULL;
    if (flags & VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES)
        put_all(&cpu, model, &details);
    else
        put_details(&cpu, model, &details);
    domain_cpu_format(&cpu, out);
    domain_cpu_clear(&cpu);
    return xml_writer_finish(out);
}

char *
cpu_baseline(const char *const *documents, guint flags, GError **error)
{
    g_autoptr(GPtrArray) cpus = read_all(documents, error);
    const CpuModel *model;
    Common common;

    if (!cpus || !join_all(cpus, &common, error))
        return NULL;
    model = choose_model(&common);
    if (!model) {
        driver_error(error, VIR_ERR_INTERNAL_ERROR, "Cannot find suitable CPU model for given data");
        return NULL;
    }
    return describe(&common, model, flags);
}
