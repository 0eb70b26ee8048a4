/* env: where this instance of the driver keeps things, and what it starts. */
#pragma once

#include <glib.h>

struct UnitManager;

/* When a driver starts the domains that are marked for it, where no service manager does. */
typedef enum {
    DRIVER_AUTOSTART_BOOT, /* the first one in this run directory, which lasts as long as the host runs */
    DRIVER_AUTOSTART_ALWAYS,
    DRIVER_AUTOSTART_NEVER,
} DriverAutostart;

/* What becomes of a guest whose unit is stopped, and so of all that run when the host goes down. */
typedef enum {
    DRIVER_ON_STOP_STOP,    /* its power button is pressed */
    DRIVER_ON_STOP_SAVE,    /* it is saved, and goes on from there at its next start */
    DRIVER_ON_STOP_SUSPEND, /* its agent has it suspend itself to its own disk */
    DRIVER_ON_STOP_DEFAULT, /* what the environment says */
} DriverOnStop;

typedef struct DriverEnv {
    const char *name;    /* "QEMU", "Test": libvirt's word for the driver */
    gboolean privileged; /* the system instance */
    /* Guests are simulated within the daemon: see vmm-sim.h. Nothing of the host is used, and all paths below
     * are NULL: what a driver keeps in files, this one forgets. */
    gboolean simulated;
    DriverAutostart autostart;
    DriverOnStop on_stop; /* where its unit does not say */
    char *config_dir;    /* definitions: /etc/vmctl, or $XDG_CONFIG_HOME/vmctl */
    char *run_dir;       /* control sockets and status: /run/vmctl, or $XDG_RUNTIME_DIR/vmctl */
    char *state_dir;     /* /var/lib/vmctl, or $XDG_DATA_HOME/vmctl */
    char *log_dir;       /* /var/log/vmctl, or $XDG_CACHE_HOME/vmctl/log */
    char *vmm;           /* the vmctl-vmm to start; $VMCTL_VMM overrides it, for tests */
    char **
        firmware_dirs; /* of descriptors, see firmware.h; $VMCTL_FIRMWARE_DIRS overrides them, for tests */
    char *
        vsock; /* the vmctl-vsock to start; $VMCTL_VSOCK overrides the vmm's neighbour, for tests */
    char *
        cgroup_root; /* below it guests have their cgroups; NULL: nowhere. $VMCTL_CGROUP overrides it */
    char *kvm;       /* /dev/kvm; $VMCTL_KVM overrides it, for tests */
    char *schema_dir; /* of domain.rng; $VMCTL_SCHEMAS overrides it, for tests */
    /* Who starts guests in units, see units.h, with the socket for them, which the driver takes over; NULL: the
     * driver starts them itself. */
    const struct UnitManager *unit_manager;
    int units_fd;
    char *connect; /* the vmctl-connect to start, as @vsock; $VMCTL_CONNECT overrides it, for tests */
} DriverEnv;

/* The usual places of the system or of the session instance; the directories are made when they are
 * first needed. */
DriverEnv *driver_env_new(gboolean privileged);
/* Libvirt's test driver. */
DriverEnv *driver_env_new_test(void);
void driver_env_free(DriverEnv *env);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DriverEnv, driver_env_free)
