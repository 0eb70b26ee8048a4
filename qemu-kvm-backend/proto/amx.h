/* amx: AMX's tiles are 8 KiB of a vCPU's state. KVM supports them for a process that has asked for them before its first vCPU
 * and before it asks what of CPUID is supported (Linux, Documentation/arch/x86/xstate.rst): the VMM, which runs guests, and
 * the driver, which has to know what the VMM will be told.
 */
#pragma once

#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AMX_TILE_DATA  18         /* the component of XSAVE */
#define AMX_COMPONENTS (3u << 17) /* their configuration and what is in them, in XCR0 and in CPUID leaf 0xd */

/* A CPU without them refuses, and then there is nothing to ask for. */
static inline void
amx_ask_for_guests(void)
{
    syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_GUEST_PERM, AMX_TILE_DATA);
}
