/* The golden documents as a whole: whatever the policy table takes and the schema allows, each element,
 * attribute and word of it, is in one of those that are accepted. */
#include "driver/xml-policy.h"
#include "tests/unit/xml-facts.h"
#include "tests/unit/xml-fixture.h"

#include <string.h>

#define DOCUMENTS_MIN 150

static GHashTable *covered; /* "path" and "path=value" */
static guint n_accepted;

static void
cover(const XmlFact *fact)
{
    g_hash_table_add(covered, g_strdup(fact->path));
    g_hash_table_add(covered, g_strconcat(fact->path, "=", fact->value, NULL));
}

static void
cover_document(const char *path)
{
    g_autofree char *xml = read_file(path);
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, path, "domain", NULL);
    g_autoptr(GPtrArray) facts = NULL;

    if (!doc) /* in an encoding that this driver does not read, or the like */
        return;
    facts = xml_facts(xml_doc_root(doc));
    for (guint i = 0; i < facts->len; i++)
        cover(facts->pdata[i]);
}

static void
cover_if_accepted(const char *path)
{
    g_autofree char *out = sibling(path, ".out.xml");

    if (!g_file_test(out, G_FILE_TEST_EXISTS))
        return;
    n_accepted++;
    cover_document(path);
    cover_document(out);
}

static void
cover_all(void)
{
    g_autofree char *dir_path = source_path("tests/data/domain-xml");
    g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);
    const char *entry;

    covered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    while ((entry = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(dir_path, entry, NULL);

        if (g_str_has_suffix(entry, ".xml") && !g_str_has_suffix(entry, ".out.xml"))
            cover_if_accepted(path);
    }
}

/* What only libvirt's test driver takes, of which there are no golden documents. */
static const char *const of_test_driver[] = { "@type=test", "os/type/@arch=i686", NULL };

static guint n_missing;

static void
expect(const char *path, const char *value)
{
    g_autofree char *fact = value ? g_strconcat(path, "=", value, NULL) : g_strdup(path);

    if (g_hash_table_contains(covered, fact) || g_strv_contains(of_test_driver, fact))
        return;
    g_test_message("no accepted document has %s", fact);
    n_missing++;
}

static void
expect_words(const char *path, const char *words)
{
    g_auto(GStrv) list = g_strsplit(words ? words : "", " ", -1);

    for (char **word = list; *word && **word; word++)
        expect(path, *word);
}

static void
test_number(void)
{
    g_assert_cmpuint(n_accepted, >=, DOCUMENTS_MIN);
}

static void
test_policy(void)
{
    n_missing = 0;
    for (const XmlPolicy *const *table = xml_policy_tables; *table; table++) {
        for (const XmlPolicy *row = *table; row->path; row++) {
            /* One within another goes by the outer one's rows. */
            if (row->verdict == XML_REJECT ||
                g_str_has_suffix(row->path, "/backingStore/backingStore"))
                continue;
            expect(row->path, NULL);
            expect_words(row->path, row->kept);
            if (row->verdict == XML_ACCEPT)
                expect_words(row->path, row->words);
        }
    }
    g_assert_cmpuint(n_missing, ==, 0);
}

/* The schema, walked with what it refers to. */

typedef struct Grammar {
    GHashTable *defines; /* name: XmlNode */
    GPtrArray *open;     /* names of those that the walk is in */
    GString *path;
} Grammar;

static void walk_pattern(Grammar *grammar, const XmlNode *node);

static void
walk_below(Grammar *grammar, const XmlNode *node)
{
    for (const XmlNode *child = xml_first(node); child; child = xml_next(child))
        walk_pattern(grammar, child);
}

static void
walk_named(Grammar *grammar, const XmlNode *node, const char *mark)
{
    g_autofree char *name = xml_attr(node, "name");
    gsize length = grammar->path->len;

    if (!name) /* any name will do */
        return;
    if (strcmp(name, "domain") != 0 || length) {
        if (!(strcmp(name, "backingStore") == 0 &&
              g_str_has_suffix(grammar->path->str, "/backingStore")))
            g_string_append_printf(grammar->path, "%s%s%s", length ? "/" : "", mark, name);
        expect(grammar->path->str, NULL);
    }
    walk_below(grammar, node);
    g_string_truncate(grammar->path, length);
}

static void
walk_reference(Grammar *grammar, const XmlNode *node)
{
    g_autofree char *name = xml_attr(node, "name");
    const XmlNode *define = g_hash_table_lookup(grammar->defines, name);

    for (guint i = 0; i < grammar->open->len; i++) {
        if (strcmp(grammar->open->pdata[i], name) == 0)
            return;
    }
    if (!define)
        g_error("the schema has no '%s'", name);
    g_ptr_array_add(grammar->open, name);
    walk_below(grammar, define);
    g_ptr_array_remove_index(grammar->open, grammar->open->len - 1);
}

static void
walk_pattern(Grammar *grammar, const XmlNode *node)
{
    const char *kind = xml_name(node);

    if (strcmp(kind, "element") == 0) {
        walk_named(grammar, node, "");
    } else if (strcmp(kind, "attribute") == 0) {
        walk_named(grammar, node, "@");
    } else if (strcmp(kind, "ref") == 0) {
        walk_reference(grammar, node);
    } else if (strcmp(kind, "value") == 0) {
        g_autofree char *value = xml_text(node);

        if (*value)
            expect(grammar->path->str, value);
    } else if (strcmp(kind, "except") != 0) {
        walk_below(grammar, node);
    }
}

static XmlDoc *
read_grammar(Grammar *grammar, const char *name)
{
    g_autofree char *path = source_path(name), *text = read_file(path);
    g_autoptr(GError) error = NULL;
    XmlDoc *doc = xml_doc_parse(text, name, "grammar", &error);

    g_assert_no_error(error);
    for (const XmlNode *node = xml_first(xml_doc_root(doc)); node; node = xml_next(node)) {
        char *define = xml_attr(node, "name");

        if (define)
            g_hash_table_insert(grammar->defines, define, (gpointer)node);
    }
    return doc;
}

static void
test_schema(void)
{
    Grammar grammar = { g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                        g_ptr_array_new(), g_string_new(NULL) };
    g_autoptr(XmlDoc) kept = read_grammar(&grammar, "schemas/domain-kept.rng");
    g_autoptr(XmlDoc) main = read_grammar(&grammar, "schemas/domain.rng");

    n_missing = 0;
    for (const XmlNode *node = xml_first(xml_doc_root(main)); node; node = xml_next(node)) {
        if (strcmp(xml_name(node), "start") == 0)
            walk_below(&grammar, node);
    }
    g_hash_table_unref(grammar.defines);
    g_ptr_array_unref(grammar.open);
    g_string_free(grammar.path, TRUE);
    g_assert_cmpuint(n_missing, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    cover_all();
    g_test_add_func("/domain-corpus/number", test_number);
    g_test_add_func("/domain-corpus/policy", test_policy);
    g_test_add_func("/domain-corpus/schema", test_schema);
    return g_test_run();
}
