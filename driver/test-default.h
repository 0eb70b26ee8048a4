/* test-default: what libvirt's test driver has at test:///default, which ours begins with, too: one domain, and a
 * host that no machine has. */
#pragma once

#include "driver/host-facts.h"

/* The document of the domain "test", which runs from the start. */
extern const char test_default_domain[];

/* Its networks, pools, interfaces and devices, all active. A row without a name ends them. */
extern const HostFacts test_default_objects[];

/* The virtual port that can be made of its devices; @ret's texts are the caller's, who frees them with
 * host_facts_clear(). */
void test_default_port(const char *wwnn, const char *wwpn, HostFacts *ret);

struct Sysinfo;

#define TEST_DEFAULT_VERSION 2 /* of the hypervisor */

/* virConnectGetCapabilities: a 32-bit PC of two NUMA cells with eight CPUs each. Free with g_free(). */
char *test_default_capabilities(void);
/* What virConnectGetSysinfo says of it, into an empty @ret. */
void test_default_sysinfo(struct Sysinfo *ret);
