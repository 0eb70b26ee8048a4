/* What a guest's clock shows at first, by its <clock>: how far it is from UTC in the VMM's configuration. */
#include "driver/domain-clock.h"
#include "driver/error.h"
#include "driver/xml-read.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <string.h>
#include <time.h>

#define WINTER 1700000000 /* 14 November 2023, 22:13:20 UTC */
#define SUMMER 1690000000 /* 22 July 2023, 04:26:40 UTC */

static gboolean
lower(const char *xml, gint64 now, gint64 *ret, GError **error)
{
    g_autofree char *document = g_strdup_printf("<domain>%s</domain>", xml);
    g_autoptr(XmlDoc) doc = xml_doc_parse(document, "(test)", "domain", NULL);
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, "create");
    DomainClock clock = { 0 };
    gboolean ok;

    domain_clock_init(&clock);
    ok = domain_clock_parse(&clock, xml_doc_root(doc), error);
    g_assert_true(ok);
    ok = domain_clock_lower(&clock, now, msg, error);
    *ret = 0;
    vmm_msg_get_i64(msg, "rtc-offset", ret);
    vmm_msg_free(msg);
    domain_clock_clear(&clock);
    return ok;
}

static const struct Ahead {
    const char *name, *xml;
    gint64 now, ahead;
} aheads[] = {
    { "utc", "<clock offset='utc'/>", WINTER, 0 },
    { "none", "", WINTER, 0 },
    { "reset", "<clock offset='utc' adjustment='reset'/>", WINTER, 0 },
    { "localtime", "<clock offset='localtime'/>", WINTER, -5 * 3600 },
    { "localtime-summer", "<clock offset='localtime'/>", SUMMER, -4 * 3600 },
    { "adjusted", "<clock offset='utc' adjustment='90'/>", WINTER, 90 },
    { "variable", "<clock offset='variable' adjustment='-90'/>", WINTER, -90 },
    { "variable-local", "<clock offset='variable' adjustment='90' basis='localtime'/>", WINTER, 90 - 5 * 3600 },
    { "zone", "<clock offset='timezone' timezone='Europe/Rome'/>", WINTER, 3600 },
    { "zone-summer", "<clock offset='timezone' timezone='Europe/Rome'/>", SUMMER, 7200 },
    { "zone-posix", "<clock offset='timezone' timezone='UTC-3'/>", WINTER, 3 * 3600 },
    { "absolute", "<clock offset='absolute' start='1234567890'/>", WINTER, 1234567890 - WINTER },
    { "absolute-1970", "<clock offset='absolute' start='0'/>", WINTER, -WINTER },
};

static void
test_ahead(gconstpointer data)
{
    const struct Ahead *row = data;
    g_autoptr(GError) error = NULL;
    gint64 ahead;

    g_assert_true(lower(row->xml, row->now, &ahead, &error));
    g_assert_no_error(error);
    g_assert_cmpint(ahead, ==, row->ahead);
}

/* What a definition's clock becomes when its guest starts in winter, and when the guest sets it. */
static const struct Life {
    const char *name, *xml;
    gint64 settled; /* seconds ahead of UTC */
    gint64 set, is; /* to which the guest sets it, and what is kept of that */
    gint64 kept;    /* the adjustment of the definition */
} lives[] = {
    { "utc", "<clock offset='variable' adjustment='100'/>", 100, 120, 120, 120 },
    { "local", "<clock offset='variable' adjustment='100' basis='localtime'/>", 100 - 5 * 3600, 120 - 5 * 3600,
      120 - 5 * 3600, 120 },
    { "far", "<clock offset='variable' adjustment='0'/>", 0, 200ll * 366 * 24 * 3600, (100ll * 366 - 2) * 24 * 3600,
      (100ll * 366 - 2) * 24 * 3600 },
    { "long-ago", "<clock offset='variable' adjustment='0'/>", 0, -200ll * 366 * 24 * 3600,
      -(100ll * 366 - 2) * 24 * 3600, -(100ll * 366 - 2) * 24 * 3600 },
};

static void
parse(DomainClock *clock, const char *xml)
{
    g_autofree char *document = g_strdup_printf("<domain>%s</domain>", xml);
    g_autoptr(XmlDoc) doc = xml_doc_parse(document, "(test)", "domain", NULL);

    domain_clock_init(clock);
    g_assert_true(domain_clock_parse(clock, xml_doc_root(doc), NULL));
}

static void
test_life(gconstpointer data)
{
    const struct Life *row = data;
    DomainClock live = { 0 }, kept = { 0 };

    parse(&live, row->xml);
    parse(&kept, row->xml);
    domain_clock_settle(&live, WINTER);
    g_assert_cmpint(live.basis, ==, DOMAIN_CLOCK_UTC);
    g_assert_cmpint(live.adjustment, ==, row->settled);
    g_assert_false(domain_clock_set(&live, row->settled));
    g_assert_true(domain_clock_set(&live, row->set));
    g_assert_cmpint(live.adjustment, ==, row->is);
    g_assert_true(domain_clock_follow(&kept, WINTER, row->settled, row->is));
    g_assert_cmpint(kept.adjustment, ==, row->kept);
    g_assert_false(domain_clock_follow(&kept, WINTER, row->settled, row->is)); /* it means something else now */
    domain_clock_clear(&live);
    domain_clock_clear(&kept);
}

/* Others are what they were at each start. */
static void
test_fixed(void)
{
    DomainClock clock = { 0 };

    parse(&clock, "<clock offset='localtime' adjustment='reset'/>");
    domain_clock_settle(&clock, WINTER);
    g_assert_cmpint(clock.offset, ==, DOMAIN_CLOCK_LOCALTIME);
    g_assert_false(domain_clock_set(&clock, 20));
    g_assert_false(domain_clock_follow(&clock, WINTER, 0, 20));
    g_assert_cmpint(clock.adjustment, ==, 0);
    domain_clock_clear(&clock);
}

static void
assert_refused(const char *xml, const char *text)
{
    g_autoptr(GError) error = NULL;
    gint64 ahead;

    g_assert_false(lower(xml, WINTER, &ahead, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_CONFIG_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, text));
}

/* A name is no way to other files of the host. */
static void
test_refused(void)
{
    assert_refused("<clock offset='timezone' timezone='Moon/Crater'/>", "value 'Moon/Crater' of attribute 'timezone'");
    assert_refused("<clock offset='timezone' timezone='/usr/share/zoneinfo/Europe/Rome'/>", "does not know it");
    assert_refused("<clock offset='timezone' timezone=':Europe/Rome'/>", "does not know it");
    assert_refused("<clock offset='timezone' timezone='Europe/../Europe/Rome'/>", "does not know it");
    assert_refused("<clock offset='absolute' start='18446744073709551615'/>", "more than a century");
    assert_refused("<clock offset='variable' adjustment='9223372036854775807'/>", "more than a century");
    assert_refused("<clock offset='variable' adjustment='-9223372036854775808' basis='localtime'/>", "more than a century");
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "America/New_York", TRUE);
    tzset();
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(aheads); i++) {
        g_autofree char *name = g_strconcat("/domain-clock/ahead/", aheads[i].name, NULL);

        g_test_add_data_func(name, &aheads[i], test_ahead);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(lives); i++) {
        g_autofree char *name = g_strconcat("/domain-clock/life/", lives[i].name, NULL);

        g_test_add_data_func(name, &lives[i], test_life);
    }
    g_test_add_func("/domain-clock/fixed", test_fixed);
    g_test_add_func("/domain-clock/refused", test_refused);
    return g_test_run();
}
