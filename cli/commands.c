/* All commands of vmctl, in the order in which help shows them. */
#include "cli/commands.h"

#include <glib/gi18n.h>

static const Command *const domain_commands[] = {
    &command_attach_device,
    &command_attach_disk,
    &command_attach_interface,
    &command_autostart,
    &command_blkiotune,
    &command_change_media,
    &command_console,
    &command_cpu_stats,
    &command_create,
    &command_define,
    &command_destroy,
    &command_detach_device,
    &command_detach_device_alias,
    &command_detach_disk,
    &command_detach_interface,
    &command_domfsfreeze,
    &command_domfsthaw,
    &command_domfstrim,
    &command_domhostname,
    &command_domid,
    &command_domif_setlink,
    &command_domjobabort,
    &command_domjobinfo,
    &command_domname,
    &command_domtime,
    &command_domuuid,
    &command_dumpxml,
    &command_emulatorpin,
    &command_get_user_sshkeys,
    &command_guest_agent_timeout,
    &command_guestinfo,
    &command_guestvcpus,
    &command_inject_nmi,
    &command_iothreadinfo,
    &command_iothreadpin,
    &command_managedsave,
    &command_managedsave_define,
    &command_managedsave_dumpxml,
    &command_managedsave_edit,
    &command_managedsave_remove,
    &command_memtune,
    &command_numatune,
    &command_qemu_agent_command,
    &command_reboot,
    &command_reset,
    &command_restore,
    &command_resume,
    &command_save,
    &command_save_image_define,
    &command_save_image_dumpxml,
    &command_save_image_edit,
    &command_schedinfo,
    &command_set_user_password,
    &command_set_user_sshkeys,
    &command_setmaxmem,
    &command_setmem,
    &command_shutdown,
    &command_start,
    &command_suspend,
    &command_ttyconsole,
    &command_undefine,
    &command_update_device,
    &command_vcpucount,
    &command_vcpuinfo,
    &command_vcpupin,
    NULL,
};

static const Command *const monitor_commands[] = {
    &command_domblklist,
    &command_domfsinfo,
    &command_domif_getlink,
    &command_domifaddr,
    &command_domiflist,
    &command_dominfo,
    &command_dommemstat,
    &command_domstate,
    &command_domstats,
    &command_list,
    NULL,
};

static const Command *const event_commands[] = { &command_event, NULL };

static const Command *const host_commands[] = {
    &command_capabilities, &command_hostname, &command_uri, &command_version, NULL,
};

static const Command *const own_commands[] = {
    &command_cd,   &command_connect, &command_echo, &command_exit,
    &command_help, &command_pwd,     &command_quit, NULL,
};

const CommandGroup command_groups[] = {
    { N_("Domain Management"), "domain", domain_commands },
    { N_("Domain Monitoring"), "monitor", monitor_commands },
    { N_("Domain Events"), "events", event_commands },
    { N_("Host and Hypervisor"), "host", host_commands },
    { N_("vmctl itself"), "vmctl", own_commands },
    { NULL, NULL, NULL },
};
