/* payload-disk: a disk from which a BIOS boots the payload (payload/boot.S). */
#pragma once

/* With @words as the payload's command line: a descriptor, the caller's. */
int payload_disk(const char *words);
