#include "driver/domain-index.h"

#include "driver/domain-list.h"
#include "driver/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "vmctl-domains 3 MD5 TIME", then for each definition "UUID INODE SIZE CHANGED MEMORY CURRENT VCPUS CURRENT NVRAM
 * WORDS\tNAME", NVRAM 1 or 0, WORDS a brief's. */
#define HEADER       "vmctl-domains 3"
#define FILE_NAME    "domains.index"
#define SAVE_AFTER_S 5

/* A file that changes again within a tick of the clock of file times may look the same: one that was so young when the
 * index was written is not trusted. Some file systems count in seconds. */
#define TICK_NS        (20 * (gint64)1000000)
#define COARSE_TICK_NS (2 * (gint64)1000000000)

struct DomainIndex {
    char *path;
    char *text;        /* the last daemon's, cut into strings; rows point into it */
    gint64 written_ns; /* since 1970 */
    GHashTable *rows;  /* uuid to what follows it */
    DomainHost *host;
    guint timer;
};

/* Reading */

static gboolean
is_trusted(const DomainIndex *index, const StoreStamp *stamp)
{
    gboolean coarse = stamp->changed_ns % 1000000000 == 0;

    return stamp->changed_ns + (coarse ? COARSE_TICK_NS : TICK_NS) < index->written_ns;
}

/* FALSE where the checksum is another one, too. */
static gboolean
take_header(DomainIndex *index, char *line, const char *rest)
{
    char sum[33];
    g_autofree char *real = g_compute_checksum_for_string(G_CHECKSUM_MD5, rest, -1);

    return sscanf(line, HEADER " %32s %" G_GINT64_FORMAT, sum, &index->written_ns) == 2 &&
           strcmp(sum, real) == 0;
}

static void
take_rows(DomainIndex *index, char *text)
{
    char *end, *space;

    for (char *line = text; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        space = strchr(line, ' ');
        if (!space)
            return;
        *space = '\0';
        g_hash_table_insert(index->rows, line, space + 1);
    }
}

DomainIndex *
domain_index_load(const char *state_dir)
{
    DomainIndex *index = g_new0(DomainIndex, 1);
    char *rest;

    index->path = g_build_filename(state_dir, FILE_NAME, NULL);
    index->rows = g_hash_table_new(g_str_hash, g_str_equal);
    if (!g_file_get_contents(index->path, &index->text, NULL, NULL) ||
        !(rest = strchr(index->text, '\n')))
        return index;
    *rest++ = '\0';
    if (take_header(index, index->text, rest))
        take_rows(index, rest);
    return index;
}

void
domain_index_free(DomainIndex *index)
{
    if (!index)
        return;
    g_clear_handle_id(&index->timer, g_source_remove);
    g_hash_table_unref(index->rows);
    g_free(index->text);
    g_free(index->path);
    g_free(index);
}

DomainBrief *
domain_index_take(DomainIndex *index, const char *uuid, const StoreStamp *stamp)
{
    char *at = g_hash_table_lookup(index->rows, uuid), *tab;
    StoreStamp then;
    DomainFigures figures;

    if (!at || !is_trusted(index, stamp))
        return NULL;
    then.inode = strtoull(at, &at, 10);
    then.size = strtoull(at, &at, 10);
    then.changed_ns = strtoll(at, &at, 10);
    if (then.inode != stamp->inode || then.size != stamp->size ||
        then.changed_ns != stamp->changed_ns)
        return NULL;
    figures.memory_kib = strtoull(at, &at, 10);
    figures.current_memory_kib = strtoull(at, &at, 10);
    figures.vcpus = strtoul(at, &at, 10);
    figures.current_vcpus = strtoul(at, &at, 10);
    figures.nvram = strtoul(at, &at, 10) != 0;
    tab = strchr(at, '\t');
    if (*at != ' ' || !tab)
        return NULL;
    *tab = '\0';
    return domain_brief_new(uuid, tab + 1, at + 1, &figures);
}

/* Writing */

static void
add_row(GString *rows, Domain *domain)
{
    g_autofree DomainBrief *own = domain->brief ? NULL : domain_brief_of(domain->persistent);
    const DomainBrief *brief = domain->brief ? domain->brief : own;
    const DomainFigures *figures = &brief->figures;
    const StoreStamp *stamp = &domain->stamp;

    if (!stamp->inode)
        return;
    g_string_append_printf(rows,
                           "%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
                           " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %u %u %d %s\t%s\n",
                           brief->uuid, stamp->inode, stamp->size, stamp->changed_ns,
                           figures->memory_kib, figures->current_memory_kib, figures->vcpus,
                           figures->current_vcpus, figures->nvram, brief->words, brief->name);
}

static void
write_index(DomainIndex *index)
{
    g_autoptr(GPtrArray) domains =
        domain_list_filter(index->host->list, VIR_CONNECT_LIST_DOMAINS_PERSISTENT);
    g_autoptr(GString) rows = g_string_sized_new(domains->len * 160);
    g_autofree char *dir = g_path_get_dirname(index->path);
    g_autofree char *sum = NULL, *text = NULL;
    g_autoptr(GError) error = NULL;
    gint64 now_ns = g_get_real_time() * 1000;

    for (guint i = 0; i < domains->len; i++)
        add_row(rows, domains->pdata[i]);
    sum = g_compute_checksum_for_string(G_CHECKSUM_MD5, rows->str, rows->len);
    text = g_strdup_printf(HEADER " %s %" G_GINT64_FORMAT "\n%s", sum, now_ns, rows->str);
    if (g_mkdir_with_parents(dir, 0700) < 0)
        driver_error_errno(&error, errno, "cannot make the directory '%s'", dir);
    else
        store_write_file(index->path, text, STORE_VOLATILE, &error);
    if (error)
        g_warning("%s", error->message);
}

void
domain_index_save(DomainIndex *index)
{
    if (!index->timer)
        return;
    g_clear_handle_id(&index->timer, g_source_remove);
    write_index(index);
}

static gboolean
its_time(gpointer data)
{
    DomainIndex *index = data;

    index->timer = 0;
    write_index(index);
    return G_SOURCE_REMOVE;
}

void
domain_index_serve(DomainIndex *index, DomainHost *host)
{
    index->host = host;
    host->index = index;
    g_hash_table_remove_all(index->rows);
    g_clear_pointer(&index->text, g_free);
}

void
domain_index_save_later(DomainIndex *index)
{
    if (!index->timer)
        index->timer = g_timeout_add_seconds(SAVE_AFTER_S, its_time, index);
}

void
domain_index_changed(Domain *domain)
{
    DomainHost *host = domain->host;

    if (!host->index) /* there are no files at all */
        return;
    /* Now, and not when the index is written: it must not know a file that somebody else changes meanwhile. */
    if (!store_stamp(host->env->config_dir, domain_uuid(domain), &domain->stamp))
        domain->stamp = (StoreStamp){ 0 };
    domain_index_save_later(host->index);
}
