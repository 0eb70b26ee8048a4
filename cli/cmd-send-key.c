/* send-key: keys are pressed on a guest's keyboard, and let go again. */
#include "cli/commands.h"
#include "cli/domain.h"
#include "cli/keynames.h"
#include "cli/output.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <stdlib.h>

#define CODE_MAX 0xffff

static gboolean
read_codeset(const Args *args, const KeyCodeset **ret, GError **error)
{
    const char *name = args_has(args, "codeset") ? args_string(args, "codeset") : "linux";

    *ret = key_codeset_find(name);
    return *ret || cli_fail(error, _("unknown codeset: '%s'"), name);
}

static gboolean
read_holdtime(const Args *args, guint *ret, GError **error)
{
    gint64 holdtime = args_int64(args, "holdtime", 0);

    *ret = holdtime;
    return (holdtime >= 0 && holdtime <= G_MAXUINT) ||
           cli_fail(error, _("Numeric value '%s' for <%s> option is malformed or out of range"),
                    args_string(args, "holdtime"), "holdtime");
}

/* A number, in C's ways of writing one, or the name of a key; negative: it is neither. */
static int
read_key(const KeyCodeset *set, const char *text)
{
    char *end;
    long code;

    errno = 0;
    code = strtol(text, &end, 0);
    if (*text && !*end && !errno && code >= 0 && code <= CODE_MAX)
        return code;
    return key_find(set, text);
}

static GVariant *
read_keys(const KeyCodeset *set, const char *const *texts, GError **error)
{
    guint32 codes[VIR_DOMAIN_SEND_KEY_MAX_KEYS];
    gsize n = 0;

    for (; *texts; texts++) {
        int code = read_key(set, *texts);

        if (n == G_N_ELEMENTS(codes)) {
            cli_fail(error, "%s", _("too many keycodes"));
            return NULL;
        }
        if (code < 0) {
            cli_fail(error, _("invalid keycode: '%s'"), *texts);
            return NULL;
        }
        codes[n++] = code;
    }
    return g_variant_new_fixed_array(G_VARIANT_TYPE_UINT32, codes, n, sizeof(codes[0]));
}

static gboolean
run_send_key(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(GVariant) parameters = NULL;
    const KeyCodeset *set;
    GVariant *keys;
    guint holdtime;

    if (!domain || !read_holdtime(args, &holdtime, error) || !read_codeset(args, &set, error))
        return FALSE;
    keys = read_keys(set, args_list(args, "keycode"), error);
    if (!keys)
        return FALSE;
    parameters = g_variant_ref_sink(g_variant_new("(uu@auu)", set->number, holdtime, keys, 0u));
    return domain_do(domain, "SendKey", parameters, error);
}

static const Option options[] = {
    OPTION_DOMAIN_ANY,
    { "codeset", OPTION_STRING, OPTION_NAMED_ONLY,
      N_("what the numbers mean: linux (the default), xt, atset1, atset2, atset3, os_x, xt_kbd, "
         "usb, "
         "win32, qnum") },
    { "holdtime", OPTION_INT, OPTION_NAMED_ONLY | OPTION_WIDE,
      N_("how many milliseconds the keys are held (default: 100)") },
    { "keycode", OPTION_ARGV, OPTION_REQUIRED,
      N_("the keys, 16 at most, by number or by name: KEY_LEFTCTRL") },
    { NULL },
};

const Command command_send_key = {
    "send-key",
    N_("press keys on a domain's keyboard"),
    N_("They go down one after the other, are held together, and come up again."),
    options,
    run_send_key,
    COMMAND_CHANGES,
};
