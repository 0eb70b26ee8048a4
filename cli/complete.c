#include "cli/complete.h"

#include "cli/domain-list.h"
#include "cli/object-list.h"
#include "cli/snapshot.h"
#include "cli/words.h"

#include <string.h>

static void
propose(GPtrArray *found, const char *word, const char *candidate)
{
    if (g_str_has_prefix(candidate, word))
        g_ptr_array_add(found, g_strdup(candidate));
}

static void
propose_commands(GPtrArray *found, const char *word)
{
    for (const CommandGroup *group = command_groups; group->title; group++)
        for (const Command *const *command = group->commands; *command; command++)
            if (!((*command)->flags & COMMAND_HIDDEN))
                propose(found, word, (*command)->name);
}

static void
propose_options(GPtrArray *found, const Command *command, const char *word)
{
    for (const Option *option = command->options; option && option->name; option++) {
        g_autofree char *typed = g_strconcat("--", option->name, NULL);
        propose(found, word, typed);
    }
}

/* Only where a connection stands already: a key must not start a daemon. */
static void
propose_domains(GPtrArray *found, Session *session, const char *word)
{
    g_autoptr(GPtrArray) entries =
        session->connection ? domain_list(session->connection, 0, NULL) : NULL;

    for (guint i = 0; entries && i < entries->len; i++)
        propose(found, word, ((const DomainEntry *)entries->pdata[i])->name);
}

/* The domain that the command's line has already, by its name; NULL: none. */
static const char *
domain_of(const GPtrArray *words)
{
    for (guint i = 1; i < words->len; i++) {
        const char *word = words->pdata[i];

        if (g_str_has_prefix(word, "--domain="))
            return word + strlen("--domain=");
        if (!g_str_has_prefix(word, "-"))
            return word;
    }
    return NULL;
}

static gboolean
takes_snapshot(const Command *command)
{
    return command_option(command, "snapshotname") || command_option(command, "from");
}

static void
propose_snapshots(GPtrArray *found, Session *session, const char *name, const char *word)
{
    g_autofree char *path = session->connection ? domain_path(session->connection, name) : NULL;
    Domain domain = { session->connection, path, (char *)name };
    g_autoptr(GPtrArray) snapshots = path ? snapshot_list(&domain, NULL, 0, NULL) : NULL;

    for (guint i = 0; snapshots && i < snapshots->len; i++)
        propose(found, word, ((const Snapshot *)snapshots->pdata[i])->name);
}

/* The kind of what the command's line names; NULL: none. */
static const ObjectKind *
kind_of(const Command *command)
{
    for (gsize i = 0; object_kinds[i]; i++)
        if (command_option(command, object_kinds[i]->option))
            return object_kinds[i];
    return NULL;
}

static void
propose_objects(GPtrArray *found, Session *session, const ObjectKind *kind, const char *word)
{
    g_autoptr(GPtrArray) entries =
        session->connection ? object_list(session->connection, kind, 0, NULL) : NULL;

    for (guint i = 0; entries && i < entries->len; i++)
        propose(found, word, ((const ObjectEntry *)entries->pdata[i])->name);
}

/* The words of the command that is being typed, the last on the line; NULL: it has none yet. */
static const GPtrArray *
current_words(const GPtrArray *commands, const char *before)
{
    const char *end = before + strlen(before);

    while (end > before && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (commands->len == 0 || (end > before && end[-1] == ';'))
        return NULL;
    return commands->pdata[commands->len - 1];
}

static int
compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **
complete(Session *session, const char *before, const char *word)
{
    GPtrArray *found = g_ptr_array_new();
    g_autoptr(GPtrArray) commands = words_split(before, NULL);
    const GPtrArray *words = commands ? current_words(commands, before) : NULL;
    const Command *command = words ? command_find(words->pdata[0]) : NULL;

    if (commands && (!words || (command && strcmp(command->name, "help") == 0)))
        propose_commands(found, word);
    else if (command && g_str_has_prefix(word, "-"))
        propose_options(found, command, word);
    else if (command && takes_snapshot(command) && domain_of(words))
        propose_snapshots(found, session, domain_of(words), word);
    else if (command && command_option(command, "domain"))
        propose_domains(found, session, word);
    else if (command && kind_of(command))
        propose_objects(found, session, kind_of(command), word);
    g_ptr_array_sort(found, compare);
    g_ptr_array_add(found, NULL);
    return (char **)g_ptr_array_free(found, FALSE);
}
