/* inflate: decompression of raw DEFLATE data (RFC 1951), without its zlib or gzip wrapping.
 *
 * Our own because the VMM links to the C library alone: zlib would cost each guest's process its share
 * even where no image is compressed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills the @out_size bytes of @out from @in, all of them; what follows in @in is of no interest. False
 * where the data is broken or ends early. Any bytes may come in. */
bool inflate_raw(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size);
