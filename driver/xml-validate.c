#include "driver/xml-validate.h"

#include "driver/error.h"

#include <libxml/relaxng.h>
#include <libxml/tree.h>

#define COMPLAINTS_MAX 8 /* lines of one error: the first ones say it */

#if LIBXML_VERSION >= 21200
typedef const xmlError *ErrorArg;
#else
typedef xmlError *ErrorArg;
#endif

typedef struct Complaints {
    GString *text;
    guint n;
} Complaints;

static void
on_error(void *data, ErrorArg err)
{
    Complaints *complaints = data;
    g_autofree char *message = err->message ? g_utf8_make_valid(err->message, -1) : NULL;

    if (!message || complaints->n++ >= COMPLAINTS_MAX)
        return;
    g_string_append_printf(complaints->text, "\nline %d: %s", err->line, g_strchomp(message));
}

static xmlRelaxNG *
load(const char *path, Complaints *complaints)
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
is_valid(xmlRelaxNG *schema, xmlNode *root, Complaints *complaints)
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

/* It is read each time: whoever asks for this can wait the few milliseconds. */
gboolean
xml_validate(const XmlDoc *doc, const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Complaints complaints = { text, 0 };
    xmlRelaxNG *schema = load(path, &complaints);
    gboolean valid;

    if (!schema)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Unable to parse RNG %s%s", path,
                            text->str);
    valid = is_valid(schema, xml_doc_root(doc), &complaints);
    xmlRelaxNGFree(schema);
    return valid || driver_error(error, VIR_ERR_XML_INVALID_SCHEMA,
                                 "Unable to validate doc against %s%s", path, text->str);
}
