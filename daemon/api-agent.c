#include "daemon/api-agent.h"

#include "driver/domain-agent.h"

/* A verb of the driver that takes flags alone. */
static void
run_plain(Call *call, void (*verb)(Domain *domain, guint flags, DomainReply done, gpointer data))
{
    guint flags;

    call_get(call, "(u)", &flags);
    verb(call_object(call)->domain, flags, call_answer, call);
}

void
api_get_fs_info(Call *call)
{
    run_plain(call, domain_get_fs_info);
}

void
api_get_guest_vcpus(Call *call)
{
    run_plain(call, domain_get_guest_vcpus);
}

void
api_get_hostname(Call *call)
{
    run_plain(call, domain_get_hostname);
}

void
api_get_time(Call *call)
{
    run_plain(call, domain_get_time);
}

/* One of mount points. */
static void
run_on_mountpoints(Call *call, void (*verb)(Domain *domain, const char *const *mountpoints,
                                            guint flags, DomainReply done, gpointer data))
{
    g_auto(GStrv) mountpoints = NULL;
    guint flags;

    call_get(call, "(^asu)", &mountpoints, &flags);
    verb(call_object(call)->domain, (const char *const *)mountpoints, flags, call_answer, call);
}

void
api_fs_freeze(Call *call)
{
    run_on_mountpoints(call, domain_fs_freeze);
}

void
api_fs_thaw(Call *call)
{
    run_on_mountpoints(call, domain_fs_thaw);
}

void
api_fs_trim(Call *call)
{
    const char *mountpoint;
    guint64 minimum;
    guint flags;

    call_get(call, "(&stu)", &mountpoint, &minimum, &flags);
    domain_fs_trim(call_object(call)->domain, mountpoint, minimum, flags, call_answer, call);
}

void
api_get_guest_info(Call *call)
{
    guint types, flags;

    call_get(call, "(uu)", &types, &flags);
    domain_get_guest_info(call_object(call)->domain, types, flags, call_answer, call);
}

void
api_set_guest_vcpus(Call *call)
{
    g_autoptr(GVariant) booleans = NULL;
    g_autofree gboolean *map = NULL;
    guint flags;
    gsize n;
    int state;

    call_get(call, "(@abiu)", &booleans, &state, &flags);
    n = g_variant_n_children(booleans);
    map = g_new0(gboolean, n);
    for (gsize i = 0; i < n; i++)
        g_variant_get_child(booleans, i, "b", &map[i]);
    domain_set_guest_vcpus(call_object(call)->domain, map, n, state, flags, call_answer, call);
}

void
api_pm_suspend(Call *call)
{
    guint64 duration_s;
    guint target, flags;

    call_get(call, "(utu)", &target, &duration_s, &flags);
    domain_pm_suspend(call_object(call)->domain, target, duration_s, flags, call_answer, call);
}

void
api_set_time(Call *call)
{
    guint64 seconds;
    guint nseconds, flags;

    call_get(call, "(tuu)", &seconds, &nseconds, &flags);
    domain_set_time(call_object(call)->domain, seconds, nseconds, flags, call_answer, call);
}

void
api_set_user_password(Call *call)
{
    const char *user, *password;
    guint flags;

    call_get(call, "(&s&su)", &user, &password, &flags);
    domain_set_user_password(call_object(call)->domain, user, password, flags, call_answer, call);
}

void
api_get_ssh_keys(Call *call)
{
    const char *user;
    guint flags;

    call_get(call, "(&su)", &user, &flags);
    domain_get_ssh_keys(call_object(call)->domain, user, flags, call_answer, call);
}

void
api_set_ssh_keys(Call *call)
{
    g_auto(GStrv) keys = NULL;
    const char *user;
    guint flags;

    call_get(call, "(&s^asu)", &user, &keys, &flags);
    domain_set_ssh_keys(call_object(call)->domain, user, (const char *const *)keys, flags,
                        call_answer, call);
}

void
api_interface_addresses(Call *call)
{
    guint source, flags;

    call_get(call, "(uu)", &source, &flags);
    domain_interface_addresses(call_object(call)->domain, source, flags, call_answer, call);
}

void
api_agent_command(Call *call)
{
    const char *command;
    guint flags;
    int timeout_s;

    call_get(call, "(&siu)", &command, &timeout_s, &flags);
    domain_agent_command(call_object(call)->domain, command, timeout_s, flags, call_answer, call);
}

void
api_agent_set_timeout(Call *call)
{
    GError *error = NULL;
    guint flags;
    int timeout_s;

    call_get(call, "(iu)", &timeout_s, &flags);
    if (domain_agent_set_timeout(call_object(call)->domain, timeout_s, flags, &error))
        call_reply_nothing(call);
    else
        call_fail(call, error);
}
