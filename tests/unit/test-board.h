/* test-board: a board without a machine, which notes what its devices ask for. */
#pragma once

#include "qemu-kvm-backend/device.h"

#define TEST_MSIS      64
#define TEST_DOORBELLS 64
#define TEST_ROMS      4

typedef struct TestMsi {
    int fd; /* -1: free */
    bool open;
    MsiMessage message;
} TestMsi;

typedef struct TestDoorbell {
    int fd; /* -1: free */
    uint64_t gpa;
} TestDoorbell;

typedef struct TestRom {
    uint64_t gpa, size;
    const void *host; /* NULL: free */
} TestRom;

typedef struct TestBoard {
    Board board;
    bool level[24];
    unsigned rises[24]; /* edges of each line */
    unsigned falls[24];
    unsigned n_requests;
    BoardRequest request; /* the last one */
    unsigned code;
    unsigned n_rtc_alarms;
    unsigned n_events;
    VmmMsg *event; /* the last one */
    TestMsi msis[TEST_MSIS];
    TestDoorbell doorbells[TEST_DOORBELLS];
    TestRom roms[TEST_ROMS];
} TestBoard;

/* @loop may be NULL where no device of the test uses it. It has no memory yet: memory_new(). */
TestBoard *test_board_new(Loop *loop);
void test_board_free(TestBoard *test);
/* A device, reset as before the first run; takes @params over, NULL: an empty message. */
Device *test_board_add(TestBoard *test, const DeviceClass *class, VmmMsg *params);

/* Port accesses as a vCPU makes them. */
uint8_t in8(TestBoard *test, uint16_t port);
uint16_t in16(TestBoard *test, uint16_t port);
uint32_t in32(TestBoard *test, uint16_t port);
void out8(TestBoard *test, uint16_t port, uint8_t value);
void out16(TestBoard *test, uint16_t port, uint16_t value);
void out32(TestBoard *test, uint16_t port, uint32_t value);

/* Accesses to memory space as a vCPU makes them; doorbells swallow writes. @size: 1, 2, 4 or 8. */
uint64_t mmio_read(TestBoard *test, uint64_t gpa, unsigned size);
void mmio_write(TestBoard *test, uint64_t gpa, unsigned size, uint64_t value);
/* The same for configuration space through ports 0xcf8 and 0xcfc. */
uint32_t config_read(TestBoard *test, unsigned bus, unsigned devfn, unsigned offset, unsigned size);
void config_write(TestBoard *test, unsigned bus, unsigned devfn, unsigned offset, unsigned size,
                  uint32_t value);

/* Lets the loop serve all that waits for it. */
void test_board_settle(TestBoard *test);
/* How often an interrupt message with @data was raised since the last call; those of masked vectors are
 * not seen. */
unsigned test_board_take_msi(TestBoard *test, uint32_t data);
unsigned test_board_n_msis(const TestBoard *test);
unsigned test_board_n_doorbells(const TestBoard *test);
