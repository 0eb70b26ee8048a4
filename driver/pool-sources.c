#include "driver/pool-sources.h"

#include "driver/error.h"
#include "driver/xml-host-pool.h"
#include "driver/xml-read.h"

#include <string.h>

static const char volume_groups[] = "<sources>\n"
                                    "  <source>\n"
                                    "    <device path='/dev/sda20'/>\n"
                                    "    <name>testvg1</name>\n"
                                    "    <format type='lvm2'/>\n"
                                    "  </source>\n"
                                    "  <source>\n"
                                    "    <device path='/dev/sda21'/>\n"
                                    "    <name>testvg2</name>\n"
                                    "    <format type='lvm2'/>\n"
                                    "  </source>\n"
                                    "</sources>\n";

static char *
shares_of(const char *host, GError **error)
{
    if (host)
        return g_markup_printf_escaped("<sources>\n"
                                       "  <source>\n"
                                       "    <host name='%s'/>\n"
                                       "    <dir path='/testshare'/>\n"
                                       "    <format type='nfs'/>\n"
                                       "  </source>\n"
                                       "</sources>\n",
                                       host);
    driver_error(error, VIR_ERR_INVALID_ARG, "hostname must be specified for netfs sources");
    return NULL;
}

/* @ret_host: of the first one in the document; NULL: there is none. */
static gboolean
read_host(const char *type, const char *spec, char **ret_host, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(spec, "(storage_source_specification)", "source", error);
    const XmlNode *source = doc ? xml_doc_root(doc) : NULL, *host;

    if (!source || !xml_host_pool_check_source(source, type, error))
        return FALSE;
    host = xml_child(source, "host");
    *ret_host = host ? xml_attr(host, "name") : NULL;
    return TRUE;
}

char *
pool_sources_find(const char *type, const char *spec, GError **error)
{
    g_autofree char *host = NULL;

    if (strcmp(type, "dir") == 0) { /* the first of libvirt's types, which it takes for none */
        driver_error(error, VIR_ERR_INTERNAL_ERROR, "unknown storage pool type %s", type);
        return NULL;
    }
    if (*spec && !read_host(type, spec, &host, error))
        return NULL;
    if (strcmp(type, "logical") == 0)
        return g_strdup(volume_groups);
    if (strcmp(type, "netfs") == 0)
        return shares_of(host, error);
    driver_error(error, VIR_ERR_NO_SUPPORT, "pool type '%s' does not support source discovery", type);
    return NULL;
}
