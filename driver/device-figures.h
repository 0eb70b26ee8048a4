/* device-figures: what the disks, network cards and balloons of running guests have done, as their processes told last.
 *
 * Asking never takes longer than DEVICE_FIGURES_TIMEOUT_MS, whatever a process does: one that does not answer leaves
 * the last figures, which are stale then, and is not asked again before it has answered.
 */
#pragma once

#include "driver/domain.h"

#define DEVICE_FIGURES_TIMEOUT_MS 80

typedef enum FigureKey {
    FIGURE_RD_REQUESTS,
    FIGURE_RD_BYTES,
    FIGURE_RD_TIME_NS,
    FIGURE_WR_REQUESTS,
    FIGURE_WR_BYTES,
    FIGURE_WR_TIME_NS,
    FIGURE_FL_REQUESTS,
    FIGURE_FL_TIME_NS,
    FIGURE_CAPACITY,
    FIGURE_FILE_SIZE,
    FIGURE_ALLOCATED,
    FIGURE_WRITTEN_TO,
    FIGURE_THRESHOLD,
    FIGURE_RX_BYTES,
    FIGURE_RX_PACKETS,
    FIGURE_RX_DROPPED,
    FIGURE_TX_BYTES,
    FIGURE_TX_PACKETS,
    FIGURE_TX_DROPPED,
    FIGURE_SWAP_IN, /* a balloon's, about the guest's memory: bytes, but for faults and the last three */
    FIGURE_SWAP_OUT,
    FIGURE_MAJOR_FAULTS,
    FIGURE_MINOR_FAULTS,
    FIGURE_FREE,
    FIGURE_TOTAL,
    FIGURE_AVAILABLE,
    FIGURE_CACHES,
    FIGURE_HUGETLB_ALLOCATIONS,
    FIGURE_HUGETLB_FAILURES,
    FIGURE_TOLD_AT, /* seconds since the epoch; 0: the guest has not told yet */
    N_FIGURES
} FigureKey;

typedef struct DeviceFigures {
    guint64 values[N_FIGURES];
    gboolean known[N_FIGURES];
    int error; /* virDomainDiskErrorCode */
} DeviceFigures;

/* Asks for the figures of the disks, cards and balloons of all that run of @domains, and calls @done when they are
 * there, or time is over; at once where nobody can be asked. */
void device_figures_refresh(const GPtrArray *domains, GDestroyNotify done, gpointer data);
/* Of the device @alias of a running domain; NULL: there never were any. */
const DeviceFigures *device_figures_of(const Domain *domain, const char *alias);
/* The last time the process did not tell. */
gboolean device_figures_stale(const Domain *domain);
