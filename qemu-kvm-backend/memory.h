/* memory: guest RAM, and the one way to it that checks bounds.
 *
 * RAM below LAYOUT_LOW_RAM_END (x86/layout.h) starts at guest physical 0; what does not fit there
 * goes on at 4 GiB. The host's mapping is one piece; memory-map.h has its kinds.
 */
#pragma once

#include "qemu-kvm-backend/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Memory Memory;
struct MemoryBacking;
struct MemoryNodes;

typedef struct MemoryRegion {
    uint64_t gpa; /* guest physical address, bytes */
    uint64_t size;
    void *host;
} MemoryRegion;

/* @size in bytes, a multiple of 4096; private and anonymous, or from @backing, whose file stays open as long as the
 * result. NULL with @err set where the host has not got it. */
Memory *memory_new(uint64_t size, VmmError *err);
Memory *memory_new_from(uint64_t size, const struct MemoryBacking *backing, VmmError *err);
void memory_free(Memory *memory);

uint64_t memory_size(const Memory *memory);
/* The regions, ascending: one, or two where there is RAM above 4 GiB. False past the last. */
bool memory_region(const Memory *memory, unsigned i, MemoryRegion *ret);
/* The first part of region @i from @offset on that may have other than zeros in it, of whole pages: between are holes of
 * the file that RAM is from, which would be filled if somebody looked at them. An empty one at the region's end: that was
 * the last. */
MemoryRegion memory_next_data(const Memory *memory, unsigned i, uint64_t offset);
/* End of RAM below 4 GiB. */
uint64_t memory_low_end(const Memory *memory);

/* The host's address of [@gpa, @gpa + @len), or NULL where any byte of it is not RAM. A guest can
 * change what is there at any time: copy once, check the copy, use the copy. */
void *memory_at(const Memory *memory, uint64_t gpa, uint64_t len);
bool memory_read(const Memory *memory, uint64_t gpa, void *to, size_t len);
bool memory_write(Memory *memory, uint64_t gpa, const void *from, size_t len);
bool memory_zero(Memory *memory, uint64_t gpa, size_t len);
/* Gives what lies in [@at, @at + @len), which memory_at() gave out, back to the host, as far as it is whole
 * pages of its backing; they read as zeros from then on. Locked memory stays as it is. */
void memory_discard(Memory *memory, void *at, size_t len);
/* All of RAM is on @nodes from now on (memory-nodes.h): each page once it is touched for the first time, and one that has
 * been when memory_move() comes to it. */
bool memory_bind(Memory *memory, const struct MemoryNodes *nodes, VmmError *err);
/* Moves what is in @len bytes from @offset of it. False with @err where the host does not. */
bool memory_move(Memory *memory, const struct MemoryNodes *nodes, uint64_t offset, uint64_t len,
                 VmmError *err);
/* All of RAM reads as zeros, wherever it comes from. */
void memory_clear(Memory *memory);
/* Reads @len bytes of the file at @offset straight into RAM. */
bool memory_load(Memory *memory, uint64_t gpa, int fd, uint64_t offset, size_t len, VmmError *err);

/* Dirty pages: those that have been written since they were last taken, by the VMM itself: what a guest writes KVM
 * knows (kvm_take_dirty()). A bitmap has a bit for each page of 4096 bytes of a region, in words of 64. */
#define MEMORY_PAGE 4096u

/* Takes notes from now on, or no longer; nothing is dirty at first. */
void memory_track(Memory *memory, bool on);
bool memory_is_tracked(const Memory *memory);
/* [@at, @at + @len), which memory_at() gave out, has been written: after the write, so that no page is taken before
 * it. What memory_*() write they mark themselves. Any thread, any lock; cheap while nobody tracks. */
void memory_mark(const Memory *memory, const void *at, size_t len);
/* Adds the dirty pages of region @i to @bitmap; they are clean then. */
void memory_take_dirty(Memory *memory, unsigned i, uint64_t *bitmap);
/* The words of region @i's bitmap. */
size_t memory_dirty_words(const Memory *memory, unsigned i);
