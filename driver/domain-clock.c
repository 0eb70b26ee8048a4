#include "driver/domain-clock.h"

#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <errno.h>
#include <string.h>

static const char *const offsets[] = { "utc", "localtime", "variable", "timezone", "absolute", NULL };

/* Seconds that the clock can be ahead of or behind UTC: what its register for the century shows in any year now. */
#define AHEAD_MAX (100ll * 366 * 24 * 3600)
/* As many, less what local time may be ahead of UTC: a guest may set it to anything, and has to start again. */
#define KEPT_MAX (AHEAD_MAX - 2 * 24 * 3600)

static void
timer_free(DomainTimer *timer)
{
    g_free(timer->name);
    g_free(timer->tickpolicy);
    g_free(timer->track);
    g_free(timer->mode);
    g_free(timer);
}

static DomainTimer *
timer_copy(const DomainTimer *timer)
{
    DomainTimer *copy = g_memdup2(timer, sizeof(*timer));

    copy->name = g_strdup(timer->name);
    copy->tickpolicy = g_strdup(timer->tickpolicy);
    copy->track = g_strdup(timer->track);
    copy->mode = g_strdup(timer->mode);
    return copy;
}

void
domain_clock_init(DomainClock *clock)
{
    clock->offset = DOMAIN_CLOCK_UTC;
    clock->timers = g_ptr_array_new_with_free_func((GDestroyNotify)timer_free);
}

void
domain_clock_clear(DomainClock *clock)
{
    g_ptr_array_unref(clock->timers);
    g_free(clock->timezone);
}

void
domain_clock_own(DomainClock *clock)
{
    const GPtrArray *others = clock->timers;

    clock->timezone = g_strdup(clock->timezone);
    clock->timers = g_ptr_array_new_with_free_func((GDestroyNotify)timer_free);
    for (guint i = 0; i < others->len; i++)
        g_ptr_array_add(clock->timers, timer_copy(others->pdata[i]));
}

/* What each timer can be asked to be. The RTC's events that are due together raise one interrupt, or
 * with "catchup" one each; KVM's PIT delivers late ticks one after the other as soon as the guest takes
 * them, which is libvirt's "delay" and its "catchup", or drops them. There is no HPET, which is
 * what documents usually say. The guest's TSC is the processor's own, scaled where
 * that is asked for: "native". */
static const struct TimerRule {
    const char *name;
    const char *present;    /* what it can be; the first word is the default */
    const char *tickpolicy; /* words; NULL: none may be given */
    const char *track;      /* likewise */
    const char *mode;       /* likewise */
    gboolean frequency;
} rules[] = {
    /* clang-format off */
    { "rtc", "yes", "merge catchup", "wall", NULL, FALSE },
    { "pit", "yes", "delay catchup discard", NULL, NULL, FALSE },
    { "hpet", "no", NULL, NULL, NULL, FALSE },
    { "kvmclock", "yes no", NULL, NULL, NULL, FALSE },
    { "tsc", "yes", NULL, NULL, "auto native", TRUE },
    { "hypervclock", "yes no", NULL, NULL, NULL, FALSE },
    /* clang-format on */
};

static const struct TimerRule *
find_rule(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    }
    g_assert_not_reached();
}

static gboolean
is_among(const char *value, const char *words)
{
    g_auto(GStrv) list = g_strsplit(words ? words : "", " ", -1);

    return g_strv_contains((const char *const *)list, value);
}

static gboolean
check_attr(const DomainTimer *timer, const char *attr, const char *value, const char *words,
           GError **error)
{
    if (!value || is_among(value, words))
        return TRUE;
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "value '%s' of attribute '%s' of <timer name='%s'> is not supported yet by "
                        "this machine",
                        value, attr, timer->name);
}

static gboolean
check_timer(const DomainTimer *timer, GError **error)
{
    static const char *const presence[] = { "no", "yes" };
    const struct TimerRule *rule = find_rule(timer->name);
    const char *present = timer->present < 0 ? NULL : presence[timer->present];

    if (timer->frequency && !rule->frequency)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "timer %s doesn't support setting of timer frequency", timer->name);
    if (!check_attr(timer, "present", present, rule->present, error) ||
        !check_attr(timer, "tickpolicy", timer->tickpolicy, rule->tickpolicy, error) ||
        !check_attr(timer, "track", timer->track, rule->track, error) ||
        !check_attr(timer, "mode", timer->mode, rule->mode, error))
        return FALSE;
    if (!present && !is_among("yes", rule->present))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "timer '%s' is not supported yet by this machine", timer->name);
    return TRUE;
}

