#include "driver/domain-brief.h"

#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/store.h"

#include <string.h>

DomainBrief *
domain_brief_new(const char *uuid, const char *name, const DomainFigures *figures)
{
    gsize size = strlen(name) + 1;
    DomainBrief *brief = g_malloc(sizeof(*brief) + size);

    brief->figures = *figures;
    g_strlcpy(brief->uuid, uuid, sizeof(brief->uuid));
    memcpy(brief->name, name, size);
    return brief;
}

DomainFigures
domain_def_figures(const DomainDef *def)
{
    return (DomainFigures){ def->memory_kib, def->current_memory_kib, def->vcpus,
                            def->current_vcpus, domain_os_has_nvram(&def->os) };
}

DomainBrief *
domain_brief_of(const DomainDef *def)
{
    DomainFigures figures = domain_def_figures(def);

    return domain_brief_new(def->uuid, def->name, &figures);
}

/* The file must still say whose it is: nobody else may write there, but somebody could. */
DomainDef *
domain_brief_read(const DomainBrief *brief, const char *config_dir, GError **error)
{
    g_autofree char *xml = store_read(config_dir, brief->uuid, error);
    g_autoptr(GError) reason = NULL;
    g_autoptr(DomainDef) def = xml ? domain_xml_parse(xml, &reason) : NULL;
    g_autofree char *path = NULL;

    if (!xml)
        return NULL;
    if (def && strcmp(def->uuid, brief->uuid) == 0 && strcmp(def->name, brief->name) == 0)
        return g_steal_pointer(&def);
    path = store_path(config_dir, brief->uuid);
    driver_error(error, VIR_ERR_OPERATION_FAILED,
                 "the definition of domain '%s' is damaged: %s; mend '%s', move it away, or define "
                 "the domain anew",
                 brief->name, reason ? reason->message : "it is another's", path);
    return NULL;
}

DomainDef *
domain_brief_stand_in(const DomainBrief *brief)
{
    DomainDef *def = domain_def_new();

    def->name = g_strdup(brief->name);
    g_strlcpy(def->uuid, brief->uuid, sizeof(def->uuid));
    def->memory_kib = brief->figures.memory_kib;
    def->current_memory_kib = brief->figures.current_memory_kib;
    def->vcpus = brief->figures.vcpus;
    def->current_vcpus = brief->figures.current_vcpus;
    return def;
}
