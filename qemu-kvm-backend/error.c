#include "qemu-kvm-backend/error.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
vmm_error(VmmError *err, const char *kind, const char *format, ...)
{
    va_list args;

    if (!err)
        return false;
    err->kind = kind;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return false;
}

bool
vmm_error_errno(VmmError *err, const char *format, ...)
{
    int number = errno;
    va_list args;
    size_t used;

    if (!err)
        return false;
    err->kind = VMM_ERROR_FAILED;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerrordesc_np(number));
    return false;
}

void *
vmm_must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}
