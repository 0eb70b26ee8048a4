#include "daemon/api-domain-save.h"

#include "driver/flags.h"

/* The bus has no way to leave a document out. */
static const char *
or_none(const char *xml)
{
    return *xml ? xml : NULL;
}

static void
answer(Call *call, gboolean done, GError *error)
{
    if (done)
        call_reply_nothing(call);
    else
        call_fail(call, error);
}

void
api_domain_save(Call *call)
{
    const char *path, *xml;
    guint flags;

    call_get(call, "(&s&su)", &path, &xml, &flags);
    domain_save(call_object(call)->domain, path, or_none(xml), flags, call_done, call);
}

void
api_domain_managed_save(Call *call)
{
    guint flags;

    call_get(call, "(u)", &flags);
    domain_managed_save(call_object(call)->domain, flags, call_done, call);
}

void
api_domain_has_managed_save(Call *call)
{
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    if (driver_check_flags(flags, 0, "virDomainHasManagedSaveImage", &error))
        call_reply(call, g_variant_new("(b)", domain_has_managed_save(call_object(call)->domain)));
    else
        call_fail(call, error);
}

void
api_domain_managed_save_remove(Call *call)
{
    GError *error = NULL;
    gboolean done;
    guint flags;

    call_get(call, "(u)", &flags);
    done = domain_managed_save_remove(call_object(call)->domain, flags, &error);
    answer(call, done, error);
}

void
api_domain_managed_save_xml(Call *call)
{
    g_autofree char *xml = NULL;
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    xml = domain_managed_save_xml(call_object(call)->domain, flags, &error);
    call_reply_text(call, xml, error);
}

void
api_domain_managed_save_define(Call *call)
{
    GError *error = NULL;
    gboolean done;
    const char *xml;
    guint flags;

    call_get(call, "(&su)", &xml, &flags);
    done = domain_managed_save_define(call_object(call)->domain, xml, flags, &error);
    answer(call, done, error);
}

/* virDomainJobInfo; there is no file beside the RAM, and nobody knows how long it will take. */
static GVariant *
info_tuple(const JobInfo *info)
{
    guint64 left = info->total - info->done, none = 0;

    return g_variant_new("((ittttttttttt))", info->type, job_info_elapsed_ms(info), none,
                         info->total, info->transferred, left, info->total, info->transferred, left,
                         none, none, none);
}

void
api_domain_job_info(Call *call)
{
    GError *error = NULL;
    JobInfo info;

    if (domain_job_info(call_object(call)->domain, &info, &error))
        call_reply(call, info_tuple(&info));
    else
        call_fail(call, error);
}

void
api_domain_job_stats(Call *call)
{
    GError *error = NULL;
    JobInfo info;
    guint flags;

    call_get(call, "(u)", &flags);
    if (domain_job_stats(call_object(call)->domain, flags, &info, &error))
        call_reply(call, g_variant_new("((i@a{sv}))", info.type, job_info_params(&info)));
    else
        call_fail(call, error);
}

void
api_domain_abort_job(Call *call)
{
    GError *error = NULL;
    gboolean done;

    done = domain_abort_job(call_object(call)->domain, &error);
    answer(call, done, error);
}

void
api_domain_control_info(Call *call)
{
    DomainControl control;
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    if (domain_control(call_object(call)->domain, flags, &control, &error))
        call_reply(call, g_variant_new("((uut))", control.state, control.details, control.state_ms));
    else
        call_fail(call, error);
}

static void
restored(gpointer data, Domain *domain, const GError *error)
{
    call_done(data, error);
}

void
api_connect_restore(Call *call)
{
    const char *path, *xml;
    guint flags;

    call_get(call, "(&s&su)", &path, &xml, &flags);
    driver_restore(call_object(call)->driver, &(SavedImage){ path, call_checked(call) }, or_none(xml), flags, restored, call);
}

void
api_connect_save_image_xml(Call *call)
{
    g_autofree char *xml = NULL;
    GError *error = NULL;
    const char *path;
    guint flags;

    call_get(call, "(&su)", &path, &flags);
    xml = driver_save_image_xml(call_object(call)->driver, &(SavedImage){ path, call_checked(call) }, flags, &error);
    call_reply_text(call, xml, error);
}

void
api_connect_save_image_define(Call *call)
{
    GError *error = NULL;
    gboolean done;
    const char *path, *xml;
    guint flags;

    call_get(call, "(&s&su)", &path, &xml, &flags);
    done = driver_save_image_define(call_object(call)->driver, &(SavedImage){ path, call_checked(call) }, xml, flags, &error);
    answer(call, done, error);
}
