/* check-documents: what becomes of domain documents that others wrote.
 *
 *   check-documents DIRECTORY...
 *
 * Parses each .xml file below the directories whose outermost element is <domain>, and says of each, one line for
 * a file: accepted; refused, with the reason; changed, with what the driver's normal form does not have of what was
 * said, or has otherwise; or ignored, with elements and attributes that nobody knows, and that are gone. What the
 * policy table takes without effect is not counted as said. Fails where a document crashes the parser, and with
 * $CHECK_DOCUMENTS_KNOWN, a file with lines "path=value" of which * and ? stand for others, where in one more
 * changes or is ignored than it says.
 */
#include "driver/domain-xml.h"
#include "driver/xml-policy.h"
#include "tests/unit/xml-facts.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum Outcome {
    ACCEPTED,
    REFUSED,
    CHANGED,
    IGNORED,
    CRASHED,
    OTHER, /* no domain document */
    N_OUTCOMES
} Outcome;

static const char *const outcome_words[N_OUTCOMES] = { "accepted", "refused", "changed", "ignored",
                                                       "crashed", "other" };
static guint counts[N_OUTCOMES];
static guint n_unexpected;
static GPtrArray *known; /* of GPatternSpec; NULL: nothing is */

/* The row that decides about @path, or NULL: nobody knows it. */
static const XmlPolicy *
find_row(const char *path)
{
    g_autofree char *part = g_strdup(path);
    const XmlPolicy *row = xml_policy_find(part);
    char *slash;

    while (!row && (slash = strrchr(part, '/'))) {
        *slash = '\0';
        row = xml_policy_find(part);
        if (row && row->verdict != XML_KEEP && row->verdict != XML_VERBATIM)
            return NULL;
    }
    return row;
}

/* Bytes, where it is a size with a unit: sizes are written in KiB. */
static char *
normal_size(const char *value, const char *unit)
{
    static const char prefixes[] = "kmgtpe";
    double size = g_ascii_strtod(value, NULL);
    const char *prefix = unit && *unit ? strchr(prefixes, g_ascii_tolower(*unit)) : prefixes;
    gboolean decimal = unit && *unit && g_ascii_strcasecmp(unit + 1, "B") == 0;

    if (unit && g_ascii_tolower(*unit) == 'b')
        prefix = NULL;
    for (const char *at = prefixes; prefix && at <= prefix; at++)
        size *= decimal ? 1000 : 1024;
    return g_strdup_printf("%.0f", (double)(guint64)((size + 1023) / 1024));
}

/* The same for all ways to write a value. */
static char *
normal_value(const char *value)
{
    char *end;
    guint64 number = g_ascii_strtoull(value, &end, 0);

    if (g_ascii_isdigit(*value) && !*end)
        return g_strdup_printf("%" G_GUINT64_FORMAT, number);
    return g_ascii_strdown(value, -1);
}

static gboolean
is_size(const char *path)
{
    return strcmp(path, "memory") == 0 || strcmp(path, "currentMemory") == 0;
}

/* How often each "path=value" is said. */
static GHashTable *
count_facts(const GPtrArray *facts)
{
    GHashTable *said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < facts->len; i++) {
        const XmlFact *fact = facts->pdata[i], *next = i + 1 < facts->len ? facts->pdata[i + 1] : NULL;
        g_autofree char *value =
            is_size(fact->path)
                ? normal_size(fact->value, next && g_str_has_suffix(next->path, "/@unit") ? next->value : NULL)
                : normal_value(fact->value);
        char *key = g_strconcat(fact->path, "=", value, NULL);
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(said, key));

        g_hash_table_replace(said, key, GUINT_TO_POINTER(n + 1));
    }
    return said;
}

static gboolean
matters(const char *path)
{
    const XmlPolicy *row = find_row(path);

    return row && row->verdict != XML_ACCEPT && !g_str_has_suffix(path, "/@unit");
}

static gboolean
is_strange(const char *path)
{
    return !find_row(path);
}

