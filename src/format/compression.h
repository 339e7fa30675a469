/*
 * compression.h
 *	  The codecs of a record batch, behind one dispatch.
 *
 * Layer 0: bytes only, no palloc, no ereport.
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

/* The codec of that name, or -1. */
extern int	pgt_compression_by_name(const char *name);

/* Largest size that "length" bytes can take when compressed. */
extern size_t pgt_compress_bound(int type, size_t length);

/*
 * Compress into dst (pgt_compress_bound() bytes); the compressed length goes
 * to *out.  "level" is of the codec's own scale, 0 its default.  Returns NULL
 * or the problem.
 */
extern const char *pgt_compress(int type, int level, const char *src, size_t length,
								char *dst, size_t capacity, size_t *out);

/* The problem of either direction that is not the bytes': malloc() failed. */
extern const char *const pgt_compression_no_memory;

/*
 * Decompress into dst.  With too small a capacity nothing is lost: returns
 * pgt_decompress_overflow and the caller tries again with more, up to its
 * limit.  Otherwise NULL or the problem.
 */
extern const char *const pgt_decompress_overflow;
extern const char *pgt_decompress(int type, const char *src, size_t length,
								  char *dst, size_t capacity, size_t *out);

#endif							/* COMPRESSION_H */
