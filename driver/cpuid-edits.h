/* cpuid-edits: the text of the key "cpuid" of "create". */
#pragma once

#include "driver/cpu-features.h"

/* Appends to @edits that in the register @reg of a leaf the bits under @mask become those of @value; nothing where no bit is
 * under it. */
void cpuid_edits_put(GString *edits, guint32 leaf, guint32 index, CpuRegister reg, guint32 value, guint32 mask);
/* The same of whole registers, one after the other in @order, which get @text: 4 * @n_words bytes. */
void cpuid_edits_put_text(GString *edits, guint32 leaf, const CpuRegister *order, const char *text, int n_words);
