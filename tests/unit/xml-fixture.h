/* xml-fixture: the golden documents, and a stand-in for the launch that lowers devices. */
#pragma once

#include "driver/domain-def.h"

#include <glib.h>

/* The tree's own file, for g_free(). */
char *source_path(const char *name);
/* The text of a file; the test fails where it cannot be read. */
char *read_file(const char *path);

/* Calls @test with each tests/data/@kind/NAME.xml that is an input, registered as @prefix/NAME. The
 * argument is the path. */
void add_documents_of(const char *kind, const char *prefix, GTestDataFunc test);
/* The same for "domain-xml". */
void add_document_tests(const char *prefix, GTestDataFunc test);
/* @path with another ending instead of ".xml". */
char *sibling(const char *path, const char *ending);

/* Compares @text with the file's; with VMCTL_REGENERATE in the environment writes the file instead. */
void assert_golden(const char *path, const char *text);

/* Moves the test into a network of its own with a bridge "br0", where it may make taps; FALSE where it
 * may not even that. Before there is a second thread. */
gboolean enter_own_network(void);
/* Puts a stand-in for passt on the path. */
void use_fake_passt(void);
/* All devices of @def, lowered: what they told the VMM, as text; or the error of the first that could not be. */
char *lower_to_text(DomainDef *def);
