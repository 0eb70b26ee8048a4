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

/* What a simulated guest was saved to is nothing but that it was. */
static gboolean
is_simulated(const Domain *domain)
{
    return domain->host->env->simulated;
}

/* It is under the name @to once the disk knows; FALSE: it has the name it had, as far as can be. */
static gboolean
move(const char *from, const char *to)
{
    int saved;

    if (rename(from, to) < 0)
        return FALSE;
    if (store_sync_directory_of(to))
        return TRUE;
    saved = errno;
    if (rename(to, from) < 0)
        g_warning("Cannot bring back '%s': %s", from, g_strerror(errno));
    errno = saved;
    return FALSE;
}

static gboolean
set_aside(Domain *domain, const char *failure, GError **error)
{
    g_autofree char *path = managed_save_path(domain);
    g_autofree char *used = g_strconcat(path, USED, NULL);

    if (!is_simulated(domain) && !move(path, used))
        return driver_error_errno(error, errno, "%s '%s'", failure, path);
    domain->managed_save = FALSE;
    return TRUE;
}

gboolean
managed_save_set_aside(Domain *domain, GError **error)
{
    return set_aside(domain, "cannot set aside managed save file", error);
}

void
managed_save_drop(Domain *domain)
{
    g_autofree char *path = managed_save_path(domain);
    g_autofree char *used = g_strconcat(path, USED, NULL);

    if (!is_simulated(domain) && unlink(used) < 0)
        g_warning("Failed to remove the managed state %s: %s", used, g_strerror(errno));
}

/* That the disk knows is not needed: what it would have is as it was before. */
void
managed_save_take_back(Domain *domain)
{
    g_autofree char *path = managed_save_path(domain);
    g_autofree char *used = g_strconcat(path, USED, NULL);

    domain->managed_save = is_simulated(domain) || rename(used, path) == 0;
    if (!domain->managed_save)
        g_warning("Cannot take back the managed state %s: %s", used, g_strerror(errno));
    else if (!is_simulated(domain))
        store_sync_directory_of(path);
}

gboolean
managed_save_remove(Domain *domain, GError **error)
{
    if (!set_aside(domain, "Failed to remove managed save file", error))
        return FALSE;
    managed_save_drop(domain);
    return TRUE;
}

/* At the start of the daemon. */

static void
remove_file(const char *path)
{
    if (unlink(path) < 0)
        g_warning("Cannot remove '%s': %s", path, g_strerror(errno));
}

void
managed_save_settle(Domain *domain, gboolean ran)
{
    g_autofree char *path = managed_save_path(domain);
    g_autofree char *used = g_strconcat(path, USED, NULL);
    gboolean is_there = access(path, F_OK) == 0;

    if (access(used, F_OK) == 0 && !ran && !is_there)
        managed_save_take_back(domain);
    else if (access(used, F_OK) == 0)
        remove_file(used);
    if (is_there && ran) {
        g_warning("Domain '%s' runs: removing its managed state %s", domain_name(domain), path);
        remove_file(path);
    } else if (is_there) {
        domain->managed_save = TRUE;
    }
}

/* Whether somebody sees to a file beside the image of a domain: managed_save_settle(), or the save that is to be undone. */
static gboolean
is_in_use(const Domain *domain, const char *path)
{
    g_auto(GuestSaving) saving = { 0 };

    if (!domain || !domain_is_active(domain))
        return FALSE;
    if (g_str_has_suffix(path, SUFFIX USED))
        return TRUE;
    return guest_read_saving(domain->host->env->run_dir, domain_uuid(domain), &saving) &&
           strcmp(saving.temporary, path) == 0;
}

static void
look_at(DomainHost *host, const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *uuid = g_strndup(name, DOMAIN_UUID_SIZE - 1);
    const char *rest = name + strlen(uuid);
    Domain *domain = g_uuid_string_is_valid(uuid) ? domain_list_find_uuid(host->list, uuid) : NULL;

    if (domain && strcmp(rest, SUFFIX) == 0) {
        domain->managed_save |= !domain_is_active(domain); /* else managed_save_settle() knows */
    } else if (g_uuid_string_is_valid(uuid) && g_str_has_prefix(rest, SUFFIX ".")) {
        if (!is_in_use(domain, path)) /* one that was being written, or had been used */
            remove_file(path);
    } else {
        g_warning("'%s' is no domain's managed save: left alone", path);
    }
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