static gboolean
is_known(const char *fact)
{
    for (guint i = 0; known && i < known->len; i++) {
        if (g_pattern_spec_match_string(known->pdata[i], fact))
            return TRUE;
    }
    return FALSE;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef gboolean (*Interest)(const char *path);

/* What is of @interest that @in says and @out does not, with "; " between; NULL: nothing. */
static char *
find_lost(GHashTable *in, GHashTable *out, Interest interest)
{
    g_autoptr(GPtrArray) lost = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer key, n;

    g_hash_table_iter_init(&iter, in);
    while (g_hash_table_iter_next(&iter, &key, &n)) {
        g_autofree char *path = g_strndup(key, strchr((char *)key, '=') - (char *)key);

        if (!interest(path) || GPOINTER_TO_UINT(g_hash_table_lookup(out, key)) >= GPOINTER_TO_UINT(n))
            continue;
        if (is_known(key))
            continue;
        g_ptr_array_add(lost, g_strdup(key));
    }
    if (!lost->len)
        return NULL;
    g_ptr_array_sort(lost, compare_names);
    g_ptr_array_add(lost, NULL);
    return g_strjoinv("; ", (char **)lost->pdata);
}

static Outcome
compare(const XmlNode *root, const char *written, char **ret_text)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(written, "(written)", "domain", NULL);
    g_autoptr(GPtrArray) before = xml_facts(root), after = xml_facts(xml_doc_root(doc));
    g_autoptr(GHashTable) in = count_facts(before), out = count_facts(after);

    if ((*ret_text = find_lost(in, out, matters)))
        return CHANGED;
    return (*ret_text = find_lost(in, out, is_strange)) ? IGNORED : ACCEPTED;
}

/* The outcome of one document; @ret_text says more about it. */
static Outcome
judge(const char *xml, char **ret_text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, "(document)", NULL, &error);
    g_autoptr(DomainDef) def = NULL;
    g_autofree char *written = NULL;

    if (doc && strcmp(xml_name(xml_doc_root(doc)), "domain") != 0)
        return OTHER;
    def = doc ? domain_xml_parse(xml, &error) : NULL;
    if (!def) {
        *ret_text = g_strdup(error->message);
        return REFUSED;
    }
    written = domain_xml_format(def, -1, DOMAIN_FORMAT_SECURE);
    return compare(xml_doc_root(doc), written, ret_text);
}

/* In a process of its own: a crash is an outcome, too. */
static Outcome
judge_apart(const char *xml, char **ret_text)
{
    g_autoptr(GString) text = g_string_new(NULL);
    int ends[2], status;
    char block[4096];
    ssize_t n;
    pid_t pid;

    g_assert_cmpint(pipe(ends), ==, 0);
    pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        char *said = NULL;
        Outcome outcome = judge(xml, &said);
        FILE *to = fdopen(ends[1], "w");

        fputs(said ? said : "", to);
        fclose(to);
        _exit(outcome);
    }
    close(ends[1]);
    while ((n = read(ends[0], block, sizeof(block))) > 0)
        g_string_append_len(text, block, n);
    close(ends[0]);
    waitpid(pid, &status, 0);
    *ret_text = g_strdelimit(g_strdup(text->str), "\n", ' ');
    return WIFEXITED(status) ? WEXITSTATUS(status) : CRASHED;
}

static void
check_file(const char *path)
{
    g_autofree char *xml = NULL, *text = NULL;
    Outcome outcome;

    if (!g_file_get_contents(path, &xml, NULL, NULL))
        return;
    outcome = judge_apart(xml, &text);
    counts[outcome]++;
    n_unexpected += outcome == CRASHED || (known && (outcome == CHANGED || outcome == IGNORED));
    printf("%s %s%s%s\n", outcome_words[outcome], path, *text ? ": " : "", text);
}

static void
check_directory(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *entry;

    while (dir && (entry = g_dir_read_name(dir)))
        g_ptr_array_add(names, g_build_filename(path, entry, NULL));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];

        if (g_file_test(name, G_FILE_TEST_IS_DIR))
            check_directory(name);
        else if (g_str_has_suffix(name, ".xml"))
            check_file(name);
    }
}

static void
read_known(const char *path)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    known = g_ptr_array_new();
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (**line && **line != '#')
            g_ptr_array_add(known, g_pattern_spec_new(*line));
    }
}

int
main(int argc, char **argv)
{
    const char *file = g_getenv("CHECK_DOCUMENTS_KNOWN");

    if (argc < 2) {
        fprintf(stderr, "usage: check-documents DIRECTORY...\n");
        return 2;
    }
    if (file)
        read_known(file);
    for (int i = 1; i < argc; i++)
        check_directory(argv[i]);
    for (int i = 0; i < N_OUTCOMES; i++)
        printf("%s%u %s", i ? ", " : "", counts[i], outcome_words[i]);
    putchar('\n');
    return n_unexpected ? 1 : 0;
}
