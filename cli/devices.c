#include "cli/devices.h"

#include <string.h>

typedef struct Walk {
    const char *wanted, *xml;
    gsize at, tag; /* bytes seen; where the tag began that was last seen to begin */
    gsize start;   /* of the device's element */
    GString *path; /* below <domain>: "devices/disk/source" */
    DeviceEntry *entry;
    GPtrArray *found;
} Walk;

static void
entry_free(gpointer data)
{
    DeviceEntry *entry = data;

    g_free(entry->element);
    g_free(entry->type);
    g_free(entry->device);
    g_free(entry->source);
    g_free(entry->target);
    g_free(entry->mac);
    g_free(entry->model);
    g_free(entry->link);
    g_free(entry->xml);
    g_free(entry);
}

/* The first attribute of @wanted, names with blanks between, that is there. */
static char *
attribute(const char **names, const char **values, const char *wanted)
{
    g_auto(GStrv) words = g_strsplit(wanted, " ", -1);

    for (char **word = words; *word; word++) {
        for (gsize i = 0; names[i]; i++) {
            if (strcmp(names[i], *word) == 0)
                return g_strdup(values[i]);
        }
    }
    return NULL;
}

static void
take_part(DeviceEntry *entry, const char *part, const char **names, const char **values)
{
    const struct {
        const char *part, *attributes;
        char **to;
    } parts[] = {
        { "source", "file dev dir name bridge network volume path", &entry->source },
        { "target", "dev", &entry->target },
        { "mac", "address", &entry->mac },
        { "model", "type", &entry->model },
        { "link", "state", &entry->link },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (strcmp(parts[i].part, part) == 0 && !*parts[i].to)
            *parts[i].to = attribute(names, values, parts[i].attributes);
    }
}

static void
start_element(GMarkupParseContext *context, const char *element, const char **names,
              const char **values, gpointer data, GError **error)
{
    Walk *walk = data;
    gboolean in_devices = strcmp(walk->path->str, "/domain/devices") == 0;

    if (in_devices && strcmp(element, walk->wanted) == 0) {
        walk->entry = g_new0(DeviceEntry, 1);
        walk->entry->element = g_strdup(element);
        walk->entry->type = attribute(names, values, "type");
        walk->entry->device = attribute(names, values, "device");
        walk->start = walk->tag;
    } else if (walk->entry && g_str_has_suffix(walk->path->str, walk->wanted)) {
        take_part(walk->entry, element, names, values);
    }
    g_string_append_printf(walk->path, "/%s", element);
}

static void
end_element(GMarkupParseContext *context, const char *element, gpointer data, GError **error)
{
    Walk *walk = data;

    g_string_truncate(walk->path, strrchr(walk->path->str, '/') - walk->path->str);
    if (!walk->entry || strcmp(walk->path->str, "/domain/devices") != 0)
        return;
    walk->entry->xml = g_strndup(walk->xml + walk->start, walk->at - walk->start);
    g_ptr_array_add(walk->found, g_steal_pointer(&walk->entry));
}

/* Byte by byte, because the parser tells no offsets. */
GPtrArray *
devices_of(const char *xml, const char *element)
{
    static const GMarkupParser parser = { start_element, end_element, NULL, NULL, NULL };
    Walk walk = { .wanted = element, .xml = xml, .path = g_string_new(NULL) };
    GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &walk, NULL);

    walk.found = g_ptr_array_new_with_free_func(entry_free);
    for (const char *byte = xml; *byte; byte++) {
        if (*byte == '<')
            walk.tag = walk.at;
        walk.at++;
        if (!g_markup_parse_context_parse(context, byte, 1, NULL))
            break;
    }
    g_markup_parse_context_free(context);
    g_string_free(walk.path, TRUE);
    if (walk.entry)
        entry_free(walk.entry);
    return walk.found;
}

const DeviceEntry *
devices_find(const GPtrArray *devices, const char *name)
{
    for (guint i = 0; i < devices->len; i++) {
        const DeviceEntry *entry = g_ptr_array_index(devices, i);

        if (g_strcmp0(entry->target, name) == 0 ||
            (entry->mac ? g_ascii_strcasecmp(entry->mac, name) == 0
                        : g_strcmp0(entry->source, name) == 0))
            return entry;
    }
    return NULL;
}
