#include "daemon/api-test.h"

#include "driver/core-dump.h"
#include "driver/error.h"
#include "driver/flags.h"

#include <libvirt/libvirt.h>

void
api_test_core_dump(Call *call)
{
    const char *path;
    guint format, flags;

    call_get(call, "(&suu)", &path, &format, &flags);
    domain_core_dump(call_object(call)->domain, path, format, flags, call_done, call);
}

/* Nobody is there to pass the files to. */
void
api_test_create_with_files(Call *call)
{
    guint flags;

    call_get(call, "(@ahu)", NULL, &flags);
    domain_start(call_object(call)->domain, flags, call_done, call);
}

/* There is no process either; libvirt's test driver asks for no guest that runs. */
void
api_test_send_process_signal(Call *call)
{
    GError *error = NULL;
    guint signal, flags;
    gint64 pid;

    call_get(call, "(xuu)", &pid, &signal, &flags);
    if (!driver_check_flags(flags, 0, call_libvirt_name(call), &error) ||
        (pid != 1 && !driver_error(&error, VIR_ERR_INVALID_ARG,
                                   "only sending a signal to pid 1 is supported")) ||
        (signal > VIR_DOMAIN_PROCESS_SIGNAL_RT32 &&
         !driver_error(&error, VIR_ERR_INVALID_ARG, "signum value %d is out of range", (int)signal)))
        call_fail(call, error);
    else
        call_reply_nothing(call);
}

void
api_test_not_supported(Call *call)
{
    GError *error = NULL;

    driver_error(&error, VIR_ERR_NO_SUPPORT, "%s", call_libvirt_name(call));
    call_fail(call, error);
}
