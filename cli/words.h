/* words: a line typed by the user, cut into the words of its commands, by virsh's rules of quoting. */
#pragma once

#include <glib.h>

/* Blanks part words; ';' and the end of a line part commands; '#' before a word starts a comment that
 * lasts to the end of the line. '...' keeps everything, "..." everything but \x, and \x is x; a backslash
 * before the end of a line joins the lines. Empty commands are left out.
 *
 * Returns one GPtrArray of char * per command, in a GPtrArray that frees them; NULL with CLI_ERROR. */
GPtrArray *words_split(const char *line, GError **error);
