/* send-key: virDomainSendKey: somebody types on a guest's keyboard. */
#include "driver/domain.h"

#include "driver/error.h"
#include "driver/flags.h"
#include "driver/keycodes.h"
#include "driver/verb.h"

#include <libvirt/libvirt.h>

#define HOLD_DEFAULT_MS 100 /* QEMU's, where nobody says how long */

/* Keys as the VMM numbers them. */
typedef struct Stroke {
    guint8 keys[VIR_DOMAIN_SEND_KEY_MAX_KEYS];
    gsize n;
    guint hold_ms;
} Stroke;

/* What libvirt looks at before any driver is asked. */
static gboolean
check_keys(const DomainKeys *keys, GError **error)
{
    if (keys->n == 0) /* an array of none is no array to those who call libvirt for the bus */
        return driver_error_argument(error, "keycodes in virDomainSendKey must not be NULL");
    if (!keycode_set_name(keys->codeset))
        return driver_error_argument(error, "Unsupported codeset '%u'", keys->codeset);
    return keys->n <= VIR_DOMAIN_SEND_KEY_MAX_KEYS ||
           driver_error_argument(error, "nkeycodes must be <= %d", VIR_DOMAIN_SEND_KEY_MAX_KEYS);
}

/* A key that keyboards of PCs do not have is refused, where libvirt has QEMU press none. */
static gboolean
translate(const DomainKeys *keys, Stroke *stroke, GError **error)
{
    stroke->n = keys->n;
    stroke->hold_ms = keys->hold_ms ? keys->hold_ms : HOLD_DEFAULT_MS;
    for (gsize i = 0; i < keys->n; i++) {
        stroke->keys[i] = keycode_to_qnum(keys->codeset, keys->codes[i]);
        if (!stroke->keys[i])
            return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                                "cannot translate keycode %u of %s codeset to qnum keycode",
                                keys->codes[i], keycode_set_name(keys->codeset));
    }
    return TRUE;
}

/* As libvirt's test driver, whose guests have no keyboard. */
static gboolean
pretend(const Domain *domain, const DomainKeys *keys, GError **error)
{
    if (!domain_is_active(domain))
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
    for (gsize i = 0; i < keys->n; i++) {
        if (!keycode_is_known(keys->codeset, keys->codes[i]))
            return driver_error(error, VIR_ERR_INTERNAL_ERROR, "invalid keycode %u of %s codeset",
                                keys->codes[i], keycode_set_name(keys->codeset));
    }
    return TRUE;
}

/* It is answered when the keys have gone down, not when they have come up. */
static void
begin(Verb *verb)
{
    const Stroke *stroke = verb->detail;
    VmmLink *link = verb_link(verb);
    VmmMsg *request;

    if (!link)
        return;
    request = vmm_link_request(link, VMM_TELL_DEVICE);
    vmm_msg_put_string(request, "id", VMM_DEVICE_KEYBOARD);
    vmm_msg_put_bytes(request, "keys", stroke->keys, stroke->n);
    vmm_msg_put_u64(request, "hold", stroke->hold_ms);
    vmm_link_send(link, request, VMM_LINK_TIMEOUT_MS, verb_answered, verb);
}

void
domain_send_key(Domain *domain, const DomainKeys *keys, guint flags, DomainDone done, gpointer data)
{
    Verb verb = {
        .domain = domain,
        .flags = flags,
        .detail_free = g_free,
        .begin = begin,
        .done = done,
        .data = data,
    };
    g_autoptr(GError) error = NULL;
    Stroke stroke;

    if (!check_keys(keys, &error) || !driver_check_flags(flags, 0, "virDomainSendKey", &error)) {
        done(data, error);
    } else if (domain_is_simulated(domain)) {
        pretend(domain, keys, &error);
        done(data, error);
    } else if (!translate(keys, &stroke, &error)) {
        done(data, error);
    } else {
        verb.detail = g_memdup2(&stroke, sizeof(stroke));
        verb_start("send-key", &verb);
    }
}
