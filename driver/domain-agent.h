/* domain-agent: verbs that a domain's guest agent carries out. @flags are those of the virDomain function of the same
 * name; what is wrong is told in libvirt's words. A DomainReply without an error and without a result: it is done.
 */
#pragma once

#include "driver/domain.h"

/* About the guest; results are s, (tu): seconds and nanoseconds since 1970. */
void domain_get_hostname(Domain *domain, guint flags, DomainReply done, gpointer data);
void domain_get_time(Domain *domain, guint flags, DomainReply done, gpointer data);
void domain_set_time(Domain *domain, guint64 seconds, guint nseconds, guint flags, DomainReply done,
                     gpointer data);
void domain_set_user_password(Domain *domain, const char *user, const char *password, guint flags,
                              DomainReply done, gpointer data);
/* as: lines of the user's authorized_keys. */
void domain_get_ssh_keys(Domain *domain, const char *user, guint flags, DomainReply done,
                         gpointer data);
void domain_set_ssh_keys(Domain *domain, const char *user, const char *const *keys, guint flags,
                         DomainReply done, gpointer data);
/* a{sv}: libvirt's typed parameters; @types: VIR_DOMAIN_GUEST_INFO_*, 0 for all that the agent knows. */
void domain_get_guest_info(Domain *domain, guint types, guint flags, DomainReply done,
                           gpointer data);

/* File systems. @mountpoints ends with NULL. Results are u, how many, and a(sssas): mount point, name, type,
 * targets of disks. */
void domain_fs_freeze(Domain *domain, const char *const *mountpoints, guint flags, DomainReply done,
                      gpointer data);
void domain_fs_thaw(Domain *domain, const char *const *mountpoints, guint flags, DomainReply done,
                    gpointer data);
void domain_fs_trim(Domain *domain, const char *mountpoint, guint64 minimum, guint flags,
                    DomainReply done, gpointer data);
void domain_get_fs_info(Domain *domain, guint flags, DomainReply done, gpointer data);

/* The CPUs as the guest has them; a{sv}: "vcpus", "online", "offlinable", each as "0-3,5". @map: n of them, by
 * number, those to set. */
void domain_get_guest_vcpus(Domain *domain, guint flags, DomainReply done, gpointer data);
void domain_set_guest_vcpus(Domain *domain, const gboolean *map, gsize n, int state, guint flags,
                            DomainReply done, gpointer data);
/* How many of them the guest uses, or with VIR_DOMAIN_VCPU_MAXIMUM has, u; and has it use so many. For who has looked
 * at the flags. */
void domain_count_guest_vcpus(Domain *domain, guint flags, DomainReply done, gpointer data);
void domain_use_guest_vcpus(Domain *domain, guint count, DomainReply done, gpointer data);

/* a(ssa(isu)): name, MAC address or "", and virIPAddrType, address and prefix of each address. @source:
 * virDomainInterfaceAddressesSource. */
void domain_interface_addresses(Domain *domain, guint source, guint flags, DomainReply done,
                                gpointer data);

/* s: what the agent answers to @command, a text of JSON (virDomainQemuAgentCommand); @timeout_s from -2. */
void domain_agent_command(Domain *domain, const char *command, int timeout_s, guint flags,
                          DomainReply done, gpointer data);
/* How long answers may take from now on until the guest ends. */
gboolean domain_agent_set_timeout(Domain *domain, int timeout_s, guint flags, GError **error);
