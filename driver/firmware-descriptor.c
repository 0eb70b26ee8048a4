#include "driver/firmware-descriptor.h"

#include "driver/json.h"

#include <string.h>
#include <sys/stat.h>

#define SIZE_MAX_ (1u << 20)
/* What a q35 without a version would be called, for the patterns of targets. */
#define MACHINE "pc-q35-7.2"
#define ARCH    "x86_64"

void
firmware_image_clear(FirmwareImage *image)
{
    g_clear_pointer(&image->code, g_free);
    g_clear_pointer(&image->variables, g_free);
}

/* Listing */

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
add_names(const char *dir, GHashTable *paths, GPtrArray *names)
{
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        if (!g_str_has_suffix(name, ".json") || g_hash_table_contains(paths, name))
            continue;
        g_hash_table_insert(paths, g_strdup(name), g_build_filename(dir, name, NULL));
        g_ptr_array_add(names, g_strdup(name));
    }
}

GPtrArray *
firmware_descriptor_list(const char *const *dirs)
{
    g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

    for (; *dirs; dirs++)
        add_names(*dirs, paths, names);
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++)
        g_ptr_array_add(list, g_strdup(g_hash_table_lookup(paths, g_ptr_array_index(names, i))));
    return list;
}

/* Reading: every lookup may find nothing, or something of another type, which is the same. */

static GVariant *
member(GVariant *object, const char *key, const char *type)
{
    return object ? g_variant_lookup_value(object, key, G_VARIANT_TYPE(type)) : NULL;
}

static char *
text_member(GVariant *object, const char *key)
{
    g_autoptr(GVariant) value = member(object, key, "s");

    return value ? g_variant_dup_string(value, NULL) : NULL;
}

/* Calls @matches for each text in the array @key of @object, until it says yes; that is returned. */
static gboolean
any_text(GVariant *object, const char *key, gboolean (*matches)(const char *text, gpointer data),
         gpointer data)
{
    g_autoptr(GVariant) array = member(object, key, "av");
    gsize n = array ? g_variant_n_children(array) : 0;
    gboolean found = FALSE;

    for (gsize i = 0; i < n && !found; i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(array, i);
        g_autoptr(GVariant) value = g_variant_get_variant(child);

        found = g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) &&
                matches(g_variant_get_string(value, NULL), data);
    }
    return found;
}

static gboolean
is_text(const char *text, gpointer data)
{
    return strcmp(text, data) == 0;
}

static gboolean
has_text(GVariant *object, const char *key, const char *text)
{
    return any_text(object, key, is_text, (gpointer)text);
}

static gboolean
is_pattern_of(const char *pattern, gpointer machine)
{
    return g_pattern_match_simple(pattern, machine);
}

static gboolean
has_target(GVariant *top)
{
    g_autoptr(GVariant) targets = member(top, "targets", "av");
    gsize n = targets ? g_variant_n_children(targets) : 0;

    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(targets, i);
        g_autoptr(GVariant) target = g_variant_get_variant(child);
        g_autofree char *arch = NULL;

        if (!g_variant_is_of_type(target, G_VARIANT_TYPE_VARDICT))
            continue;
        arch = text_member(target, "architecture");
        if (g_strcmp0(arch, ARCH) == 0 &&
            any_text(target, "machines", is_pattern_of, (gpointer)MACHINE))
            return TRUE;
    }
    return FALSE;
}

/* A file that the flash is filled from; NULL where there is none or it is no raw image. */
static char *
flash_file(GVariant *mapping, const char *key)
{
    g_autoptr(GVariant) file = member(mapping, key, "a{sv}");
    g_autofree char *format = text_member(file, "format");

    return g_strcmp0(format, "raw") == 0 ? text_member(file, "filename") : NULL;
}

/* One file with code and variables together ("combined") would have to be copied for each guest. */
static gboolean
read_mapping(GVariant *top, FirmwareImage *ret)
{
    g_autoptr(GVariant) mapping = member(top, "mapping", "a{sv}");
    g_autofree char *device = text_member(mapping, "device");
    g_autofree char *mode = text_member(mapping, "mode");

    if (g_strcmp0(device, "memory") == 0) {
        ret->code = text_member(mapping, "filename");
    } else if (g_strcmp0(device, "flash") == 0 && g_strcmp0(mode, "combined") != 0) {
        ret->code = flash_file(mapping, "executable");
        ret->variables = flash_file(mapping, "nvram-template");
        if (!ret->variables && g_strcmp0(mode, "stateless") != 0)
            g_clear_pointer(&ret->code, g_free);
    }
    return ret->code != NULL;
}

static gboolean
read_top(GVariant *top, DomainFirmware *ret_kind, FirmwareImage *ret)
{
    if (has_text(top, "interface-types", "uefi"))
        *ret_kind = DOMAIN_FIRMWARE_EFI;
    else if (has_text(top, "interface-types", "bios"))
        *ret_kind = DOMAIN_FIRMWARE_BIOS;
    else
        return FALSE;
    if (!has_target(top) || has_text(top, "features", "requires-smm"))
        return FALSE;
    for (int i = 0; i < DOMAIN_N_FIRMWARE_FEATURES; i++)
        ret->features[i] = has_text(top, "features", domain_firmware_feature_words[i]);
    return read_mapping(top, ret);
}

/* An empty file, or a link to nowhere, is how an administrator hides one. */
static char *
read_text(const char *path)
{
    struct stat st;
    char *text = NULL;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= SIZE_MAX_)
        g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

gboolean
firmware_descriptor_read(const char *path, DomainFirmware *ret_kind, FirmwareImage *ret)
{
    g_autofree char *text = read_text(path);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) top = text ? json_parse(text, &error) : NULL;

    if (error)
        g_warning("The firmware descriptor '%s' is left out: %s", path, error->message);
    return top && g_variant_is_of_type(top, G_VARIANT_TYPE_VARDICT) && read_top(top, ret_kind, ret);
}
