#include "driver/restore-source.h"

#include "driver/domain-xml-abi.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/save-image.h"
#include "driver/test-image.h"

#include <unistd.h>

void
restore_source_clear(RestoreSource *source)
{
    g_clear_pointer(&source->def, domain_def_free);
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
}

static gboolean
runs_after(gboolean running, guint flags)
{
    return flags & VIR_DOMAIN_SAVE_RUNNING || (running && !(flags & VIR_DOMAIN_SAVE_PAUSED));
}

/* A file may have been put in the place of the one that somebody was asked about. */
static gboolean
check_whose(const SavedImage *image, const DomainDef *def, GError **error)
{
    const DomainIdentity *whose = image->whose;

    return !whose || (g_strcmp0(def->name, whose->name) == 0 && g_strcmp0(def->uuid, whose->uuid) == 0) ||
           driver_error(error, VIR_ERR_OPERATION_FAILED, "'%s' has become another domain's image meanwhile",
                        image->path);
}

/* The definition that a file is of, which says @own; in a live form, for its aliases. */
static DomainDef *
def_of(const SavedImage *image, const char *own, const char *xml, GError **error)
{
    g_autoptr(DomainDef) def = domain_xml_parse_live(own, NULL, error);
    g_autoptr(DomainDef) other = NULL;

    if (!def || !check_whose(image, def, error))
        return NULL;
    if (!xml)
        return g_steal_pointer(&def);
    other = domain_xml_parse(xml, error);
    if (!other || !domain_xml_carry_over(def, other, error))
        return NULL;
    return g_steal_pointer(&other);
}

static gboolean
open_real(const SavedImage *image, const char *xml, guint flags, RestoreSource *source,
          gboolean *ret_torn, GError **error)
{
    g_auto(SaveImage) file = { 0 };

    source->fd = save_image_open(image->path, &file, ret_torn, error);
    if (source->fd < 0)
        return FALSE;
    source->def = def_of(image, file.xml, xml, error);
    source->running = runs_after(file.running, flags);
    return source->def != NULL;
}

/* Its guest always runs. */
static gboolean
open_simulated(const SavedImage *image, RestoreSource *source, GError **error)
{
    g_autofree char *xml = NULL;

    source->fd = test_image_open(image->path, &xml, error);
    if (source->fd < 0)
        return FALSE;
    source->def = domain_xml_parse(xml, error);
    source->running = TRUE;
    return source->def && check_whose(image, source->def, error);
}

gboolean
restore_source_open(const DriverEnv *env, const SavedImage *image, const char *xml, guint flags,
                    RestoreSource *ret, gboolean *ret_torn, GError **error)
{
    g_auto(RestoreSource) source = { .fd = -1 };

    if (env->simulated ? !open_simulated(image, &source, error)
                       : !open_real(image, xml, flags, &source, ret_torn, error))
        return FALSE;
    *ret = source;
    source = (RestoreSource){ .fd = -1 };
    return TRUE;
}

gboolean
restore_source_check_xml(const DriverEnv *env, const char *xml, GError **error)
{
    return !xml || !env->simulated ||
           driver_error(error, VIR_ERR_ARGUMENT_UNSUPPORTED, "xml modification unsupported");
}

char *
restore_image_xml(const DriverEnv *env, const SavedImage *image, guint flags, GError **error)
{
    g_auto(RestoreSource) source = { .fd = -1 };

    if (!driver_check_flags(flags, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE, "virDomainSaveImageGetXMLDesc",
                            error) ||
        !restore_source_open(env, image, NULL, 0, &source, NULL, error))
        return NULL;
    return domain_xml_format(source.def, -1,
                             flags & VIR_DOMAIN_SAVE_IMAGE_XML_SECURE ? DOMAIN_FORMAT_SECURE : 0);
}

static gboolean
rewrite_real(const char *path, const RestoreSource *source, GError **error)
{
    g_autofree char *text =
        domain_xml_format(source->def, 1, DOMAIN_FORMAT_LIVE | DOMAIN_FORMAT_SECURE);

    return save_image_rewrite(path, text, source->running, error);
}

/* Nothing of the old document is kept, for there is no machine that it is of. */
static gboolean
rewrite_simulated(const char *path, const char *xml, GError **error)
{
    g_autoptr(DomainDef) def = domain_xml_parse(xml, error);
    g_autofree char *text = def ? domain_xml_format(def, -1, DOMAIN_FORMAT_SECURE) : NULL;

    return text && test_image_write(path, def->name, text, error);
}

gboolean
restore_image_define(const DriverEnv *env, const SavedImage *image, const char *xml, guint flags,
                     GError **error)
{
    const guint known = VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED;
    g_auto(RestoreSource) source = { .fd = -1 };

    return driver_check_save_flags(flags, error) &&
           driver_check_flags(flags, known, "virDomainSaveImageDefineXML", error) &&
           restore_source_open(env, image, xml, flags, &source, NULL, error) &&
           (env->simulated ? rewrite_simulated(image->path, xml, error)
                           : rewrite_real(image->path, &source, error));
}
