/* test-default: what libvirt's test driver has at test:///default, which ours begins with, too: one domain, and a
 * host that no machine has. */
#pragma once

#include "driver/host-facts.h"
#include "driver/hostinfo.h"
#include "driver/hoststats.h"

/* The document of the domain "test", which runs from the start. */
#define TEST_DEFAULT_NAME "test"
extern const char test_default_domain[];

/* Its networks, pools, interfaces and devices, all active. A row without a name ends them. */
extern const HostFacts test_default_objects[];

/* The virtual port that can be made of its devices; @ret's texts are the caller's, who frees them with
 * host_facts_clear(). */
void test_default_port(const char *wwnn, const char *wwpn, HostFacts *ret);

struct Sysinfo;

/* Its host. It says that there are 16 CPUs, and maps eight of them. */
extern const HostNode test_default_node;
extern const HostCpuTimes test_default_cpu; /* what each has done */
#define TEST_DEFAULT_CPUS           8
#define TEST_DEFAULT_ONLINE         "0,2,4"
#define TEST_DEFAULT_DISK_CAPACITY  1099506450432 /* bytes, of every disk */
#define TEST_DEFAULT_DISK_SIZE      1099511627776 /* of its file, and all of that is allocated */
#define TEST_DEFAULT_CPU_NS         48772617035 /* of CPU time, of every guest */
#define TEST_DEFAULT_USER_NS        5540000000
#define TEST_DEFAULT_SYSTEM_NS      6460000000
#define TEST_DEFAULT_WEIGHT         50 /* of a domain, in its scheduler */
#define TEST_DEFAULT_FREE_MEMORY    3145728 /* libvirt's own figure for all cells, KiB in place of bytes */
#define TEST_DEFAULT_SECURITY_MODEL "testSecurity"

#define TEST_DEFAULT_VERSION 2 /* of the hypervisor */
#define TEST_DEFAULT_SECONDS 627319920 /* of every guest's clock, since 1970 */

/* virConnectGetCapabilities: a 32-bit PC of two NUMA cells with eight CPUs each. Free with g_free(). */
char *test_default_capabilities(void);
/* What virConnectGetSysinfo says of it, into an empty @ret. */
void test_default_sysinfo(struct Sysinfo *ret);
