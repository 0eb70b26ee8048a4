#include "driver/hook.h"

#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/guest-end.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PROGRAM       "qemu"
#define HURRY_AFTER_S 2 /* what cleans up behind a guest has so long at least */

struct Hook {
    Domain *domain;
    const char *operation;
    char *name;
    char *xml;
    GPtrArray *programs; /* of paths; NULL: to be looked up when its turn comes */
    guint at;
    GSubprocess *process;
    gint64 since; /* when it was started, monotonic */
    int complaints; /* what the program that runs writes to its standard error */
    gboolean cancelled;
    DomainDone done;
    gpointer data;
};

static void
hook_free(Hook *hook)
{
    g_clear_object(&hook->process);
    g_clear_pointer(&hook->programs, g_ptr_array_unref);
    if (hook->complaints >= 0)
        close(hook->complaints);
    domain_unref(hook->domain);
    g_free(hook->name);
    g_free(hook->xml);
    g_free(hook);
}

/* Which programs there are */

static char *
directory(const Domain *domain)
{
    return g_build_filename(domain->host->env->config_dir, "hooks", NULL);
}

static gboolean
is_program(const char *path)
{
    return g_file_test(path, G_FILE_TEST_IS_REGULAR) && access(path, X_OK) == 0;
}

static int
compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
add_program(GPtrArray *programs, const char *dir, const char *name)
{
    char *path = g_build_filename(dir, name, NULL);

    if (is_program(path))
        g_ptr_array_add(programs, path);
    else
        g_free(path);
}

static GPtrArray *
find_more(const char *dir)
{
    GPtrArray *programs = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries)))
        add_program(programs, dir, name);
    g_ptr_array_sort(programs, compare_paths);
    return programs;
}

/* NULL: there are none. */
static GPtrArray *
find_programs(const Domain *domain)
{
    GPtrArray *programs = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *dir = directory(domain);
    g_autofree char *more = g_build_filename(dir, PROGRAM ".d", NULL);

    add_program(programs, dir, PROGRAM);
    g_ptr_array_extend_and_steal(programs, find_more(more));
    if (programs->len == 0)
        g_clear_pointer(&programs, g_ptr_array_unref);
    return programs;
}

/* One program after the other */

static void run_next(Hook *hook);

static gboolean
run_first(gpointer data)
{
    Hook *hook = data;

    if (!hook->programs)
        hook->programs = find_programs(hook->domain);
    run_next(hook);
    return G_SOURCE_REMOVE;
}

static void
hook_end(Hook *hook, const GError *error)
{
    g_autoptr(Domain) domain = domain_ref(hook->domain);
    Hook *next;

    if (error && !hook->done)
        g_warning("%s", error->message);
    if (hook->done && !hook->cancelled)
        hook->done(hook->data, error);
    g_queue_remove(&domain->hooks, hook);
    hook_free(hook);
    next = g_queue_peek_head(&domain->hooks);
    if (next)
        g_idle_add(run_first, next);
}

static void
program_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    Hook *hook = data;
    const char *path = hook->programs->pdata[hook->at];
    g_autofree char *words = NULL;
    g_autoptr(GError) cause = NULL;
    g_autoptr(GError) error = NULL;

    if (g_subprocess_wait_check_finish(G_SUBPROCESS(source), result, &cause)) {
        hook->at++;
        run_next(hook);
        return;
    }
    words = guest_end_last_line(hook->complaints);
    driver_error(&error, VIR_ERR_HOOK_SCRIPT_FAILED, "%s %s %s (%s): %s", path, hook->name,
                 hook->operation, cause->message, *words ? words : "it does not say why");
    hook_end(hook, error);
}

