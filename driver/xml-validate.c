#include "driver/xml-validate.h"

#include "driver/error.h"
#include "driver/xml-explain.h"

#include <libxml/relaxng.h>
#include <libxml/tree.h>

#define COMPLAINTS_MAX 8 /* lines of one error: the first ones say it */

#if LIBXML_VERSION >= 21200
typedef const xmlError *ErrorArg;
#else
typedef xmlError *ErrorArg;
#endif

static void
on_error(void *data, ErrorArg err)
{
    GPtrArray *complaints = data;
    g_autofree char *message = err->message ? g_utf8_make_valid(err->message, -1) : NULL;

    if (message && complaints->len < COMPLAINTS_MAX)
        g_ptr_array_add(complaints, g_strdup(g_strchomp(message)));
}

static xmlRelaxNG *
load(const char *path, GPtrArray *complaints)
{
    xmlRelaxNGParserCtxt *ctxt = xmlRelaxNGNewParserCtxt(path);
    xmlRelaxNG *schema = NULL;

    if (!ctxt)
        return NULL;
    xmlRelaxNGSetParserStructuredErrors(ctxt, on_error, complaints);
    schema = xmlRelaxNGParse(ctxt);
    xmlRelaxNGFreeParserCtxt(ctxt);
    return schema;
}

static gboolean
is_valid(xmlRelaxNG *schema, xmlNode *root, GPtrArray *complaints)
{
    xmlRelaxNGValidCtxt *ctxt = xmlRelaxNGNewValidCtxt(schema);
    gboolean valid;

    if (!ctxt)
        return FALSE;
    xmlRelaxNGSetValidStructuredErrors(ctxt, on_error, complaints);
    valid = xmlRelaxNGValidateDoc(ctxt, root->doc) == 0;
    xmlRelaxNGFreeValidCtxt(ctxt);
    return valid;
}

static char *
join_lines(GPtrArray *lines)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < lines->len; i++)
        g_string_append_printf(text, "\n%s", (const char *)lines->pdata[i]);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* libxml2 is the judge. Its words are about the schema's parts ("Extra element devices in interleave"), with no line or
 * that of an element around the fault, and are used only where our own walk finds nothing. */
static char *
explain(const XmlNode *root, const char *path, GPtrArray *complaints)
{
    g_autoptr(XmlSchema) schema = xml_schema_load(path, NULL);
    g_autoptr(GPtrArray) faults = schema ? xml_explain(root, schema, COMPLAINTS_MAX) : NULL;

    return join_lines(faults && faults->len ? faults : complaints);
}

/* It is read each time: whoever asks for this can wait the few milliseconds. */
gboolean
xml_validate(const XmlDoc *doc, const char *path, GError **error)
{
    g_autoptr(GPtrArray) complaints = g_ptr_array_new_with_free_func(g_free);
    xmlRelaxNG *schema = load(path, complaints);
    g_autofree char *text = NULL;
    gboolean valid;

    if (!schema) {
        text = join_lines(complaints);
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Unable to parse RNG %s%s", path, text);
    }
    valid = is_valid(schema, xml_doc_root(doc), complaints);
    xmlRelaxNGFree(schema);
    if (valid)
        return TRUE;
    text = explain(xml_doc_root(doc), path, complaints);
    return driver_error(error, VIR_ERR_XML_INVALID_SCHEMA, "Unable to validate doc against %s%s", path, text);
}
