/* columns: what org.vmctl.Connect answers about very many domains at once: long arrays, the nth element of each about
 * the nth domain, which are read where they lie.
 */
#pragma once

#include <glib.h>

/* A column of texts, to be gone through. */
typedef struct Texts {
    const char *next;
    gsize left; /* bytes from there */
} Texts;

/* @column: ay, which has to be there as long as its texts are used. */
Texts texts_of(GVariant *column);
/* The next one; NULL: there is none, or it has no end or is no UTF-8. */
const char *texts_next(Texts *texts);
/* All of it was gone through. */
gboolean texts_end(const Texts *texts);

/* The elements of the array @column, of so many bytes each, where there are @n of them, else NULL. */
gconstpointer column_of(GVariant *column, gsize size, gsize n);
