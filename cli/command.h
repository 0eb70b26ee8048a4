/* command: what a command is: a row of a table. The parser, the help, the completion and the manual's test
 * all read these rows, so a command is described once. */
#pragma once

#include <glib.h>

typedef struct Session Session;
typedef struct Args Args;

typedef enum {
    OPTION_BOOL,
    OPTION_INT,    /* --name <number> */
    OPTION_SIZE,   /* the same, with a unit: the command reads it */
    OPTION_STRING, /* --name <string>, also by position */
    OPTION_DATA,   /* by position first: shown as <name> */
    OPTION_ARGV,   /* everything that is left, any number of times */
} OptionKind;

typedef enum {
    OPTION_REQUIRED = 1 << 0,
    OPTION_NAMED_ONLY = 1 << 1, /* never by position */
    OPTION_EMPTY_OK = 1 << 2,   /* "" is a value */
    OPTION_WIDE = 1 << 3,       /* a number of 64 bits */
    OPTION_CHANGES = 1 << 4,    /* with it a command that else only reads is refused with -r */
    OPTION_SECRET = 1 << 5,     /* the same, because it shows secrets */
} OptionFlags;

typedef struct Option {
    const char *name; /* NULL ends a table */
    OptionKind kind;
    guint flags;
    const char *help; /* N_() */
    char letter;      /* "-x" as well; '\0', as for virsh's commands: no */
} Option;

/* A name that virsh once had for an option, and still takes. The help tells of none. */
typedef struct OptionAlias {
    const char *name;   /* NULL ends a table */
    const char *option; /* what it is called now */
    const char *value;  /* what it stands for then; NULL: it takes one as the option does */
} OptionAlias;

/* Its value is a number, with a unit perhaps. */
#define option_is_number(option) ((option)->kind == OPTION_INT || (option)->kind == OPTION_SIZE)

typedef enum {
    COMMAND_OFFLINE = 1 << 0, /* needs no daemon */
    COMMAND_CHANGES = 1 << 1, /* refused with -r */
    COMMAND_LEAVES = 1 << 2,  /* ends the shell */
    COMMAND_JSON = 1 << 3,    /* knows --output json */
    COMMAND_HIDDEN = 1 << 4,  /* for programs: not in the help */
} CommandFlags;

typedef struct Command {
    const char *name;
    const char *summary;     /* N_(), one line */
    const char *description; /* N_(), or NULL where the summary says it all */
    const Option *options;   /* NULL: none */
    /* FALSE: it failed, and has said so or has set @error, which the caller prints. */
    gboolean (*run)(Session *session, const Args *args, GError **error);
    guint flags;
    gconstpointer about; /* what @run is to do, where it is that of several commands */
    const OptionAlias *aliases; /* NULL: none */
} Command;

/* The same of a command. */
typedef struct CommandAlias {
    const char *name; /* NULL ends a table */
    const Command *command;
} CommandAlias;

typedef struct CommandGroup {
    const char *title;   /* N_() */
    const char *keyword; /* for "help KEYWORD" */
    const Command *const *commands;
} CommandGroup;

/* Both end with a row of NULLs. */
extern const CommandGroup command_groups[];
extern const CommandAlias command_aliases[];

/* NULL: there is none of that name, today's or an older one. */
const Command *command_find(const char *name);
const CommandGroup *command_group_find(const char *keyword);
/* The option of that name, or NULL. */
const Option *command_option(const Command *command, const char *name);
/* What @name is an older name of, or NULL. */
const OptionAlias *command_option_alias(const Command *command, const char *name);

/* The option that says which domain, as most commands have it. */
#define OPTION_DOMAIN(help)                                                                        \
    {                                                                                              \
        "domain", OPTION_DATA, OPTION_REQUIRED, help                                               \
    }
#define OPTION_DOMAIN_ANY OPTION_DOMAIN(N_("the domain's name, id or UUID"))