/* A word that is kept as a word. */
static gboolean
parse_word(const XmlNode *node, const char *name, const char *const *words, char **ret,
           GError **error)
{
    int i = -1;

    if (!xml_attr_word(node, name, XML_OPTIONAL, words, &i, error))
        return FALSE;
    if (i >= 0)
        *ret = g_strdup(words[i]);
    return TRUE;
}

static gboolean
parse_frequency(DomainTimer *timer, const XmlNode *node, GError **error)
{
    g_autofree char *text = xml_attr(node, "frequency");

    if (!text || xml_parse_uint64(text, &timer->frequency))
        return TRUE;
    return driver_error(
        error, VIR_ERR_XML_ERROR,
        "Invalid value for attribute 'frequency' in element 'timer': '%s'. Expected "
        "non-negative integer value",
        text);
}

static gboolean
parse_timer(GPtrArray *timers, const XmlNode *node, GError **error)
{
    static const char *const names[] = { "rtc", "pit",         "hpet", "kvmclock",
                                         "tsc", "hypervclock", NULL };
    static const char *const ticks[] = { "delay", "catchup", "merge", "discard", NULL };
    static const char *const tracks[] = { "boot", "guest", "wall", "realtime", NULL };
    static const char *const modes[] = { "auto", "native", "emulate", "paravirt", "smpsafe", NULL };
    static const char *const presences[] = { "no", "yes", NULL };
    DomainTimer *timer = g_new0(DomainTimer, 1);
    int name = 0;

    g_ptr_array_add(timers, timer);
    timer->present = -1;
    if (!xml_attr_word(node, "name", XML_REQUIRED, names, &name, error) ||
        !xml_attr_word(node, "present", XML_OPTIONAL, presences, &timer->present, error) ||
        !parse_word(node, "tickpolicy", ticks, &timer->tickpolicy, error) ||
        !parse_word(node, "track", tracks, &timer->track, error) ||
        !parse_frequency(timer, node, error) ||
        !parse_word(node, "mode", modes, &timer->mode, error))
        return FALSE;
    timer->name = g_strdup(names[name]);
    return check_timer(timer, error);
}

static gboolean
parse_offset(DomainClock *clock, const char *offset, GError **error)
{
    for (int i = 0; offsets[i]; i++) {
        if (g_strcmp0(offsets[i], offset) == 0)
            clock->offset = i;
    }
    if (!offset || strcmp(offsets[clock->offset], offset) == 0)
        return TRUE;
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown clock offset '%s'", offset);
}

static gboolean
parse_number(const char *text, gint64 *ret)
{
    char *end;

    errno = 0;
    *ret = g_ascii_strtoll(text, &end, 10);
    return *text && !*end && errno == 0 && !g_ascii_isspace(*text);
}

/* libvirt takes what is no number for 0 where the offset is said to be variable: here it is the error that
 * libvirt has for the others. */
static gboolean
parse_adjustment(DomainClock *clock, const XmlNode *node, GError **error)
{
    g_autofree char *text = xml_attr(node, "adjustment");

    if (!text || !*text)
        return TRUE;
    clock->reset = clock->offset != DOMAIN_CLOCK_VARIABLE && strcmp(text, "reset") == 0;
    if (clock->reset)
        return TRUE;
    if (!parse_number(text, &clock->adjustment))
        return driver_error(error, VIR_ERR_XML_ERROR, "unknown clock adjustment '%s'", text);
    if (clock->offset != DOMAIN_CLOCK_VARIABLE)
        clock->basis = clock->offset;
    clock->offset = DOMAIN_CLOCK_VARIABLE;
    return TRUE;
}

