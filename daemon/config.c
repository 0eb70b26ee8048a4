#include "daemon/config.h"

#include <string.h>

#define GROUP     "vmctld"
#define MAX_WORDS 6

typedef struct Key {
    const char *name;
    gsize offset;                 /* of an int in Config: the number of the word */
    const char *words[MAX_WORDS]; /* in the order of its enumeration; ends with NULL */
} Key;

static const Key keys[] = {
    { "access", G_STRUCT_OFFSET(Config, access), { "polkit", "api", "none" } },
    { "autostart", G_STRUCT_OFFSET(Config, autostart), { "boot", "always", "never" } },
    { "log-level",
      G_STRUCT_OFFSET(Config, log_level),
      { "error", "warning", "notice", "info", "debug" } },
    { "on-stop", G_STRUCT_OFFSET(Config, on_stop), { "stop", "save", "suspend" } },
};

static int *
value_of(Config *config, const Key *key)
{
    return G_STRUCT_MEMBER_P(config, key->offset);
}

void
config_init(Config *config, gboolean system)
{
    *config = (Config){
        /* Nobody but their owner calls a session instance: that is the session bus's business. */
        .access = system ? CONFIG_ACCESS_POLKIT : CONFIG_ACCESS_NONE,
        .autostart = CONFIG_AUTOSTART_BOOT,
        .log_level = CONFIG_LOG_NOTICE,
        .on_stop = CONFIG_ON_STOP_STOP,
    };
}

char *
config_default_path(gboolean system)
{
    return system ? g_strdup(VMCTL_SYSCONFDIR "/vmctl/vmctld.conf")
                  : g_build_filename(g_get_user_config_dir(), "vmctl", "vmctld.conf", NULL);
}

static const Key *
find_key(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

static gboolean
set_key(Config *config, const Key *key, const char *word, GError **error)
{
    g_autofree char *words = NULL;

    for (int i = 0; key->words[i]; i++) {
        if (strcmp(key->words[i], word) == 0) {
            *value_of(config, key) = i;
            return TRUE;
        }
    }
    words = g_strjoinv(", ", (char **)key->words);
    g_set_error(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                "'%s' is no value of '%s', which is one of: %s", word, key->name, words);
    return FALSE;
}

/* What is misspelt would be missed without a word. */
static void
warn_of_other_groups(GKeyFile *file, const char *path)
{
    g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);

    for (gsize i = 0; groups[i]; i++)
        if (strcmp(groups[i], GROUP) != 0)
            g_warning("%s: the group [%s] is not known and has no effect", path, groups[i]);
}

static gboolean
set_keys(Config *config, GKeyFile *file, const char *path, GError **error)
{
    g_auto(GStrv) names = g_key_file_get_keys(file, GROUP, NULL, NULL);

    for (gsize i = 0; names && names[i]; i++) {
        g_autofree char *word = g_key_file_get_value(file, GROUP, names[i], NULL);
        const Key *key = find_key(names[i]);

        if (!key)
            g_warning("%s: the key '%s' is not known and has no effect", path, names[i]);
        else if (!set_key(config, key, g_strstrip(word), error))
            return FALSE;
    }
    return TRUE;
}

gboolean
config_load(Config *config, const char *path, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) cause = NULL;
    Config loaded = *config;

    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &cause) ||
        !set_keys(&loaded, file, path, &cause)) {
        /* The file may be in any encoding, and so may what is told of it. */
        g_autofree char *text = g_utf8_make_valid(cause->message, -1);

        g_set_error(error, cause->domain, cause->code, "The configuration %s: %s", path, text);
        return FALSE;
    }
    warn_of_other_groups(file, path);
    *config = loaded;
    return TRUE;
}

char *
config_text(const Config *config)
{
    GString *text = g_string_new("[" GROUP "]\n");

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        g_string_append_printf(text, "%s=%s\n", keys[i].name,
                               keys[i].words[*value_of((Config *)config, &keys[i])]);
    return g_string_free(text, FALSE);
}
