/* payload-boot: what firmware boots the payload from. Descriptors, the caller's. */
#pragma once

/* A disk with a boot sector (payload/boot.S), and with @words as the payload's command line. */
int payload_disk(const char *words);
/* A Linux kernel, as far as its loader knows (payload/setup.S). */
int payload_kernel(void);
