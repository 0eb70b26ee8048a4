/* commands: the rows that commands.c puts into groups; each is defined beside its function. */
#pragma once

#include "cli/command.h"

extern const Command command_autostart, command_console, command_create, command_define,
    command_destroy, command_domid, command_domname, command_domuuid, command_dumpxml,
    command_inject_nmi, command_reboot, command_reset, command_resume, command_shutdown,
    command_start, command_suspend, command_ttyconsole, command_undefine;
extern const Command command_attach_device, command_attach_disk, command_attach_interface,
    command_change_media, command_detach_device, command_detach_device_alias, command_detach_disk,
    command_detach_interface, command_domif_setlink, command_setmaxmem, command_setmem,
    command_update_device;
extern const Command command_blkiotune, command_cpu_stats, command_emulatorpin,
    command_iothreadinfo, command_iothreadpin, command_memtune, command_numatune, command_schedinfo,
    command_vcpucount, command_vcpuinfo, command_vcpupin;
extern const Command command_domiftune, command_set_lifecycle_action;
extern const Command command_blkdeviotune, command_blockresize, command_domblkthreshold;
extern const Command command_domblkerror, command_domblkinfo, command_domblkstat, command_domifstat;
extern const Command command_dompmsuspend, command_dompmwakeup;
extern const Command command_desc, command_domrename, command_metadata, command_setvcpus;
extern const Command command_domblklist, command_domif_getlink, command_domiflist,
    command_dommemstat;
extern const Command command_dominfo, command_domstate, command_domstats, command_list;
extern const Command command_domfsfreeze, command_domfsinfo, command_domfsthaw, command_domfstrim,
    command_domhostname, command_domifaddr, command_domtime, command_get_user_sshkeys,
    command_guest_agent_timeout, command_guestinfo, command_guestvcpus, command_qemu_agent_command,
    command_set_user_password, command_set_user_sshkeys;
extern const Command command_domcontrol, command_domjobabort, command_domjobinfo, command_managedsave,
    command_managedsave_define, command_managedsave_dumpxml, command_managedsave_edit,
    command_managedsave_remove, command_restore, command_save, command_save_image_define,
    command_save_image_dumpxml, command_save_image_edit;
extern const Command command_domdisplay, command_edit, command_vncdisplay;
extern const Command command_doctor, command_run, command_top;
extern const Command command_event;
extern const Command command_snapshot_create, command_snapshot_create_as, command_snapshot_current,
    command_snapshot_delete, command_snapshot_dumpxml, command_snapshot_edit, command_snapshot_info,
    command_snapshot_list, command_snapshot_parent, command_snapshot_revert;
extern const Command command_capabilities, command_hostname, command_uri, command_version;
extern const Command command_cpu_baseline, command_cpu_compare;
extern const Command command_cpu_models, command_domcapabilities, command_freecell,
    command_maxvcpus, command_nodecpumap, command_nodecpustats, command_nodeinfo,
    command_nodememstats;
extern const Command command_complete;
extern const Command command_cd, command_connect, command_echo, command_exit, command_help,
    command_pwd, command_quit;
