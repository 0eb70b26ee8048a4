/* rtc-time: what the registers of an MC146818 say about time (Motorola's datasheet; Intel ICH9 datasheet, 13.6), and
 * when what they ask for is due.
 *
 * No device and no clock: times are given, in seconds or nanoseconds since 1970 of the time that the guest is shown.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define RTC_REGISTERS 128

#define RTC_NS_PER_S   1000000000ll
#define RTC_CRYSTAL_HZ 32768

/* Registers 0 to 9 are time and alarm, the rest is RAM but for the century, which is where IBM's
 * firmware kept it. */
enum {
    REG_SECOND,
    REG_SECOND_ALARM,
    REG_MINUTE,
    REG_MINUTE_ALARM,
    REG_HOUR,
    REG_HOUR_ALARM,
    REG_WEEKDAY,
    REG_DAY,
    REG_MONTH,
    REG_YEAR,
    REG_A,
    REG_B,
    REG_C,
    REG_D,
    REG_RESET_CODE = 0x0f, /* what a BIOS does at its reset vector */
    REG_CENTURY = 0x32,
};

#define A_UIP         (1u << 7)
#define A_DIVIDER     0x70u
#define A_DIVIDER_RUN 0x20u /* a crystal of 32768 Hz */
#define A_DIVIDER_OFF 0x60u /* and 70h: the divider chain is held in reset */
#define A_RATE        0x0fu
#define A_RATE_1024HZ 6

#define B_SET    (1u << 7) /* holds the time still, to set it */
#define B_24H    (1u << 1)
#define B_BINARY (1u << 2)

/* Whole seconds, and the nanoseconds beyond them; times before 1970 are rounded down too. */
int64_t rtc_seconds(int64_t ns);
int64_t rtc_fraction(int64_t ns);
/* The nearest whole second. */
int64_t rtc_nearest_second(int64_t ns);

/* Whether register @reg shows the time. */
bool rtc_is_time(unsigned reg);
/* Shows @now in the time registers of @ram, encoded as its register B says. */
void rtc_put_time(uint8_t *ram, time_t now);
/* The time that they show, whatever the guest has written: the year is one that nanoseconds in 64 bits can count, for
 * centuries that nobody lives in are taken for this one. */
time_t rtc_get_time(const uint8_t *ram);

/* The first second after @now that the alarm registers name; INT64_MAX where they name none. */
int64_t rtc_next_alarm(const uint8_t *ram, int64_t now);

/* The crystal's ticks in a period of the periodic interrupt, 0: off. */
int64_t rtc_period(const uint8_t *ram);
/* How many of the periods of @ticks have gone by from @since_ns to @now_ns. */
int64_t rtc_periods(int64_t ticks, int64_t since_ns, int64_t now_ns);
/* The end of the period that @ns is in; INT64_MAX where the interrupt is off. */
int64_t rtc_next_periodic(const uint8_t *ram, int64_t ns);
