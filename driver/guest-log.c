#include "driver/guest-log.h"

#include "driver/domain-state.h"
#include "driver/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FLAGS (O_APPEND | O_CLOEXEC | O_NOFOLLOW)

static char *
path_of(const DriverEnv *env, const char *name)
{
    g_autofree char *file = g_strconcat(name, ".log", NULL);

    return g_build_filename(env->log_dir, file, NULL);
}

/* A line with the time in front, in libvirt's manner, which tools that read such logs know. */
static void
say(int fd, const char *path, const char *text)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *second = g_date_time_format(now, "%F %T");
    g_autofree char *line = g_strdup_printf("%s.%03d+0000: %s\n", second,
                                            g_date_time_get_microsecond(now) / 1000, text);

    if (write(fd, line, strlen(line)) < 0)
        g_warning("Cannot write to '%s': %s", path, g_strerror(errno));
}

int
guest_log_open(const DriverEnv *env, const char *name, GError **error)
{
    g_autofree char *path = path_of(env, name);
    int fd;

    if (g_mkdir_with_parents(env->log_dir, 0700) < 0) {
        driver_error_errno(error, errno, "cannot make the directory '%s'", env->log_dir);
        return -1;
    }
    fd = open(path, O_RDWR | O_CREAT | FLAGS, 0600);
    if (fd < 0)
        driver_error_errno(error, errno, "cannot open the log '%s'", path);
    else
        say(fd, path, "starting up vmctl " PACKAGE_VERSION);
    return fd;
}

void
guest_log_end(const DriverEnv *env, const char *name, int reason)
{
    g_autofree char *path = env->simulated ? NULL : path_of(env, name);
    g_autofree char *text =
        g_strconcat("shutting down, reason=", domain_shutoff_to_string(reason), NULL);
    int fd = path ? open(path, O_WRONLY | FLAGS) : -1;

    if (fd < 0)
        return;
    say(fd, path, text);
    close(fd);
}
