#include "driver/cpuid-edits.h"

#include <string.h>

void
cpuid_edits_put(GString *edits, guint32 leaf, guint32 index, CpuRegister reg, guint32 value, guint32 mask)
{
    static const char *const names[] = { "eax", "ebx", "ecx", "edx" };

    if (mask)
        g_string_append_printf(edits, "%s%x.%x:%s=%x/%x", edits->len ? " " : "", leaf, index, names[reg], value & mask,
                               mask);
}

void
cpuid_edits_put_text(GString *edits, guint32 leaf, const CpuRegister *order, const char *text, int n_words)
{
    for (int i = 0; i < n_words; i++) {
        guint32 word;

        memcpy(&word, text + i * 4, 4);
        cpuid_edits_put(edits, leaf, 0, order[i], word, ~0u);
    }
}
