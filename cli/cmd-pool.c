/* The commands about storage pools that are a row. */
#include "cli/commands.h"

#include "cli/object-commands.h"
#include "cli/object-list.h"
#include "cli/xpath.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

#define OPTION_POOL(help)                                                                          \
    {                                                                                              \
        "pool", OPTION_DATA, OPTION_REQUIRED, help                                                 \
    }
/* How a pool is built that starts. */
#define OPTIONS_BUILD                                                                              \
    { "build", OPTION_BOOL, 0, N_("build the pool first") },                                       \
        { "no-overwrite", OPTION_BOOL, 0, N_("build it only where there is nothing yet") },        \
    {                                                                                              \
        "overwrite", OPTION_BOOL, 0, N_("build it over what is there")                             \
    }

static const Option only_pool[] = { OPTION_POOL(N_("the pool's name or UUID")), { NULL } };

static const ArgsFlag create_flags[] = {
    { "build", VIR_STORAGE_POOL_CREATE_WITH_BUILD },
    { "no-overwrite", VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE },
    { "overwrite", VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE },
    { NULL, 0 },
};

static const Option start_options[] = { OPTION_POOL(N_("the pool's name or UUID")), OPTIONS_BUILD,
                                        { NULL } };

const Command command_pool_start = {
    "pool-start",
    N_("start a pool"),
    NULL,
    start_options,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_pool, "Create", create_flags, N_("Pool %s started\n"),
                         N_("Failed to start pool %s"), { "overwrite", "no-overwrite" } },
};

const Command command_pool_destroy = {
    "pool-destroy",
    N_("stop a pool at once"),
    N_("The definition of a persistent pool stays, and what is in it."),
    only_pool,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_pool, "Destroy", NULL, N_("Pool %s destroyed\n"),
                         N_("Failed to destroy pool %s") },
};

const Command command_pool_undefine = {
    "pool-undefine",
    N_("remove the definition of a pool"),
    NULL,
    only_pool,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_pool, "Undefine", NULL, N_("Pool %s has been undefined\n"),
                         N_("Failed to undefine pool %s") },
};

static const ArgsFlag build_flags[] = {
    { "no-overwrite", VIR_STORAGE_POOL_BUILD_NO_OVERWRITE },
    { "overwrite", VIR_STORAGE_POOL_BUILD_OVERWRITE },
    { NULL, 0 },
};

static const Option build_options[] = {
    OPTION_POOL(N_("the pool's name or UUID")),
    { "no-overwrite", OPTION_BOOL, 0, N_("build it only where there is nothing yet") },
    { "overwrite", OPTION_BOOL, 0, N_("build it over what is there") },
    { NULL },
};

const Command command_pool_build = {
    "pool-build",
    N_("build the storage behind a pool"),
    N_("A directory, a file system or a volume group, as the pool's type has it."),
    build_options,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_pool, "Build", build_flags, N_("Pool %s built\n"),
                         N_("Failed to build pool %s") },
};

const Command command_pool_delete = {
    "pool-delete",
    N_("delete the storage behind a pool"),
    N_("What is in it is lost; the definition of the pool stays."),
    only_pool,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_pool, "Delete", object_no_flags, N_("Pool %s deleted\n"),
                         N_("Failed to delete pool %s") },
};

const Command command_pool_refresh = {
    "pool-refresh",
    N_("refresh what is known of a pool's volumes"),
    NULL,
    only_pool,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_pool, "Refresh", object_no_flags, N_("Pool %s refreshed\n"),
                         N_("Failed to refresh pool %s") },
};

static const ArgsFlag define_flags[] = { { "validate", VIR_STORAGE_POOL_DEFINE_VALIDATE },
                                         { NULL, 0 } };

static const Option define_options[] = {
    OPTION_FILE(N_("file with the pool's XML document")),
    { "validate", OPTION_BOOL, 0, N_("check the document against the schema first") },
    { NULL },
};

