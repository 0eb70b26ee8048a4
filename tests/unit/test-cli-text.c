/* What is made of text: tables, facts of documents, names of numbers, completion. */
#include "cli/args.h"
#include "cli/complete.h"
#include "cli/document.h"
#include "cli/domain-names.h"
#include "cli/domain.h"
#include "cli/event-kinds.h"
#include "cli/hint.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/words.h"

#include <libvirt/libvirt.h>
#include <string.h>

/* What JSON's grammar is particular about, and how it is laid out. */
static void
test_json(void)
{
    const struct {
        const char *value, *text;
    } cases[] = {
        { "'a\"b\\\\c\\n\\u007f\\u00e4'", "\"a\\\"b\\\\c\\u000a\\u007f\u00e4\"\n" },
        { "true", "true\n" },
        { "byte 0x10", "16\n" },
        { "uint64 18446744073709551615", "18446744073709551615\n" },
        { "int64 -9", "-9\n" },
        { "0.5", "0.5\n" },
        { "1e400", "null\n" },
        { "<<uint32 7>>", "7\n" },
        { "@ms nothing", "null\n" },
        { "@ms 'x'", "\"x\"\n" },
        { "@as []", "[]\n" },
        { "@a{sv} {}", "{}\n" },
        { "{'a': <1>, 'b': <[2, 3]>}", "{\n  \"a\": 1,\n  \"b\": [\n    2,\n    3\n  ]\n}\n" },
        { "('x', 1)", "[\n  \"x\",\n  1\n]\n" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) value = g_variant_parse(NULL, cases[i].value, NULL, NULL, &error);
        g_autofree char *text = NULL;

        if (strstr(cases[i].value, "1e400")) { /* the parser has no word for infinity */
            g_clear_error(&error);
            value = g_variant_ref_sink(g_variant_new_double(1e308 * 10));
        }
        g_assert_no_error(error);
        text = json_text(value);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void
test_table(void)
{
    g_autoptr(Table) table = table_new((const char *const[]){ "Id", "Name", "State", NULL });
    g_autofree char *empty = table_format(table);
    g_autofree char *text = NULL;

    g_assert_cmpstr(empty, ==, " Id   Name   State\n--------------------\n");
    table_add(table, (const char *const[]){ "1", "test", "running", NULL });
    table_add(table, (const char *const[]){ "-", "a longer name", "shut off", NULL });
    text = table_format(table);
    g_assert_cmpstr(text, ==,
                    " Id   Name            State\n"
                    "--------------------------------\n"
                    " 1    test            running\n"
                    " -    a longer name   shut off\n");
}

static void
test_table_bare(void)
{
    g_autoptr(Table) table = table_new(NULL);
    g_autofree char *empty = table_format(table);
    g_autofree char *text = NULL;

    g_assert_cmpstr(empty, ==, "");
    table_add(table, (const char *const[]){ "1", "test", "", NULL });
    text = table_format(table);
    g_assert_cmpstr(text, ==, " 1   test   \n");
}

/* What takes two cells, or none, still stands under its title. */
static void
test_table_wide(void)
{
    g_autoptr(Table) table = table_new((const char *const[]){ "Name", "State", NULL });
    g_autofree char *text = NULL;

    table_add(table, (const char *const[]){ "虚拟机", "運行", NULL });
    table_add(table, (const char *const[]){ "Gäste", "x", NULL });
    table_add(table,
              (const char *const[]){ "e\xcc\x81t\xc3\xa9", "y", NULL }); /* a combining accent */
    text = table_format(table);
    g_assert_cmpstr(text, ==,
                    " Name     State\n"
                    "-----------------\n"
                    " 虚拟机   運行\n"
                    " Gäste    x\n"
                    " e\xcc\x81t\xc3\xa9      y\n");
}

static void
test_table_control(void)
{
    g_autoptr(Table) table = table_new(NULL);
    g_autofree char *text = NULL;

    table_add(table, (const char *const[]){ "a\x1b[2Jb\n", "\xc2\x85", NULL });
    text = table_format(table);
    g_assert_cmpstr(text, ==, " a\\x1b[2Jb\\x0a   \\xc2\\x85\n");
}

static void
test_width(void)
{
    g_assert_cmpuint(text_width(""), ==, 0);
    g_assert_cmpuint(text_width("abc"), ==, 3);
    g_assert_cmpuint(text_width("虚拟机"), ==, 6);
    g_assert_cmpuint(text_width("e\xcc\x81"), ==, 1);
}

static const char document[] =
    "<?xml version='1.0'?><!-- <title>no</title> -->"
    "<domain><name>x</name><metadata><title>not this</title></metadata>"
    "<title>A &amp; <![CDATA[<B>]]></title>"
    "<devices><console type='pty' tty='/dev/pts/7'><target port='0'/></console>"
    "<console type='pty' tty='/dev/pts/8'/></devices></domain>";

static void
test_document(void)
{
    static const struct {
        const char *path, *attribute, *found;
    } cases[] = {
        { "domain/title", NULL, "A & <B>" },
        { "domain/devices/console", "tty", "/dev/pts/7" },
        { "domain/devices/console", "nothing", NULL },
        { "domain/description", NULL, NULL },
        { "title", NULL, NULL },
        { "domain/metadata/title", NULL, "not this" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = document_find(document, cases[i].path, cases[i].attribute);
        g_assert_cmpstr(found, ==, cases[i].found);
    }
}

static void
test_document_broken(void)
{
    static const char *const broken[] = { "",
                                          "text",
                                          "<domain>",
                                          "<domain><title>x",
                                          "<a><b></a></b>",
                                          "<domain><title>&x;</title></domain>" };

    for (gsize i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autofree char *found = document_find(broken[i], "domain/title", NULL);
        g_assert_null(found);
    }
}

static void
test_names(void)
{
    g_assert_cmpstr(domain_state_name(VIR_DOMAIN_SHUTOFF), ==, "shut off");
    g_assert_cmpstr(domain_state_name(VIR_DOMAIN_PMSUSPENDED), ==, "pmsuspended");
    g_assert_cmpstr(domain_state_name(-1), ==, "no state");
    g_assert_cmpstr(domain_state_name(1000), ==, "no state");
    g_assert_cmpstr(domain_reason_name(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED), ==,
                    "unpaused");
    g_assert_cmpstr(domain_reason_name(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_POSTCOPY), ==,
                    "post-copy");
    g_assert_cmpstr(domain_reason_name(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP), ==,
                    "starting up");
    g_assert_cmpstr(domain_reason_name(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DAEMON), ==,
                    "daemon");
    g_assert_cmpstr(domain_reason_name(VIR_DOMAIN_SHUTOFF, 1000), ==, "unknown");
    g_assert_cmpstr(domain_reason_name(1000, 0), ==, "unknown");
    g_assert_cmpstr(domain_event_name(VIR_DOMAIN_EVENT_CRASHED), ==, "Crashed");
    g_assert_cmpstr(
        domain_event_detail_name(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT),
        ==, "Snapshot");
    g_assert_cmpstr(
        domain_event_detail_name(VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_HOST), ==,
        "Finished after host request");
    g_assert_cmpstr(domain_event_detail_name(VIR_DOMAIN_EVENT_STOPPED, -1), ==, "unknown");
}

static void
test_path(void)
{
    g_autofree char *uuid =
        domain_path_uuid("/org/libvirt/QEMU/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f");

    g_assert_cmpstr(uuid, ==, "6695eb01-f6a4-8304-79aa-97f2502e193f");
    g_assert_null(domain_path_uuid("/org/libvirt/QEMU"));
    g_assert_null(domain_path_uuid("/"));
}

/* Each kind puts signals of its own type into words. */
static void
test_events(void)
{
    static const struct {
        const char *name, *parameters, *details;
    } cases[] = {
        { "lifecycle", "(objectpath '/x', 2, 0)", "Started Booted" },
        { "lifecycle", "(objectpath '/x', 99, 99)", "unknown unknown" },
        { "rtc-change", "(int64 -3600,)", "-3600" },
        { "watchdog", "(6,)", "inject-nmi" },
        { "io-error", "('/a.img', 'virtio-disk0', 2, 'enospc')", "/a.img (virtio-disk0) report" },
        { "graphics",
          "(1, (0, '10.0.0.1', '5900'), (1, '::1', '9'), 'sasl', [('x509dname', 'C=DE'), ('saslUsername', 'me')])",
          "initialize local[IPv4 10.0.0.1 5900] remote[IPv6 ::1 9] sasl\n\tx509dname=C=DE\n\tsaslUsername=me" },
        { "graphics", "(2, (2, '/s', ''), (9, '', ''), '', @a(ss) [])",
          "disconnect local[unix /s ] remote[unknown  ] " },
        { "block-job", "('vda', 1, 0)", "Block Pull for vda completed" },
        { "block-job-2", "('vda', 4, 3)", "Active Block Commit for vda ready" },
        { "io-error-reason", "('/a.img', 'virtio-disk0', 1, 'enospc')",
          "/a.img (virtio-disk0) pause due to enospc" },
        { "disk-change", "('/cd.iso', '', 'virtio-disk0', 0)", " disk virtio-disk0: /cd.iso -> <null>: changed" },
        { "disk-change", "('/a.img', '', 'virtio-disk1', 1)", " disk virtio-disk1: /a.img -> <null>: dropped" },
        { "disk-change", "('', '/b.iso', 'virtio-disk0', 2)", " disk virtio-disk0: <null> -> /b.iso: unknown" },
        { "tray-change", "('virtio-disk0', 0)", " disk virtio-disk0: opened" },
        { "tray-change", "('virtio-disk0', 1)", " disk virtio-disk0: closed" },
        { "balloon-change", "(uint64 1024,)", "1024KiB" },
        { "device-added", "('net0',)", "net0" },
        { "agent-lifecycle", "(1, 2)", "state: 'connected' reason: 'channel event'" },
        { "migration-iteration", "(3,)", "iteration: '3'" },
        { "metadata-change", "(2, 'http://x')", "type element, uri http://x" },
        { "metadata-change", "(1, '')", "type title, uri none" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const EventKind *kind = event_kind_find(event_kinds, cases[i].name);
        g_autoptr(GVariant) parameters =
            g_variant_parse(G_VARIANT_TYPE(kind->type), cases[i].parameters, NULL, NULL, NULL);
        g_autofree char *details = kind->details(parameters);
        g_assert_cmpstr(details, ==, cases[i].details);
    }
    g_assert_null(event_kind_find(event_kinds, "frob"));
    g_assert_null(event_kind_find(event_kinds, "memory-failure")->member);
}

static void
test_complete(void)
{
    static const struct {
        const char *before, *word, *proposals;
    } cases[] = {
        { "", "domu", "domuuid" },
        { "  ", "su", "suspend" },
        { "uri; ", "su", "suspend" },
        { "list ", "--in", "--inactive" },
        { "list --all ", "--na", "--name" },
        { "uri; list ", "--uu", "--uuid" },
        { "help ", "domu", "domuuid" },
        { "", "nothing", "" },
        { "", "nodedev-dett", "" },           /* an older name */
        { "attach-disk a b c ", "--sh", "" }, /* and one of an option */
        { "frob ", "--x", "" },
        { "dominfo ", "w", "" }, /* no connection, so no names */
        { "define ", "/tm", "" },
        { "echo \"", "su", "" },
    };
    Session session = { .uri = NULL };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) found = complete(&session, cases[i].before, cases[i].word);
        g_autofree char *joined = g_strjoinv(" ", found);
        g_assert_cmpstr(joined, ==, cases[i].proposals);
    }
}

static void
test_hints(void)
{
    static const struct {
        const char *line, *complaints, *hint;
    } cases[] = {
        { "start web", "Failed to start domain 'web'\nDomain is already active\n", "vmctl console web" },
        { "reset 'a b'", "Requested operation is not valid: domain is not running\n",
          "vmctl start 'a b'" },
        { "dominfo nope", "failed to get domain 'nope'\nDomain not found: no domain with matching name 'nope'\n",
          "vmctl list --all" },
        { "undefine web",
          "Refusing to undefine while domain managed save image exists\n",
          "vmctl undefine web --managed-save" },
        { "domrename web x", "domain with a managed saved state can't be renamed\n",
          "vmctl managedsave-remove web (that loses what was saved)" },
        { "undefine web", "Requested operation is not valid: cannot undefine transient domain\n",
          "vmctl destroy web (it is gone then)" },
        { "suspend web", "Timed out during operation: cannot acquire state change lock (held by Save)\n",
          "vmctl domjobinfo web (another job changes the domain)" },
        { "start web",
          "internal error: Failed to get \"write\" lock: is another process using the image '/a b.img'?\n",
          "fuser -v '/a b.img' (who has it open)" },
        { "net-info x", "Network not found: no network with matching name 'x'\n", "vmctl net-list --all" },
        { "net-destroy x", "Requested operation is not valid: network 'x' is not active\n",
          "vmctl net-start x" },
        { "pool-refresh x", "Requested operation is not valid: storage pool 'x' is not active\n",
          "vmctl pool-start x" },
        { "start web", "access denied: 'QEMU' denied access\n",
          "sudo usermod -aG libvirt \"$USER\" (its members may change guests, once they have logged in "
          "again)" },
        { "list", "no daemon answers at qemu:///system: gone; is the daemon running?\n",
          "vmctl doctor" },
        { "start web", "internal error: Could not access KVM kernel module\n", "vmctl doctor" },
        { NULL, "unknown command: 'frob'\n", "vmctl help" },
        { NULL, "command 'list' doesn't support option --frob\n", "vmctl help list" },
        { NULL, "command 'start' requires <domain> option\n", "vmctl help start" },
        { "list", "Domain is not suspended\n", NULL },
        { "list", "domain is not running\n", NULL }, /* of which domain? */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) commands = words_split(cases[i].line ? cases[i].line : "", NULL);
        const GPtrArray *words = commands->len > 0 ? commands->pdata[0] : NULL;
        g_autoptr(Args) args =
            words ? args_parse((const char *const *)words->pdata, words->len, NULL) : NULL;
        g_autofree char *hint = hint_for(cases[i].complaints, args);
        g_autofree char *wanted =
            cases[i].hint ? g_strdup_printf("hint: %s", cases[i].hint) : NULL;

        g_assert_cmpstr(hint, ==, wanted);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmctl/text/json", test_json);
    g_test_add_func("/cli/table/layout", test_table);
    g_test_add_func("/cli/table/bare", test_table_bare);
    g_test_add_func("/cli/table/wide", test_table_wide);
    g_test_add_func("/cli/table/control", test_table_control);
    g_test_add_func("/cli/table/width", test_width);
    g_test_add_func("/cli/document/find", test_document);
    g_test_add_func("/cli/document/broken", test_document_broken);
    g_test_add_func("/cli/domain/names", test_names);
    g_test_add_func("/cli/domain/path", test_path);
    g_test_add_func("/cli/events", test_events);
    g_test_add_func("/cli/complete", test_complete);
    g_test_add_func("/cli/hints", test_hints);
    return g_test_run();
}
