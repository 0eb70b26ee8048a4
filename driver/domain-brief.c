#include "driver/domain-brief.h"

#include "driver/device-disk.h"
#include "driver/disk.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/store.h"

#include <string.h>

/* The words are "TITLE" and for each disk " TARGET FORMAT SOURCE", escaped as in an URI, and empty where there is none. */
#define DISK_WORDS 3

static void
put_word(GString *words, const char *text)
{
    g_string_append_uri_escaped(words, text ? text : "", "/", TRUE);
}

static char *
words_of(const DomainDef *def)
{
    GString *words = g_string_new(NULL);

    put_word(words, def->title);
    for (guint i = 0; i < def->devices->len; i++) {
        const Disk *disk = g_ptr_array_index(def->devices, i);

        if (disk->dev.kind != &device_disk)
            continue;
        g_string_append_c(words, ' ');
        put_word(words, disk->target);
        g_string_append_printf(words, " %s ", image_format_word(disk->format));
        put_word(words, disk->source);
    }
    return g_string_free(words, FALSE);
}

/* Unescapes @word in place; NULL where it is not what put_word() writes. */
static const char *
read_word(char *word)
{
    g_autofree char *text = g_uri_unescape_string(word, NULL);

    return text ? strcpy(word, text) : NULL;
}

char *
domain_brief_title(const DomainBrief *brief)
{
    char *title = g_strndup(brief->words, strcspn(brief->words, " "));

    return read_word(title) ? title : strcpy(title, "");
}

guint
domain_brief_count_disks(const DomainBrief *brief)
{
    guint n = 0;

    for (const char *at = brief->words; (at = strchr(at, ' ')); at++)
        n++;
    return n / DISK_WORDS;
}

void
domain_brief_visit_disks(const DomainBrief *brief, DomainBriefDisk visit, gpointer data)
{
    guint n = domain_brief_count_disks(brief);
    g_auto(GStrv) words = g_strsplit(brief->words, " ", -1);

    for (char **disk = words + 1; n > 0; n--, disk += DISK_WORDS) {
        const char *target = read_word(disk[0]), *source = read_word(disk[2]);

        if (target && source)
            visit(data, target, *source ? source : NULL, image_format_from_word(disk[1]));
    }
}

DomainBrief *
domain_brief_new(const char *uuid, const char *name, const char *words,
                 const DomainFigures *figures)
{
    gsize name_size = strlen(name) + 1, words_size = strlen(words) + 1;
    DomainBrief *brief = g_malloc(sizeof(*brief) + name_size + words_size);

    brief->figures = *figures;
    g_strlcpy(brief->uuid, uuid, sizeof(brief->uuid));
    memcpy(brief->name, name, name_size);
    brief->words = memcpy(brief->name + name_size, words, words_size);
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
    g_autofree char *words = words_of(def);

    return domain_brief_new(def->uuid, def->name, words, &figures);
}

/* The file must still say whose it is: nobody else may write there, but somebody could. */
DomainDef *
domain_brief_read(const DomainBrief *brief, const char *config_dir, GError **error)
{
    g_autofree char *xml = store_read(config_dir, brief->uuid, error);
    g_autoptr(GError) reason = NULL;
    g_autoptr(DomainDef) def = xml ? domain_xml_parse_stored(xml, &reason) : NULL;
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
