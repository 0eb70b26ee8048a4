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
    command_memtune, command_numatune, command_perf, command_schedinfo, command_vcpucount, command_vcpuinfo,
    command_vcpupin;
extern const Command command_iothreadadd, command_iothreaddel, command_iothreadinfo,
    command_iothreadpin, command_iothreadset;
extern const Command command_domiftune, command_set_lifecycle_action;
extern const Command command_blkdeviotune, command_blockresize, command_domblkthreshold;
extern const Command command_domblkerror, command_domblkinfo, command_domblkstat, command_domifstat;
extern const Command command_send_key;
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
extern const Command command_domdisplay, command_dump, command_edit, command_vncdisplay;
extern const Command command_doctor, command_run, command_top;
extern const Command command_event;
extern const Command command_snapshot_create, command_snapshot_create_as, command_snapshot_current,
    command_snapshot_delete, command_snapshot_dumpxml, command_snapshot_edit, command_snapshot_info,
    command_snapshot_list, command_snapshot_parent, command_snapshot_revert;
extern const Command command_net_autostart, command_net_create, command_net_define,
    command_net_destroy, command_net_dhcp_leases, command_net_dumpxml, command_net_edit,
    command_net_event, command_net_info, command_net_list, command_net_name, command_net_start,
    command_net_undefine, command_net_update, command_net_uuid;
extern const Command command_iface_begin, command_iface_commit, command_iface_define,
    command_iface_destroy, command_iface_dumpxml, command_iface_edit, command_iface_list,
    command_iface_mac, command_iface_name, command_iface_rollback, command_iface_start,
    command_iface_undefine;
extern const Command command_nodedev_create, command_nodedev_destroy, command_nodedev_detach,
    command_nodedev_dumpxml, command_nodedev_event, command_nodedev_list,
    command_nodedev_reattach, command_nodedev_reset;
extern const Command command_find_storage_pool_sources, command_find_storage_pool_sources_as,
    command_pool_autostart, command_pool_build, command_pool_create, command_pool_create_as,
    command_pool_define, command_pool_define_as, command_pool_delete, command_pool_destroy,
    command_pool_dumpxml, command_pool_edit, command_pool_event, command_pool_info,
    command_pool_list, command_pool_name, command_pool_refresh, command_pool_start,
    command_pool_undefine, command_pool_uuid;
extern const Command command_vol_create, command_vol_create_as, command_vol_delete, command_vol_dumpxml,
    command_vol_info, command_vol_key, command_vol_list, command_vol_name, command_vol_path;
extern const Command command_capabilities, command_hostname, command_sysinfo, command_uri,
    command_version;
extern const Command command_cpu_baseline, command_cpu_compare;
extern const Command command_cpu_models, command_domcapabilities, command_freecell,
    command_maxvcpus, command_node_memory_tune, command_nodecpumap, command_nodecpustats, command_nodeinfo,
    command_nodememstats;
extern const Command command_complete;
extern const Command command_cd, command_connect, command_echo, command_exit, command_help,
    command_pwd, command_quit;
