/*
 * compression.c
 *	  The codecs of a record batch, behind one dispatch.
 *
 * A batch names its codec in the low three bits of its attributes; only the
 * records behind the 61 header bytes are compressed.  This file is the one
 * place that knows which codecs there are, what they are called in
 * compression.type and how to run them.  It does not look at batches, choose
 * a codec, or allocate: the caller brings both buffers.
 *
 *		attributes & 7		codecs[]
 *			 0 ------------> none		copy
 *			 1 ------------> gzip		one plain gzip stream
 *			 2 ------------> snappy		xerial framing
 *			 3 ------------> lz4		standard frame
 *			 4 ------------> zstd		standard frame
 *
 * A codec is one row of the table.  Where a row has no methods, this build
 * knows the codec by name and says in plain words that it cannot run it: a
 * batch of that codec is intact, and must not be reported as damaged.
 *
 * Invariants: a method never writes past "capacity" and never reads past
 * "length", whatever the bytes are.  *out is set only on success.  Too small a
 * buffer for decompression is told apart from damage by its address,
 * pgt_decompress_overflow.
 *
 * Layer 0: bytes only, no palloc, no ereport.  Problems are constant strings.
 * Next: record_batch.c.
 */
#include "c.h"

#include "compression.h"

/* One codec; the methods are all there or all NULL. */
typedef struct Codec
{
	const char *name;			/* as in compression.type */
	const char *unsupported;	/* the problem where the methods are missing */
	size_t		(*bound) (size_t length);
	const char *(*compress) (int level, const char *src, size_t length,
							 char *dst, size_t capacity, size_t *out);
	const char *(*decompress) (const char *src, size_t length,
							   char *dst, size_t capacity, size_t *out);
} Codec;

const char *const pgt_decompress_overflow = "decompressed records do not fit the buffer";

static const char *const unknown_codec = "compression codec is unknown";

/* Uncompressed bytes take what they take. */
static size_t
none_bound(size_t length)
{
	return length;
}

/* Copy; there is no level. */
static const char *
none_compress(int level pg_attribute_unused(), const char *src, size_t length,
			  char *dst, size_t capacity, size_t *out)
{
	if (length > capacity)
		return "compressed records do not fit the buffer";
	if (length > 0)
		memcpy(dst, src, length);
	*out = length;
	return NULL;
}

/* Copy. */
static const char *
none_decompress(const char *src, size_t length, char *dst, size_t capacity, size_t *out)
{
	if (length > capacity)
		return pgt_decompress_overflow;
	if (length > 0)
		memcpy(dst, src, length);
	*out = length;
	return NULL;
}

static const Codec codecs[COMPRESSION_TYPE_COUNT] =
{
	[COMPRESSION_NONE] = {
		"none", NULL, none_bound, none_compress, none_decompress
	},
	[COMPRESSION_GZIP] = {
		"gzip", "gzip compression is not supported by this build", NULL, NULL, NULL
	},
	[COMPRESSION_SNAPPY] = {
		"snappy", "snappy compression is not supported by this build", NULL, NULL, NULL
	},
	[COMPRESSION_LZ4] = {
		"lz4", "lz4 compression is not supported by this build", NULL, NULL, NULL
	},
	[COMPRESSION_ZSTD] = {
		"zstd", "zstd compression is not supported by this build", NULL, NULL, NULL
	}
};

/* The codec's row, or NULL for an unknown value. */
static inline const Codec *
codec_of(int type)
{
	return (type >= 0 && type < COMPRESSION_TYPE_COUNT) ? &codecs[type] : NULL;
}

/* The codec's name as in compression.type, or NULL for an unknown value. */
const char *
pgt_compression_name(int type)
{
	const Codec *codec = codec_of(type);

	return codec ? codec->name : NULL;
}

/*
 * The codec of that name, or -1.  Kafka's topic configuration has two more
 * names that compress nothing here: "uncompressed", and "producer", which
 * leaves the choice to a producer that has made none.
 */
int
pgt_compression_by_name(const char *name)
{
	if (strcmp(name, "uncompressed") == 0 || strcmp(name, "producer") == 0)
		return COMPRESSION_NONE;
	for (int type = 0; type < COMPRESSION_TYPE_COUNT; type++)
	{
		if (strcmp(name, codecs[type].name) == 0)
			return type;
	}
	return -1;
}

/* Can this build compress and decompress it? */
bool
pgt_compression_supported(int type)
{
	const Codec *codec = codec_of(type);

	return codec && codec->compress;
}

/*
 * Largest size that "length" bytes can take when compressed; 0 for a codec
 * that is not supported.
 */
size_t
pgt_compress_bound(int type, size_t length)
{
	return pgt_compression_supported(type) ? codecs[type].bound(length) : 0;
}

/*
 * Compress into dst.  Returns NULL, with the compressed length in *out, or
 * the problem.
 */
const char *
pgt_compress(int type, int level, const char *src, size_t length,
			 char *dst, size_t capacity, size_t *out)
{
	const Codec *codec = codec_of(type);

	if (!codec)
		return unknown_codec;
	if (!codec->compress)
		return codec->unsupported;
	return codec->compress(level, src, length, dst, capacity, out);
}

/*
 * Decompress into dst.  Returns NULL, with the length in *out,
 * pgt_decompress_overflow where dst is too small, or the problem.
 */
const char *
pgt_decompress(int type, const char *src, size_t length,
			   char *dst, size_t capacity, size_t *out)
{
	const Codec *codec = codec_of(type);

	if (!codec)
		return unknown_codec;
	if (!codec->decompress)
		return codec->unsupported;
	return codec->decompress(src, length, dst, capacity, out);
}