static gboolean
parse_variable(DomainClock *clock, const XmlNode *node, GError **error)
{
    g_autofree char *basis = xml_attr(node, "basis");

    clock->basis = g_strcmp0(basis, offsets[DOMAIN_CLOCK_LOCALTIME]) == 0 ? DOMAIN_CLOCK_LOCALTIME : DOMAIN_CLOCK_UTC;
    if (basis && strcmp(basis, offsets[clock->basis]) != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown clock basis '%s'", basis);
    return parse_adjustment(clock, node, error);
}

static gboolean
parse_timezone(DomainClock *clock, const XmlNode *node, GError **error)
{
    clock->timezone = xml_attr(node, "timezone");
    return (clock->timezone && *clock->timezone) ||
           driver_error(error, VIR_ERR_INTERNAL_ERROR,
                        "missing 'timezone' attribute for clock with offset='timezone'");
}

static gboolean
parse_start(DomainClock *clock, const XmlNode *node, GError **error)
{
    g_autofree char *text = xml_attr(node, "start");

    return (text && xml_parse_uint64(text, &clock->start)) ||
           driver_error(error, VIR_ERR_INTERNAL_ERROR,
                        "missing 'start' attribute for clock with offset='absolute'");
}

static gboolean
parse_details(DomainClock *clock, const XmlNode *node, GError **error)
{
    static gboolean (*const parsers[])(DomainClock *clock, const XmlNode *node, GError **error) = {
        [DOMAIN_CLOCK_UTC] = parse_adjustment,      [DOMAIN_CLOCK_LOCALTIME] = parse_adjustment,
        [DOMAIN_CLOCK_VARIABLE] = parse_variable,   [DOMAIN_CLOCK_TIMEZONE] = parse_timezone,
        [DOMAIN_CLOCK_ABSOLUTE] = parse_start,
    };

    return parsers[clock->offset](clock, node, error);
}

gboolean
domain_clock_parse(DomainClock *clock, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "clock");
    g_autofree char *offset = node ? xml_attr(node, "offset") : NULL;
    const XmlNode *child = node ? xml_first(node) : NULL;

    if (!parse_offset(clock, offset, error) || (node && !parse_details(clock, node, error)))
        return FALSE;
    for (; child; child = xml_next(child)) {
        if (!xml_namespace(child) && strcmp(xml_name(child), "timer") == 0 &&
            !parse_timer(clock->timers, child, error))
            return FALSE;
    }
    return TRUE;
}

static void
put_optional(XmlWriter *out, const char *name, const char *value)
{
    if (value)
        xml_put_attr(out, name, value);
}

static void
format_details(const DomainClock *clock, XmlWriter *out)
{
    if (clock->offset == DOMAIN_CLOCK_VARIABLE) {
        g_autofree char *adjustment = g_strdup_printf("%" G_GINT64_FORMAT, clock->adjustment);

        xml_put_attr(out, "adjustment", adjustment);
        xml_put_attr(out, "basis", offsets[clock->basis]);
    }
    if (clock->reset)
        xml_put_attr(out, "adjustment", "reset");
    put_optional(out, "timezone", clock->timezone);
    if (clock->offset == DOMAIN_CLOCK_ABSOLUTE)
        xml_put_attr_uint(out, "start", clock->start);
}

void
domain_clock_format(const DomainClock *clock, XmlWriter *out)
{
    xml_open(out, "clock");
    xml_put_attr(out, "offset", offsets[clock->offset]);
    format_details(clock, out);
    for (guint i = 0; i < clock->timers->len; i++) {
        const DomainTimer *timer = clock->timers->pdata[i];

        xml_open(out, "timer");
        xml_put_attr(out, "name", timer->name);
        if (timer->present >= 0)
            xml_put_attr(out, "present", timer->present ? "yes" : "no");
        put_optional(out, "tickpolicy", timer->tickpolicy);
        put_optional(out, "track", timer->track);
        if (timer->frequency)
            xml_put_attr_uint(out, "frequency", timer->frequency);
        put_optional(out, "mode", timer->mode);
        xml_close(out);
    }
    xml_close(out);
}

const DomainTimer *
domain_clock_timer(const DomainClock *clock, const char *name)
{
    for (guint i = 0; i < clock->timers->len; i++) {
        const DomainTimer *timer = clock->timers->pdata[i];

        if (strcmp(timer->name, name) == 0)
            return timer;
    }
    return NULL;
}

