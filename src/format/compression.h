/*
 * compression.h
 *	  The codecs of a record batch, behind one dispatch.
 */
#ifndef COMPRESSION_H
#define COMPRESSION_H

#include "c.h"

/* The values are the codec bits of a batch's attributes. */
typedef enum CompressionType
{
	COMPRESSION_NONE = 0,
	COMPRESSION_GZIP = 1,
	COMPRESSION_SNAPPY = 2,
	COMPRESSION_LZ4 = 3,
	COMPRESSION_ZSTD = 4
} CompressionType;

#define COMPRESSION_TYPE_COUNT 5

/* The codec's name as in compression.type, or NULL for an unknown value. */
extern const char *pgt_compression_name(int type);

/* The codec of that name, or -1.  Kafka's topic configuration has "uncompressed" for "none" as well. */
extern int	pgt_compression_by_name(const char *name);

/* The largest size of "length" bytes once compressed; 0 for an unknown codec. */
extern size_t pgt_compress_bound(int type, size_t length);

/*
 * Compress into dst, which has pgt_compress_bound() bytes.  "level" is on the codec's own
 * scale, 0 being its default.  Returns NULL, with the compressed length in *out, or
 * the problem.
 */
extern const char *pgt_compress(int type, int level, const char *src, size_t length,
								char *dst, size_t capacity, size_t *out);

/* The problem if malloc() failed, in either direction.  Compare the address. */
extern const char *const pgt_compression_no_memory;

/*
 * Decompress into dst.  Returns NULL, with the length in *out, or the problem.  If dst is
 * too small, the problem is pgt_decompress_overflow (compare the address), and the
 * caller tries again with a larger buffer, up to its limit.
 */
extern const char *const pgt_decompress_overflow;
extern const char *pgt_decompress(int type, const char *src, size_t length,
								  char *dst, size_t capacity, size_t *out);

#endif							/* COMPRESSION_H */
