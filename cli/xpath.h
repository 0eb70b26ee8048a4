/* xpath: how a document is printed: as it is, or what an XPath expression selects in it. */
#pragma once

#include "cli/args.h"

/* The options of each command that prints a document, behind its own. */
#define OPTIONS_XPATH                                                                              \
    { "xpath", OPTION_STRING, OPTION_NAMED_ONLY,                                                   \
      N_("print only what this XPath expression selects") },                                       \
    {                                                                                              \
        "wrap", OPTION_BOOL, 0, N_("put what is selected into one element, <nodes>")               \
    }

/* Prints @xml as these options of @args say; FALSE with @error for an expression that selects no nodes, or is none. */
gboolean xpath_print(const char *xml, const Args *args, GError **error);
