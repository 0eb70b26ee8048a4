#include "driver/managed-save.h"

#include "driver/domain-list.h"
#include "driver/error.h"
#include "driver/store.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".save"

static const char *const suffixes[] = {
    [MANAGED_SAVE_READY] = SUFFIX,
    [MANAGED_SAVE_USED] = SUFFIX ".used",
    [MANAGED_SAVE_LEAVING] = SUFFIX ".leaving",
};

static char *
directory(const DomainHost *host)
{
    return g_build_filename(host->env->state_dir, "save", NULL);
}

static char *
path_of(const Domain *domain, ManagedSaveName name)
{
    g_autofree char *dir = directory(domain->host);
    g_autofree char *file = g_strconcat(domain_uuid(domain), suffixes[name], NULL);

    return g_build_filename(dir, file, NULL);
}

char *
managed_save_path(const Domain *domain)
{
    return path_of(domain, MANAGED_SAVE_READY);
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

gboolean
managed_save_make_ready(Domain *domain, GError **error)
{
    g_autofree char *path = managed_save_path(domain);
    g_autofree char *aside = path_of(domain, domain->saved_as);

    if (domain->saved_as == MANAGED_SAVE_READY)
        return TRUE;
    if (rename(aside, path) < 0)
        return driver_error_errno(error, errno, "cannot take back managed save file '%s'", aside);
    domain->saved_as = MANAGED_SAVE_READY;
    return TRUE;
}

/* That the disk knows is not needed: what it would have is as it was before. */
void
managed_save_take_back(Domain *domain)
{
    g_autofree char *path = managed_save_path(domain);
    g_autoptr(GError) error = NULL;

    if (is_simulated(domain)) {
        domain->managed_save = TRUE;
        return;
    }
    if (domain->saved_as == MANAGED_SAVE_READY)
        return; /* somebody has removed it meanwhile */
    domain->managed_save = TRUE;
    if (managed_save_make_ready(domain, &error))
        store_sync_directory_of(path);
    else
        g_warning("%s", error->message);
}

/* It is aside once the disk knows. */
static gboolean
set_aside(Domain *domain, ManagedSaveName name, const char *failure, GError **error)
{
    g_autofree char *path = managed_save_path(domain);
    g_autofree char *aside = path_of(domain, name);

    if (is_simulated(domain)) {
        domain->managed_save = FALSE;
        return TRUE;
    }
    if (!managed_save_make_ready(domain, error))
        return FALSE;
    if (rename(path, aside) < 0)
        return driver_error_errno(error, errno, "%s '%s'", failure, path);
    domain->saved_as = name;
    domain->managed_save = FALSE;
    if (store_sync_directory_of(path))
        return TRUE;
    driver_error_errno(error, errno, "%s '%s'", failure, path);
    managed_save_take_back(domain);
    return FALSE;
}

gboolean
managed_save_set_aside(Domain *domain, ManagedSaveName name, GError **error)
{
    return set_aside(domain, name, "cannot set aside managed save file", error);
}

/* One that stays is at least no image of the next domain with this uuid. */
static void
drop(const char *aside, const char *used)
{
    if (unlink(aside) == 0)
        return;
    g_warning("Failed to remove the managed state %s: %s", aside, g_strerror(errno));
    if (strcmp(aside, used) != 0 && rename(aside, used) < 0)
        g_warning("Cannot rename '%s': %s", aside, g_strerror(errno));
}

void
managed_save_drop(Domain *domain)
{
    g_autofree char *aside = path_of(domain, domain->saved_as);
    g_autofree char *used = path_of(domain, MANAGED_SAVE_USED);

    if (domain->saved_as == MANAGED_SAVE_READY)
        return;
    drop(aside, used);
    domain->saved_as = MANAGED_SAVE_READY;
}

void
managed_save_was_written(Domain *domain)
{
    if (domain->saved_as != MANAGED_SAVE_READY)
        managed_save_drop(domain);
    domain->managed_save = TRUE;
}

gboolean
managed_save_remove(Domain *domain, GError **error)
{
    if (!set_aside(domain, MANAGED_SAVE_USED, "Failed to remove managed save file", error))
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

static gboolean
has(const Domain *domain, ManagedSaveName name)
{
    g_autofree char *path = path_of(domain, name);

    return access(path, F_OK) == 0;
}

static void
remove_one(const Domain *domain, ManagedSaveName name)
{
    g_autofree char *path = path_of(domain, name);

    remove_file(path);
}

gboolean
managed_save_is_used(const Domain *domain)
{
    return has(domain, MANAGED_SAVE_USED);
}

static void
find_as(Domain *domain, ManagedSaveName name)
{
    domain->saved_as = name;
    managed_save_take_back(domain);
}

void
managed_save_settle(Domain *domain, gboolean ran)
{
    for (ManagedSaveName name = MANAGED_SAVE_USED; name <= MANAGED_SAVE_LEAVING; name++) {
        if (!has(domain, name))
            continue;
        if (ran || has(domain, MANAGED_SAVE_READY))
            remove_one(domain, name);
        else
            find_as(domain, name);
    }
    if (!has(domain, MANAGED_SAVE_READY))
        return;
    domain->managed_save = !ran;
    if (!ran)
        return;
    g_warning("Domain '%s' runs: removing its managed state", domain_name(domain));
    remove_one(domain, MANAGED_SAVE_READY);
}

/* Whether somebody sees to a file beside the image of a domain: managed_save_settle(), or the save that is to be undone. */
static gboolean
is_in_use(const Domain *domain, const char *path)
{
    g_auto(GuestSaving) saving = { 0 };

    if (!domain || !domain_is_active(domain))
        return FALSE;
    if (g_str_has_suffix(path, suffixes[MANAGED_SAVE_USED]) ||
        g_str_has_suffix(path, suffixes[MANAGED_SAVE_LEAVING]))
        return TRUE;
    return guest_read_saving(domain->host->env->run_dir, domain_uuid(domain), &saving) &&
           strcmp(saving.temporary, path) == 0;
}

/* One whose domain was not undefined after all. */
static gboolean
has_come_back(const Domain *domain, const char *rest)
{
    return domain && !domain_is_active(domain) &&
           strcmp(rest, suffixes[MANAGED_SAVE_LEAVING]) == 0 && !has(domain, MANAGED_SAVE_READY);
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
    } else if (has_come_back(domain, rest)) {
        find_as(domain, MANAGED_SAVE_LEAVING);
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
