/* test-board: a board without a machine, which notes what its devices ask for. */
#pragma once

#include "qemu-kvm-backend/device.h"

typedef struct TestBoard {
    Board board;
    bool level[24];
    unsigned rises[24]; /* edges of each line */
    unsigned falls[24];
    unsigned n_requests;
    BoardRequest request; /* the last one */
    unsigned code;
} TestBoard;

/* @loop may be NULL where no device of the test uses it. */
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
