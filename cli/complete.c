#include "cli/complete.h"

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/domain.h"
#include "cli/domain-list.h"
#include "cli/keynames.h"
#include "cli/object-list.h"
#include "cli/snapshot.h"
#include "cli/watch.h"
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

/* Those of the domain that the line has already. */
static void
propose_snapshots(GPtrArray *found, Session *session, const Args *args, const char *word)
{
    const char *name = args_string(args, "domain");
    g_autofree char *path =
        session->connection && name ? domain_path(session->connection, name) : NULL;
    Domain domain = { session->connection, path, (char *)name };
    g_autoptr(GPtrArray) snapshots = path ? snapshot_list(&domain, NULL, 0, NULL) : NULL;

    for (guint i = 0; snapshots && i < snapshots->len; i++)
        propose(found, word, ((const Snapshot *)snapshots->pdata[i])->name);
}

static gboolean
is_iothread(const Command *command, const Option *option)
{
    return strcmp(option->name, "iothread") == 0 ||
           (strcmp(option->name, "id") == 0 &&
            (command == &command_iothreaddel || command == &command_iothreadset));
}

/* Those of the domain that the line has already. */
static void
propose_iothreads(GPtrArray *found, Session *session, const Args *args, const char *word)
{
    const char *name = args_string(args, "domain");
    g_autofree char *path =
        session->connection && name ? domain_path(session->connection, name) : NULL;
    Domain domain = { session->connection, path, (char *)name };
    g_autoptr(GVariant) reply =
        path ? domain_call(&domain, "GetIOThreadInfo", g_variant_new("(u)", 0), "(a(uab))", NULL)
             : NULL;
    g_autoptr(GVariantIter) rows = NULL;
    guint id;

    if (!reply)
        return;
    g_variant_get(reply, "(a(uab))", &rows);
    while (g_variant_iter_loop(rows, "(u@ab)", &id, NULL)) {
        g_autofree char *number = g_strdup_printf("%u", id);

        propose(found, word, number);
    }
}

/* The kind of what @option names; NULL: none. What belongs to a domain may be called the same. */
static const ObjectKind *
kind_of(const Command *command, const Option *option)
{
    for (gsize i = 0; object_kinds[i] && !command_option(command, "domain"); i++)
        if (strcmp(option->name, object_kinds[i]->option) == 0)
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

static void
propose_events(GPtrArray *found, const WatchSubject *subject, const char *word)
{
    for (const EventKind *kind = subject->kinds; kind->name; kind++)
        propose(found, word, kind->name);
}

static void
propose_codesets(GPtrArray *found, const char *word)
{
    for (const KeyCodeset *set = key_codesets; set->name; set++)
        propose(found, word, set->name);
}

/* Those of the codeset that the line has already. */
static void
propose_keys(GPtrArray *found, const Args *args, const char *word)
{
    const char *name = args_has(args, "codeset") ? args_string(args, "codeset") : "linux";
    const KeyCodeset *set = key_codeset_find(name);

    for (const KeyName *key = set ? set->names : NULL; key && key->name; key++)
        propose(found, word, key->name);
}

/* What the option can be that the word is for. */
static void
propose_values(GPtrArray *found, Session *session, const GPtrArray *words, const char *word)
{
    const Option *option = NULL;
    g_autoptr(Args) args =
        args_parse_start((const char *const *)words->pdata, words->len, &option);
    const Command *command = args && option ? args_command(args) : NULL;

    if (!command)
        return;
    if (strcmp(option->name, "event") == 0)
        propose_events(found, command->about, word);
    else if (strcmp(option->name, "codeset") == 0)
        propose_codesets(found, word);
    else if (strcmp(option->name, "keycode") == 0)
        propose_keys(found, args, word);
    else if (strcmp(option->name, "snapshotname") == 0 || strcmp(option->name, "from") == 0)
        propose_snapshots(found, session, args, word);
    else if (is_iothread(command, option))
        propose_iothreads(found, session, args, word);
    else if (strcmp(option->name, "domain") == 0)
        propose_domains(found, session, word);
    else if (kind_of(command, option))
        propose_objects(found, session, kind_of(command, option), word);
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
    else if (command)
        propose_values(found, session, words, word);
    g_ptr_array_sort(found, compare);
    g_ptr_array_add(found, NULL);
    return (char **)g_ptr_array_free(found, FALSE);
}