/* Seconds that the zone is ahead of UTC at @now. */
static gboolean
zone_ahead(GTimeZone *zone, gint64 now, gint64 *ret)
{
    int interval = zone ? g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, now) : -1;

    if (interval >= 0)
        *ret = g_time_zone_get_offset(zone, interval);
    return interval >= 0;
}

static gint64
local_ahead(gint64 now)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    gint64 ahead = 0;

    zone_ahead(zone, now, &ahead);
    return ahead;
}

/* A name is looked for in the host's database alone: none leads out of it. */
static gboolean
named_ahead(const char *name, gint64 now, gint64 *ret, GError **error)
{
    gboolean within = !strchr("/:", *name) && !strstr(name, "..");
    g_autoptr(GTimeZone) zone = within ? g_time_zone_new_identifier(name) : NULL;

    return zone_ahead(zone, now, ret) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "value '%s' of attribute 'timezone' of <clock> is not supported by this machine, whose "
                        "host does not know it",
                        name);
}

static gint64
basis_ahead(const DomainClock *clock, gint64 now)
{
    return clock->basis == DOMAIN_CLOCK_LOCALTIME ? local_ahead(now) : 0;
}

void
domain_clock_settle(DomainClock *clock, gint64 now)
{
    if (clock->offset != DOMAIN_CLOCK_VARIABLE)
        return;
    clock->adjustment = CLAMP(clock->adjustment, -2 * AHEAD_MAX, 2 * AHEAD_MAX) + basis_ahead(clock, now);
    clock->basis = DOMAIN_CLOCK_UTC;
}

gboolean
domain_clock_set(DomainClock *clock, gint64 ahead)
{
    gint64 before = clock->adjustment;

    if (clock->offset != DOMAIN_CLOCK_VARIABLE)
        return FALSE;
    clock->adjustment = CLAMP(ahead, -KEPT_MAX, KEPT_MAX);
    return clock->adjustment != before;
}

gboolean
domain_clock_follow(DomainClock *clock, gint64 now, gint64 before, gint64 ahead)
{
    gint64 base = basis_ahead(clock, now);

    if (clock->offset != DOMAIN_CLOCK_VARIABLE || clock->adjustment != before - base)
        return FALSE;
    clock->adjustment = ahead - base;
    return TRUE;
}

/* Seconds that the guest's clock is ahead of UTC at first. */
static gboolean
find_ahead(const DomainClock *clock, gint64 now, gint64 *ret, GError **error)
{
    *ret = clock->offset == DOMAIN_CLOCK_LOCALTIME ? local_ahead(now) : 0;
    if (clock->offset == DOMAIN_CLOCK_TIMEZONE)
        return named_ahead(clock->timezone, now, ret, error);
    if (clock->offset == DOMAIN_CLOCK_ABSOLUTE)
        *ret = (gint64)MIN(clock->start, (guint64)G_MAXINT64) - now;
    else if (clock->offset == DOMAIN_CLOCK_VARIABLE)
        *ret = basis_ahead(clock, now) + CLAMP(clock->adjustment, -2 * AHEAD_MAX, 2 * AHEAD_MAX);
    return (*ret >= -AHEAD_MAX && *ret <= AHEAD_MAX) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "the clock's time is more than a century from now, which is not supported by this machine");
}

gboolean
domain_clock_lower(const DomainClock *clock, gint64 now, VmmMsg *msg, GError **error)
{
    const DomainTimer *rtc = domain_clock_timer(clock, "rtc");
    const DomainTimer *pit = domain_clock_timer(clock, "pit");
    const DomainTimer *tsc = domain_clock_timer(clock, "tsc");
    gint64 ahead;

    if (!find_ahead(clock, now, &ahead, error))
        return FALSE;
    if (ahead)
        vmm_msg_put_i64(msg, "rtc-offset", ahead);
    if (rtc && g_strcmp0(rtc->tickpolicy, "catchup") == 0)
        vmm_msg_put_bool(msg, "rtc-catchup", TRUE);
    if (pit && g_strcmp0(pit->tickpolicy, "discard") == 0)
        vmm_msg_put_bool(msg, "pit-reinject", FALSE);
    if (tsc && tsc->frequency)
        vmm_msg_put_u64(msg, "tsc-khz", (tsc->frequency + 500) / 1000);
    return TRUE;
}
