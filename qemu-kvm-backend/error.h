/* error: why something could not be done, in words for the administrator. */
#pragma once

#include <stdbool.h>

typedef struct VmmError {
    const char *kind; /* VMM_ERROR_* of vmm-proto.h */
    char text[480];   /* a whole sentence without the full stop */
} VmmError;

/* Sets @err (NULL is allowed) and returns false, so that failing is one statement.
 * vmm_error_errno() appends what errno says. */
bool vmm_error(VmmError *err, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool vmm_error_errno(VmmError *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Gives @memory back; where it is NULL, running out of memory ends the process. */
void *vmm_must(void *memory);
