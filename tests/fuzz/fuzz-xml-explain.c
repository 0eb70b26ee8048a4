/* Fuzz target: what --validate says of a document from anybody that our schema does not allow: few lines of text, each with
 * a number. What the driver writes itself is as the schema has it. A first byte of 's' says that it is a snapshot's. */
#include "driver/domain-xml.h"
#include "driver/xml-explain.h"

#include <stdint.h>
#include <string.h>

#define FAULTS_MAX 8
#define USES       2000 /* of a schema, whose patterns grow in number with what they are compared with */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Loaded {
    const char *file;
    XmlSchema *schema;
    guint n_uses;
} Loaded;

static XmlSchema *
get_schema(Loaded *loaded)
{
    g_autofree char *path = g_build_filename(g_getenv("VMCTL_TOP_SRCDIR"), "schemas", loaded->file, NULL);
    g_autoptr(GError) error = NULL;

    if (loaded->n_uses++ % USES == 0) {
        xml_schema_free(loaded->schema);
        loaded->schema = xml_schema_load(path, &error);
        g_assert_no_error(error);
    }
    return loaded->schema;
}

static GPtrArray *
explain(const char *xml, Loaded *loaded)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, "(test)", NULL, NULL);

    return doc ? xml_explain(xml_doc_root(doc), get_schema(loaded), FAULTS_MAX) : NULL;
}

static void
check_written(const char *xml, Loaded *loaded)
{
    g_autoptr(DomainDef) def = domain_xml_parse(xml, NULL);
    g_autofree char *written = def ? domain_xml_format(def, -1, DOMAIN_FORMAT_SECURE) : NULL;
    g_autoptr(GPtrArray) faults = def ? explain(written, loaded) : NULL;

    if (faults && faults->len > 0)
        g_error("%s in %s", (const char *)faults->pdata[0], written);
}

static void
check_line(const char *line)
{
    g_assert_true(g_utf8_validate(line, -1, NULL));
    g_assert_true(g_str_has_prefix(line, "line "));
    g_assert_true(g_ascii_isdigit(line[strlen("line ")]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Loaded domain = { .file = "domain.rng" }, snapshot = { .file = "domainsnapshot.rng" };
    gboolean of_snapshot = size > 0 && data[0] == 's';
    g_autofree char *xml = g_strndup((const char *)data + of_snapshot, size - of_snapshot);
    g_autoptr(GPtrArray) faults = explain(xml, of_snapshot ? &snapshot : &domain);

    if (!faults)
        return 0;
    g_assert_cmpuint(faults->len, <=, FAULTS_MAX);
    for (guint i = 0; i < faults->len; i++)
        check_line(faults->pdata[i]);
    if (!of_snapshot)
        check_written(xml, &domain);
    return 0;
}