const Command command_pool_define = {
    "pool-define",
    N_("define a pool from an XML file, without starting it"),
    N_("A pool of the same name and UUID gets the new definition."),
    define_options,
    object_run_make,
    COMMAND_CHANGES,
    &(const ObjectMake){ &object_pool, "StoragePoolDefineXML", define_flags,
                         N_("Pool %s defined from %s\n"), N_("Failed to define pool from %s") },
};

static const Option create_options[] = { OPTION_FILE(N_("file with the pool's XML document")),
                                         OPTIONS_BUILD,
                                         { NULL } };

const Command command_pool_create = {
    "pool-create",
    N_("start a transient pool from an XML file"),
    NULL,
    create_options,
    object_run_make,
    COMMAND_CHANGES,
    &(const ObjectMake){ &object_pool,
                         "StoragePoolCreateXML",
                         create_flags,
                         N_("Pool %s created from %s\n"),
                         N_("Failed to create pool from %s"),
                         { "overwrite", "no-overwrite" } },
};

static const Option autostart_options[] = {
    OPTION_POOL(N_("the pool's name or UUID")),
    { "disable", OPTION_BOOL, 0, N_("no longer start it with the daemon") },
    { NULL },
};

const Command command_pool_autostart = {
    "pool-autostart",
    N_("start a pool whenever the daemon starts"),
    NULL,
    autostart_options,
    object_run_autostart,
    COMMAND_CHANGES,
    &(const ObjectAutostart){ &object_pool, N_("Pool %s marked as autostarted\n"),
                              N_("Pool %s unmarked as autostarted\n"),
                              N_("failed to mark pool %s as autostarted"),
                              N_("failed to unmark pool %s as autostarted") },
};

static const Option dumpxml_options[] = {
    OPTION_POOL(N_("the pool's name or UUID")),
    { "inactive", OPTION_BOOL, 0, N_("the definition of its next start") },
    OPTIONS_XPATH,
    { NULL },
};

static const ArgsFlag dumpxml_flags[] = { { "inactive", VIR_STORAGE_XML_INACTIVE }, { NULL, 0 } };

const Command command_pool_dumpxml = {
    "pool-dumpxml",     N_("print the XML document of a pool"),
    NULL,               dumpxml_options,
    object_run_dumpxml, 0,
    &(const ObjectXml){ &object_pool, dumpxml_flags },
};

const Command command_pool_edit = {
    "pool-edit",
    N_("edit the definition of a pool"),
    N_("The editor is $VISUAL, $EDITOR or vi."),
    only_pool,
    object_run_edit,
    COMMAND_CHANGES,
    &(const ObjectEdit){ &object_pool, "StoragePoolDefineXML", TRUE, VIR_STORAGE_XML_INACTIVE,
                         N_("Pool %s XML configuration edited.\n"),
                         N_("Pool %s XML configuration not changed.\n") },
};

static const Option only_uuid[] = { OPTION_POOL(N_("the pool's UUID")), { NULL } };
static const Option only_name[] = { OPTION_POOL(N_("the pool's name")), { NULL } };

const Command command_pool_name = {
    "pool-name",     N_("print a pool's name, given its UUID"),
    NULL,            only_uuid,
    object_run_fact, COMMAND_JSON,
    &(const ObjectFact){ &object_pool, OBJECT_BY_KEY, "Name" },
};

const Command command_pool_uuid = {
    "pool-uuid",     N_("print a pool's UUID, given its name"),
    NULL,            only_name,
    object_run_fact, COMMAND_JSON,
    &(const ObjectFact){ &object_pool, OBJECT_BY_NAME, "UUID" },
};

static const Option event_options[] = {
    { "pool", OPTION_STRING, 0, N_("only of this pool: name or UUID") },
    WATCH_OPTION_EVENT,
    WATCH_OPTIONS,
    { NULL },
};

const Command command_pool_event = {
    "pool-event",
    N_("wait for what happens to pools"),
    NULL,
    event_options,
    object_run_event,
    COMMAND_JSON,
    &(const WatchSubject){ "org.libvirt.StoragePool", pool_event_kinds,
                           N_("event '%s' for storage pool %s"), object_learn_names, &object_pool },
};
