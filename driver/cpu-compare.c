#include "driver/cpu-compare.h"

#include "driver/error.h"
#include "driver/xml-read.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define ARCH "x86_64"

static const char *const policies[] = { "force", "require", "optional", "disable", "forbid", NULL };
enum { FORCE, REQUIRE, OPTIONAL, DISABLE, FORBID };

/* What the document asks for. */
typedef struct Wanted {
    char *arch, *vendor; /* NULL: any */
    CpuBits bits, forbidden;
    gboolean strict; /* and nothing more */
} Wanted;

static void
wanted_clear(Wanted *wanted)
{
    g_free(wanted->arch);
    g_free(wanted->vendor);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wanted, wanted_clear)

static gboolean
read_model(const XmlNode *cpu, Wanted *ret, GError **error)
{
    g_autofree char *name = xml_child_text(cpu, "model");
    const CpuModel *model = name ? cpu_model_find(name) : NULL;

    if (!name)
        return driver_error(error, VIR_ERR_XML_ERROR, "Missing CPU model name");
    if (!model)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Unknown CPU model %s", name);
    cpu_model_bits(model, &ret->bits);
    return TRUE;
}

static gboolean
read_feature(const XmlNode *feature, Wanted *ret, GError **error)
{
    g_autofree char *name = xml_attr(feature, "name");
    CpuBits one = { 0 };
    int policy = REQUIRE;

    if (!xml_attr_word(feature, "policy", XML_OPTIONAL, policies, &policy, error))
        return FALSE;
    if (!name || !*name)
        return driver_error(error, VIR_ERR_XML_ERROR, "Invalid CPU feature name");
    if (!cpu_bits_add_name(&one, name))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Unknown CPU feature %s", name);
    if (policy == REQUIRE)
        cpu_bits_add(&ret->bits, &one);
    else
        cpu_bits_remove(&ret->bits, &one); /* the host need not have it */
    if (policy == FORBID)
        cpu_bits_add(&ret->forbidden, &one);
    return TRUE;
}

static gboolean
read_wanted(const char *xml, Wanted *ret, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, "(CPU_definition)", NULL, error);
    const XmlNode *cpu = doc ? xml_doc_root(doc) : NULL;
    g_autofree char *match = cpu ? xml_attr(cpu, "match") : NULL;

    if (cpu && strcmp(xml_name(cpu), "cpu") != 0)
        return driver_error(error, VIR_ERR_XML_ERROR, "XML does not contain expected 'cpu' element");
    if (!cpu || !read_model(cpu, ret, error))
        return FALSE;
    ret->arch = xml_child_text(cpu, "arch");
    ret->vendor = xml_child_text(cpu, "vendor");
    ret->strict = g_strcmp0(match, "strict") == 0;
    for (const XmlNode *child = xml_first(cpu); child; child = xml_next(child)) {
        if (!xml_namespace(child) && strcmp(xml_name(child), "feature") == 0 &&
            !read_feature(child, ret, error))
            return FALSE;
    }
    return TRUE;
}

static int
incompatible(gboolean must, const char *what, const char *detail, GError **error)
{
    if (!must)
        return VIR_CPU_COMPARE_INCOMPATIBLE;
    driver_error(error, VIR_ERR_CPU_INCOMPATIBLE, "%s%s", what, detail);
    return VIR_CPU_COMPARE_ERROR;
}

static CpuBits
without(const CpuBits *from, const CpuBits *less)
{
    CpuBits rest = *from;

    cpu_bits_remove(&rest, less);
    return rest;
}

int
cpu_compare(const HostCpu *host, const char *xml, gboolean must, GError **error)
{
    g_auto(Wanted) wanted = { 0 };
    const char *vendor = host_cpu_vendor(host->vendor_id);
    CpuBits missing, more, present;
    g_autofree char *names = NULL;

    if (!read_wanted(xml, &wanted, error))
        return VIR_CPU_COMPARE_ERROR;
    if (wanted.arch && strcmp(wanted.arch, ARCH) != 0)
        return incompatible(must, "CPU arch does not match the host's: ", wanted.arch, error);
    if (wanted.vendor && g_strcmp0(wanted.vendor, vendor) != 0)
        return incompatible(must, "host CPU vendor does not match required CPU vendor ",
                            wanted.vendor, error);
    missing = without(&wanted.bits, &host->own);
    names = cpu_bits_names(&missing, ",");
    if (cpu_bits_count(&missing) > 0)
        return incompatible(must, "Host CPU does not provide required features: ", names, error);
    present = wanted.forbidden;
    cpu_bits_keep(&present, &host->own);
    g_free(names);
    names = cpu_bits_names(&present, ",");
    if (cpu_bits_count(&present) > 0)
        return incompatible(must, "Host CPU provides forbidden features: ", names, error);
    more = without(&host->own, &wanted.bits);
    if (cpu_bits_count(&more) == 0)
        return VIR_CPU_COMPARE_IDENTICAL;
    if (wanted.strict)
        return incompatible(must, "Host CPU does not strictly match guest CPU: ", "it has more features",
                            error);
    return VIR_CPU_COMPARE_SUPERSET;
}
