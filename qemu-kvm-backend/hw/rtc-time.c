#include "qemu-kvm-backend/hw/rtc-time.h"

#define HOUR_PM   (1u << 7) /* in 12-hour mode */
#define ALARM_ANY 0xc0u     /* both bits: every second, minute or hour */

/* Alarm registers that never match are negative, those that always do are ANY. */
typedef struct AlarmTime {
    int hour, minute, second;
} AlarmTime;

#define ANY   64
#define NEVER (-1)

/* Arithmetic. It rounds down, for times before 1970 too. */

static int64_t
divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t
rtc_seconds(int64_t ns)
{
    return divide(ns, RTC_NS_PER_S);
}

int64_t
rtc_fraction(int64_t ns)
{
    return ns - rtc_seconds(ns) * RTC_NS_PER_S;
}

int64_t
rtc_nearest_second(int64_t ns)
{
    return rtc_seconds(ns) + (rtc_fraction(ns) >= RTC_NS_PER_S / 2);
}

/* Encoding: BCD or binary, 12 or 24 hours */

static uint8_t
encode(const uint8_t *ram, unsigned value)
{
    return ram[REG_B] & B_BINARY ? value : value / 10 * 16 + value % 10;
}

static unsigned
decode(const uint8_t *ram, uint8_t raw)
{
    return ram[REG_B] & B_BINARY ? raw : raw / 16 * 10u + raw % 16;
}

static uint8_t
encode_hour(const uint8_t *ram, unsigned hour)
{
    if (ram[REG_B] & B_24H)
        return encode(ram, hour);
    return encode(ram, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned
decode_hour(const uint8_t *ram, uint8_t raw)
{
    if (ram[REG_B] & B_24H)
        return decode(ram, raw);
    return decode(ram, raw & ~HOUR_PM) % 12 + (raw & HOUR_PM ? 12 : 0);
}

/* Time */

bool
rtc_is_time(unsigned reg)
{
    switch (reg) {
    case REG_SECOND:
    case REG_MINUTE:
    case REG_HOUR:
    case REG_WEEKDAY:
    case REG_DAY:
    case REG_MONTH:
    case REG_YEAR:
    case REG_CENTURY:
        return true;
    default:
        return false;
    }
}

void
rtc_put_time(uint8_t *ram, time_t now)
{
    struct tm tm;

    gmtime_r(&now, &tm);
    ram[REG_SECOND] = encode(ram, tm.tm_sec);
    ram[REG_MINUTE] = encode(ram, tm.tm_min);
    ram[REG_HOUR] = encode_hour(ram, tm.tm_hour);
    ram[REG_WEEKDAY] = encode(ram, tm.tm_wday + 1);
    ram[REG_DAY] = encode(ram, tm.tm_mday);
    ram[REG_MONTH] = encode(ram, tm.tm_mon + 1);
    ram[REG_YEAR] = encode(ram, (tm.tm_year + 1900) % 100);
    ram[REG_CENTURY] = encode(ram, (tm.tm_year + 1900) / 100);
}

time_t
rtc_get_time(const uint8_t *ram)
{
    unsigned century = decode(ram, ram[REG_CENTURY]);
    struct tm tm = {
        .tm_sec = decode(ram, ram[REG_SECOND]),
        .tm_min = decode(ram, ram[REG_MINUTE]),
        .tm_hour = decode_hour(ram, ram[REG_HOUR]),
        .tm_mday = decode(ram, ram[REG_DAY]),
        .tm_mon = (int)decode(ram, ram[REG_MONTH]) - 1,
        .tm_year = decode(ram, ram[REG_YEAR]) % 100,
    };

    if (century < 19 || century > 21)
        century = 20;
    tm.tm_year += century * 100 - 1900;
    return timegm(&tm);
}

/* The alarm */

static int
alarm_part(unsigned value, uint8_t raw, unsigned limit)
{
    if ((raw & ALARM_ANY) == ALARM_ANY)
        return ANY;
    return value < limit ? (int)value : NEVER;
}

static AlarmTime
alarm_time(const uint8_t *ram)
{
    uint8_t hour = ram[REG_HOUR_ALARM];
    uint8_t minute = ram[REG_MINUTE_ALARM];
    uint8_t second = ram[REG_SECOND_ALARM];

    return (AlarmTime){
        .hour = alarm_part(decode_hour(ram, hour), hour, 24),
        .minute = alarm_part(decode(ram, minute), minute, 60),
        .second = alarm_part(decode(ram, second), second, 60),
    };
}

static bool
matches(int part, int value)
{
    return part == ANY || part == value;
}

/* Skips hours and minutes that do not match, so a day takes fewer than 24 + 60 + 60 steps and some. */
int64_t
rtc_next_alarm(const uint8_t *ram, int64_t now)
{
    AlarmTime at = alarm_time(ram);
    int64_t t = now + 1, end = now + 86400;

    if (at.hour == NEVER || at.minute == NEVER || at.second == NEVER)
        return INT64_MAX;
    while (t <= end) {
        int64_t of_day = (t % 86400 + 86400) % 86400;

        if (!matches(at.hour, of_day / 3600))
            t += 3600 - of_day % 3600;
        else if (!matches(at.minute, of_day / 60 % 60))
            t += 60 - of_day % 60;
        else if (!matches(at.second, of_day % 60))
            t++;
        else
            return t;
    }
    return INT64_MAX;
}

/* The periodic interrupt */

/* Rates 1 and 2 are those of 8 and 9 (ICH9, RTC_REGA). */
int64_t
rtc_period(const uint8_t *ram)
{
    unsigned rate = ram[REG_A] & A_RATE;

    if (rate == 0)
        return 0;
    return 1ll << (rate <= 2 ? rate + 6 : rate - 1);
}

static int64_t
to_ticks(int64_t ns)
{
    return rtc_seconds(ns) * RTC_CRYSTAL_HZ + rtc_fraction(ns) * RTC_CRYSTAL_HZ / RTC_NS_PER_S;
}

/* Rounds up: at that time the tick has happened. */
static int64_t
from_ticks(int64_t ticks)
{
    int64_t s = divide(ticks, RTC_CRYSTAL_HZ);

    return s * RTC_NS_PER_S +
           ((ticks - s * RTC_CRYSTAL_HZ) * RTC_NS_PER_S + RTC_CRYSTAL_HZ - 1) / RTC_CRYSTAL_HZ;
}

int64_t
rtc_periods(int64_t ticks, int64_t since_ns, int64_t now_ns)
{
    return divide(to_ticks(now_ns), ticks) - divide(to_ticks(since_ns), ticks);
}

int64_t
rtc_next_periodic(const uint8_t *ram, int64_t ns)
{
    int64_t ticks = rtc_period(ram);

    return ticks ? from_ticks((divide(to_ticks(ns), ticks) + 1) * ticks) : INT64_MAX;
}
