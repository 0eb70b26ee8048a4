/* Fuzz target: the index of definitions, as a daemon finds it. Once as it is, and once with the checksum that it would need
 * to be believed; then each row is asked for, with the file that it names, and what it says is read. */
#include "driver/domain-index.h"
#include "tests/fuzz/replay.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER "vmctl-domains 3"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *dir;

static void
remove_dir(void)
{
    g_autofree char *path = g_build_filename(dir, "domains.index", NULL);

    g_unlink(path);
    g_rmdir(dir);
}

/* A directory in which the index is the file of the input. */
static const char *
state_dir(const char *file)
{
    g_autofree char *path = NULL;

    if (dir)
        return dir;
    dir = g_dir_make_tmp("fuzz-domain-index-XXXXXX", NULL);
    path = g_build_filename(dir, "domains.index", NULL);
    g_assert_cmpint(symlink(file, path), ==, 0);
    atexit(remove_dir);
    return dir;
}

static void
on_disk(gpointer data, const char *target, const char *source, ImageFormat format)
{
    guint *n = data;

    g_assert_nonnull(target);
    g_assert_true(!source || *source);
    (*n)++;
}

static void
read_brief(const DomainBrief *brief)
{
    g_autofree char *title = domain_brief_title(brief);
    guint n = 0;

    g_assert_nonnull(title);
    domain_brief_visit_disks(brief, on_disk, &n);
    g_assert_cmpuint(n, <=, domain_brief_count_disks(brief));
}

/* @row is "UUID INODE SIZE CHANGED ...". */
static void
ask_for(DomainIndex *index, const char *row)
{
    g_auto(GStrv) words = g_strsplit(row, " ", 5);
    StoreStamp stamp = { 0 };
    g_autofree DomainBrief *brief = NULL;

    if (g_strv_length(words) < 5)
        return;
    stamp.inode = strtoull(words[1], NULL, 10);
    stamp.size = strtoull(words[2], NULL, 10);
    stamp.changed_ns = strtoll(words[3], NULL, 10) % (G_MAXINT64 / 2); /* a clock that long is nobody's */
    brief = domain_index_take(index, words[0], &stamp);
    if (brief)
        read_brief(brief);
}

static void
load(const char *text, gsize size)
{
    DomainIndex *index = domain_index_load(state_dir(replay_file((const uint8_t *)text, size)));
    g_autofree char *whole = g_strndup(text, size);
    g_auto(GStrv) rows = g_strsplit(whole, "\n", 50);

    for (char **row = rows; *row; row++)
        ask_for(index, *row);
    domain_index_free(index);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *rows = g_strndup((const char *)data, size);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_MD5, rows, -1);
    g_autofree char *believable =
        g_strdup_printf(HEADER " %s %" G_GINT64_FORMAT "\n%s", sum, G_MAXINT64, rows);

    load((const char *)data, size);
    load(believable, strlen(believable));
    return 0;
}
