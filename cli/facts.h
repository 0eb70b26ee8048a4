/* facts: what a command has to say about one thing, as "Title: text" lines or as a JSON object. */
#pragma once

#include <glib.h>

typedef struct Facts Facts;

Facts *facts_new(void);
void facts_free(Facts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Facts, facts_free)

/* One more: @key is its name in JSON, which never changes; @title and @text are what a person reads. @value (floating,
 * consumed) is what JSON has; NULL: @text as it is. A @title of NULL: the fact is only in JSON. */
void facts_add(Facts *facts, const char *key, const char *title, const char *text, GVariant *value);
/* The same for a boolean, which a person reads as "yes" or "no". */
void facts_add_boolean(Facts *facts, const char *key, const char *title, gboolean is);
/* The one of an object's @properties that is called @property, a text or a boolean; none is left out. */
void facts_add_property(Facts *facts, const char *key, const char *title, GVariantDict *properties,
                        const char *property);
/* Prints all: a line has its title in @width columns, a space and the text. Of @width 0 the titles are not shown. */
void facts_print(const Facts *facts, int width);
/* A single fact, which stands alone on its line. TRUE, so that a command can end with it. */
gboolean facts_tell(const char *key, const char *text, GVariant *value);
