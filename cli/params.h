/* params: libvirt's typed parameters, as virsh prints them. */
#pragma once

#include <glib.h>

/* A value's words, for g_free(). */
char *params_text(const char *key, GVariant *value);
/* A line for each of @params (a{sv}), with the words that @text finds; or an object, where what has no limit is null. */
void params_print(GVariant *params, char *(*text)(const char *key, GVariant *value));