/* A file without a name, which no reader can stall and no writer fill the daemon with; -1 with @error. */
static int
open_scratch(const char *text, GError **error)
{
    int fd = memfd_create("hook", MFD_CLOEXEC);

    if (fd >= 0 && (write(fd, text, strlen(text)) == (ssize_t)strlen(text)) &&
        lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    driver_error_errno(error, errno, "cannot make a file for a hook");
    if (fd >= 0)
        close(fd);
    return -1;
}

/* What a program of somebody's may count on, and nothing of ours. */
static char **
environment(void)
{
    static const char *const passed[] = { "PATH", "HOME", "USER", "LOGNAME", "TMPDIR" };
    char **env = g_environ_setenv(NULL, "LC_ALL", "C", TRUE);

    for (gsize i = 0; i < G_N_ELEMENTS(passed); i++)
        if (g_getenv(passed[i]))
            env = g_environ_setenv(env, passed[i], g_getenv(passed[i]), TRUE);
    return env;
}

static GSubprocess *
spawn(Hook *hook, const char *path, GError **error)
{
    static const char *const ends[] = { HOOK_STOPPED, HOOK_RELEASE, NULL };
    const char *part = g_strv_contains(ends, hook->operation) ? "end" : "begin";
    const char *const argv[] = { path, hook->name, hook->operation, part, "-", NULL };
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
    g_auto(GStrv) env = environment();
    int document = open_scratch(hook->xml, error);

    if (document < 0)
        return NULL;
    g_subprocess_launcher_set_environ(launcher, env);
    g_subprocess_launcher_set_cwd(launcher, "/");
    g_subprocess_launcher_take_stdin_fd(launcher, document);
    g_subprocess_launcher_take_stderr_fd(launcher, fcntl(hook->complaints, F_DUPFD_CLOEXEC, 0));
    return g_subprocess_launcher_spawnv(launcher, argv, error);
}

static gboolean
start_program(Hook *hook, GError **error)
{
    const char *path = hook->programs->pdata[hook->at];
    g_autoptr(GError) cause = NULL;

    if (hook->complaints >= 0)
        close(hook->complaints);
    hook->complaints = open_scratch("", error);
    if (hook->complaints < 0)
        return FALSE;
    g_clear_object(&hook->process);
    hook->since = g_get_monotonic_time();
    hook->process = spawn(hook, path, &cause);
    return hook->process ||
           driver_error(error, VIR_ERR_HOOK_SCRIPT_FAILED, "%s: %s", path, cause->message);
}

static void
run_next(Hook *hook)
{
    g_autoptr(GError) error = NULL;

    if (hook->cancelled || !hook->programs || hook->at == hook->programs->len)
        hook_end(hook, NULL);
    else if (start_program(hook, &error))
        g_subprocess_wait_check_async(hook->process, NULL, program_ended, hook);
    else
        hook_end(hook, error);
}

Hook *
hook_begin(Domain *domain, const char *operation, const DomainDef *def, int id, DomainDone done,
           gpointer data)
{
    gboolean first = g_queue_is_empty(&domain->hooks);
    GPtrArray *programs = NULL;
    Hook *hook;

    if (domain->host->env->simulated)
        return NULL;
    if (first && !(programs = find_programs(domain)))
        return NULL;
    hook = g_new0(Hook, 1);
    hook->programs = programs;
    hook->domain = domain_ref(domain);
    hook->operation = operation;
    hook->name = g_strdup(def->name);
    hook->xml = domain_xml_format(def, id, DOMAIN_FORMAT_LIVE | DOMAIN_FORMAT_SECURE);
    hook->complaints = -1;
    hook->done = done;
    hook->data = data;
    g_queue_push_tail(&domain->hooks, hook);
    if (first)
        g_idle_add(run_first, hook);
    return hook;
}

void
hook_cancel(Hook *hook)
{
    hook->cancelled = TRUE;
    if (hook->process)
        g_subprocess_force_exit(hook->process);
}

void
hook_hurry(Domain *domain)
{
    Hook *hook = g_queue_peek_head(&domain->hooks);

    if (hook && !hook->done && hook->process &&
        g_get_monotonic_time() - hook->since > HURRY_AFTER_S * G_USEC_PER_SEC)
        g_subprocess_force_exit(hook->process);
}

void
hook_guest_ended(Domain *domain, const DomainDef *def, int id)
{
    if (hook_begin(domain, HOOK_STOPPED, def, id, NULL, NULL))
        hook_begin(domain, HOOK_RELEASE, def, id, NULL, NULL);
}

void
hook_drop(Domain *domain)
{
    Hook *hook;

    while ((hook = g_queue_pop_tail(&domain->hooks))) {
        g_idle_remove_by_data(hook);
        if (!hook->process)
            hook_free(hook);
    }
}
