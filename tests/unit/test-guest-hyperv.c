/* What a domain's enlightenments come to: bits of Hyper-V's leaves, and what has to be on with what. */
#include "driver/guest-hyperv.h"

#include "driver/domain-xml.h"
#include "driver/error.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

#define TIMERS "<vpindex state='on'/><synic state='on'/><stimer state='on'><direct state='on'/></stimer>"
#define CLOCK  "<timer name='hypervclock' present='yes'/>"

static DomainDef *
parse(const char *hyperv, const char *clock)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type>"
        "<kernel>/k</kernel></os><features><hyperv>%s</hyperv></features><clock>%s</clock></domain>",
        hyperv, clock);
    g_autoptr(GError) error = NULL;
    DomainDef *def = domain_xml_parse(xml, &error);

    g_assert_no_error(error);
    return def;
}

/* What each vCPU has to have, and what is hypercalls. */
static const struct Bits {
    const char *name, *hyperv, *features, *advice;
} all_bits[] = {
    { "/guest-hyperv/all",
      TIMERS "<reenlightenment state='on'/><tlbflush state='on'/><ipi state='on'/><avic state='on'/>",
      " 40000003.0:eax=226e/ffffffff 40000003.0:edx=80008/ffffffff ", " 40000004.0:eax=e04/ffffffff " },
    { "/guest-hyperv/timers",
      "<vpindex state='on'/><synic state='on'/><stimer state='on'/>",
      " 40000003.0:eax=26e/ffffffff 40000003.0:edx=8/ffffffff ", " 40000004.0:eax=0/ffffffff " },
    { "/guest-hyperv/flushes", "<vpindex state='on'/><tlbflush state='on'/>",
      " 40000003.0:eax=262/ffffffff 40000003.0:edx=8/ffffffff ", " 40000004.0:eax=804/ffffffff " },
};

static void
test_bits(gconstpointer data)
{
    const struct Bits *bits = data;
    g_autoptr(DomainDef) def = parse(bits->hyperv, CLOCK);
    g_autoptr(GString) edits = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(guest_hyperv_is_on(def));
    g_assert_true(guest_hyperv_check(def, &error));
    g_assert_cmpint(guest_hyperv_has_synic(def), ==, strstr(bits->hyperv, "synic") != NULL);
    guest_hyperv_put(def, edits);
    g_assert_nonnull(strstr(edits->str, bits->features));
    g_assert_nonnull(strstr(edits->str, bits->advice));
}

static void
test_needs(void)
{
    static const struct {
        const char *hyperv, *clock, *message;
    } rows[] = {
        { "<synic state='on'/>", "", "'synic' requires 'vpindex'" },
        { "<stimer state='on'/>", CLOCK, "'stimer' requires 'synic'" },
        { "<tlbflush state='on'/>", "", "'tlbflush' requires 'vpindex'" },
        { "<ipi state='on'/>", "", "'ipi' requires 'vpindex'" },
        { TIMERS, "", "'stimer' requires the timer 'hypervclock'" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = g_strdup_printf(
            "unsupported configuration: Hyper-V enlightenment %s", rows[i].message);
        g_autoptr(DomainDef) def = parse(rows[i].hyperv, rows[i].clock);
        g_autoptr(GError) error = NULL;

        g_assert_false(guest_hyperv_check(def, &error));
        g_assert_error(error, DRIVER_ERROR, VIR_ERR_CONFIG_UNSUPPORTED);
        g_assert_cmpstr(error->message, ==, message);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(all_bits); i++)
        g_test_add_data_func(all_bits[i].name, &all_bits[i], test_bits);
    g_test_add_func("/guest-hyperv/needs", test_needs);
    return g_test_run();
}
