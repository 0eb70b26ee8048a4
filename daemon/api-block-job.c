#include "daemon/api-block-job.h"

#include "driver/block-job.h"

void
api_get_block_job_info(Call *call)
{
    GError *error = NULL;
    GVariant *info;
    const char *disk;
    guint flags;

    call_get(call, "(&su)", &disk, &flags);
    info = domain_block_job_info(call_object(call)->domain, disk, flags, &error);
    call_answer(call, info, error);
    g_clear_error(&error);
}

static void
end(Call *call, gboolean done, GError *error)
{
    if (done)
        call_reply_nothing(call);
    else
        call_fail(call, error);
}

void
api_block_job_abort(Call *call)
{
    GError *error = NULL;
    const char *disk;
    gboolean done;
    guint flags;

    call_get(call, "(&su)", &disk, &flags);
    done = domain_block_job_abort(call_object(call)->domain, disk, flags, &error);
    end(call, done, error);
}

void
api_block_job_set_speed(Call *call)
{
    GError *error = NULL;
    const char *disk;
    gboolean done;
    guint flags;

    call_get(call, "(&stu)", &disk, NULL, &flags);
    done = domain_block_job_set_speed(call_object(call)->domain, disk, flags, &error);
    end(call, done, error);
}
