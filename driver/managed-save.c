#include "driver/managed-save.h"

#include "driver/domain-list.h"
#include "driver/error.h"
#include "driver/store.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".save"
#define USED   ".used"

static char *
directory(const DomainHost *host)
{
    return g_build_filename(host->env->state_dir, "save", NULL);
}

char *
managed_save_path(const Domain *domain)
{
    g_autofree char *dir = directory(domain->host);
    g_autofree char *name = g_strconcat(domain_uuid(domain), SUFFIX, NULL);

    return g_build_filename(dir, name, NULL);
}

char *
managed_save_path_for_writing(const Domain *domain, GError **error)
{
    g_autofree char *dir = directory(domain->host);

    if (g_mkdir_with_parents(dir, 0700) == 0)
        return managed_save_path(domain);
    driver_error_errno(error, errno, "Failed to create save dir %s", dir);
    return NULL;
}

gboolean
managed_save_remove(Domain *domain, GError **error)
{
    g_autofree char *path = NULL;

    if (domain->host->env->simulated) {
        domain->managed_save = FALSE;
        return TRUE;
    }
    path = managed_save_path(domain);
    if (unlink(path) < 0 || !store_sync_directory_of(path))
        return driver_error_errno(error, errno, "Failed to remove managed save file '%s'", path);
    domain->managed_save = FALSE;
    return TRUE;
}

static gboolean
move(const char *from, const char *to)
{
    return rename(from, to) == 0 && store_sync_directory_of(to);
}

gboolean
managed_save_set_aside(Domain *domain, GError **error)
{
    g_autofree char *path = managed_save_path(domain);
    g_autofree char *used = g_strconcat(path, USED, NULL);

    if (!move(path, used))
        return driver_error_errno(error, errno, "cannot set the managed save file '%s' aside",
                                  path);
    domain->managed_save = FALSE;
    return TRUE;
}

void
managed_save_drop(Domain *domain)
{
    g_autofree char *path = managed_save_path(domain);
    g_autofree char *used = g_strconcat(path, USED, NULL);

    if (unlink(used) < 0)
        g_warning("Failed to remove the managed state %s: %s", used, g_strerror(errno));
}

void
managed_save_take_back(Domain *domain)
{
    g_autofree char *path = managed_save_path(domain);
    g_autofree char *used = g_strconcat(path, USED, NULL);

    if (move(used, path))
        domain->managed_save = TRUE;
    else
        g_warning("Cannot take back the managed state %s: %s", used, g_strerror(errno));
}

/* At the start of the daemon. */

static void
remove_file(const char *path)
{
    if (unlink(path) < 0)
        g_warning("Cannot remove '%s': %s", path, g_strerror(errno));
}

static void
take_image(Domain *domain, const char *path)
{
    if (domain_is_active(domain)) {
        g_warning("Domain '%s' runs: removing its managed state %s", domain_name(domain), path);
        remove_file(path);
    } else {
        domain->managed_save = TRUE;
    }
}

static void
look_at(DomainHost *host, const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *uuid = g_strndup(name, DOMAIN_UUID_SIZE - 1);
    const char *rest = name + strlen(uuid);
    Domain *domain = g_uuid_string_is_valid(uuid) ? domain_list_find_uuid(host->list, uuid) : NULL;

    if (domain && strcmp(rest, SUFFIX) == 0)
        take_image(domain, path);
    else if (g_uuid_string_is_valid(uuid) && g_str_has_prefix(rest, SUFFIX "."))
        remove_file(path); /* one that was being written, or had been used */
    else
        g_warning("'%s' is no domain's managed save: left alone", path);
}

void
managed_save_scan(DomainHost *host)
{
    g_autofree char *dir = directory(host);
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries)))
        look_at(host, dir, name);
}
