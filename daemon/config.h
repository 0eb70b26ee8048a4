/* config: what the administrator says in vmctld.conf(5): a key file (g_key_file) with the group [vmctld]. Each key is
 * one of a few words; one table has them all, and what the manual, --print-config and the tests know comes from it. */
#pragma once

#include <glib.h>

typedef enum {
    CONFIG_ACCESS_POLKIT, /* for one of two actions */
    CONFIG_ACCESS_API,    /* and then for that of the permission */
    CONFIG_ACCESS_NONE,
} ConfigAccess;

typedef enum {
    CONFIG_AUTOSTART_BOOT, /* by the first daemon since the host booted, as libvirtd has it */
    CONFIG_AUTOSTART_ALWAYS,
    CONFIG_AUTOSTART_NEVER,
} ConfigAutostart;

typedef enum {
    CONFIG_LOG_ERROR,
    CONFIG_LOG_WARNING,
    CONFIG_LOG_NOTICE,
    CONFIG_LOG_INFO,
    CONFIG_LOG_DEBUG,
} ConfigLog;

typedef enum {
    CONFIG_ON_STOP_STOP,
    CONFIG_ON_STOP_SAVE,
    CONFIG_ON_STOP_SUSPEND,
} ConfigOnStop;

typedef struct Config {
    int access;    /* ConfigAccess */
    int autostart; /* ConfigAutostart */
    int log_level; /* ConfigLog */
    int on_stop;   /* ConfigOnStop */
} Config;

/* The defaults of the system or of a session instance. */
void config_init(Config *config, gboolean system);
/* The instance's own file. For g_free(). */
char *config_default_path(gboolean system);
/* Takes over what the file @path says; what it does not say stays. A key or a group that nobody knows is warned of; a
 * wrong value, or a file that cannot be read, is an error (G_KEY_FILE_ERROR, G_FILE_ERROR), and nothing is changed. */
gboolean config_load(Config *config, const char *path, GError **error);
/* All of it as such a file. For g_free(). */
char *config_text(const Config *config);
