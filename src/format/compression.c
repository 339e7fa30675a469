/*
 * compression.c
 *	  The codecs of a record batch, behind one dispatch.
 *
 * A batch names its codec in the low three bits of its attributes; only the
 * records behind the 61 header bytes are compressed.  This file alone knows which codecs
 * there are, their names in compression.type, and how to run them.  It does not look
 * at batches, choose a codec, or allocate its results: the caller brings both buffers.
 *
 *		attributes & 7		codecs[]
 *			 0 ------------> none		copy
 *			 1 ------------> gzip		one plain gzip stream
 *			 2 ------------> snappy		xerial framing
 *			 3 ------------> lz4		standard frame
 *			 4 ------------> zstd		standard frame
 *
 * A codec is one row of the table.  It writes what Kafka's Java client writes, and
 * reads all that a Kafka client may have written: several gzip members, a snappy block
 * without framing, several lz4 or zstd frames with or without the size of their
 * content.
 *
 * Invariants: a method never writes past "capacity" and never reads past
 * "length", whatever the bytes are.  *out is set only on success.  Two problems are
 * not damage, and a caller tells them by their addresses: pgt_decompress_overflow, for
 * a buffer that is too small, and pgt_compression_no_memory.  If the bytes are cut off
 * just where the buffer is full, the problem is the overflow at first, and damage once
 * the caller tries again with a larger buffer.
 *
 * Memory: each library's working context is made by malloc() at its first use and kept
 * by the process, since making one costs more than compressing a small batch; one
 * that grew large is freed.  Each thread has its own, one of a codec for each direction: a process that
 * serves Kafka's clients has some that do nothing else.
 *
 * Works on bytes only: no palloc, no ereport.  Problems are constant strings.
 */
#include "c.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "port/pg_bswap.h"

#include "format/compression.h"

#define PER_THREAD	__thread

/* One codec. */
typedef struct Codec
{
	const char *name;			/* as in compression.type */
	size_t		(*bound) (size_t length);
	const char *(*compress) (int level, const char *src, size_t length,
							 char *dst, size_t capacity, size_t *out);
	const char *(*decompress) (const char *src, size_t length,
							   char *dst, size_t capacity, size_t *out);
} Codec;

const char *const pgt_decompress_overflow = "decompressed records do not fit the buffer";
const char *const pgt_compression_no_memory = "no memory for the codec's working context";

static const char *const compress_overflow = "compressed records do not fit the buffer";
static const char *const unknown_codec = "compression codec is unknown";

/* A context larger than this is not kept: zstd's, at high levels. */
#define KEPT_CONTEXT_MAX	(16 * 1024 * 1024)

/* ---- none ---------------------------------------------------------------- */

/* Without compression the size stays. */
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
		return compress_overflow;
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

/* ---- gzip ---------------------------------------------------------------- */

/* 32 KiB of window, and zlib is to write and to expect a gzip header */
#define GZIP_WINDOW_BITS	(15 + 16)
#define GZIP_MEMORY_LEVEL	8

static PER_THREAD z_stream deflater;		/* ready where its state is not NULL */
static PER_THREAD int deflater_level;
static PER_THREAD z_stream inflater;

/* zlib wants an address even for no bytes. */
static char nowhere[1];

/* deflate's own bound, with room for the gzip header and trailer. */
static size_t
gzip_bound(size_t length)
{
	return length + (length >> 10) + (length >> 12) + (length >> 14) + 64;
}

/* Make the deflater ready for a new stream. */
static bool
reset_deflater(int level)
{
	if (deflater.state != NULL && deflater_level == level)
		return deflateReset(&deflater) == Z_OK;
	if (deflater.state != NULL)
		deflateEnd(&deflater);
	memset(&deflater, 0, sizeof(deflater));
	deflater_level = level;
	return deflateInit2(&deflater, level, Z_DEFLATED, GZIP_WINDOW_BITS,
						GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
}

static const char *
gzip_compress(int level, const char *src, size_t length, char *dst, size_t capacity, size_t *out)
{
	if (!reset_deflater(level == 0 ? Z_DEFAULT_COMPRESSION : level))
		return pgt_compression_no_memory;
	deflater.next_in = (Bytef *) (length > 0 ? unconstify(char *, src) : nowhere);
	deflater.avail_in = (uInt) length;
	deflater.next_out = (Bytef *) (capacity > 0 ? dst : nowhere);
	deflater.avail_out = (uInt) capacity;
	if (deflate(&deflater, Z_FINISH) != Z_STREAM_END)
		return compress_overflow;
	*out = capacity - deflater.avail_out;
	return NULL;
}

/* Make the inflater ready for a new stream. */
static bool
reset_inflater(void)
{
	if (inflater.state != NULL)
		return inflateReset(&inflater) == Z_OK;
	memset(&inflater, 0, sizeof(inflater));
	return inflateInit2(&inflater, GZIP_WINDOW_BITS) == Z_OK;
}

/* One member after the other until the bytes end. */
static const char *
gzip_decompress(const char *src, size_t length, char *dst, size_t capacity, size_t *out)
{
	if (!reset_inflater())
		return pgt_compression_no_memory;
	inflater.next_in = (Bytef *) (length > 0 ? unconstify(char *, src) : nowhere);
	inflater.avail_in = (uInt) length;
	inflater.next_out = (Bytef *) (capacity > 0 ? dst : nowhere);
	inflater.avail_out = (uInt) capacity;
	for (;;)
	{
		int			status = inflate(&inflater, Z_FINISH);

		if (status == Z_STREAM_END && inflater.avail_in == 0)
			break;
		if (status == Z_STREAM_END)
		{
			/* keeps where input and output stand */
			if (inflateReset(&inflater) != Z_OK)
				return pgt_compression_no_memory;
			continue;
		}
		if (status == Z_MEM_ERROR)
			return pgt_compression_no_memory;
		if (status != Z_OK && status != Z_BUF_ERROR)
			return "gzip stream is damaged";
		return inflater.avail_out == 0 ? pgt_decompress_overflow : "gzip stream is cut off";
	}
	*out = capacity - inflater.avail_out;
	return NULL;
}

/* ---- snappy -------------------------------------------------------------- */

/*
 * The framing of xerial's snappy-java: magic, version 1, compatible with 1,
 * then blocks, each behind its compressed length; integers are big-endian.
 */
static const char xerial_header[16] = {
	(char) 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1
};

#define XERIAL_MAGIC_SIZE	8
#define XERIAL_BLOCK		(32 * 1024)
#define XERIAL_LENGTH_SIZE	4

/* A copy of 64 bytes takes three, so no block holds more than this times its size. */
#define SNAPPY_MAX_RATIO	22

static size_t
snappy_bound(size_t length)
{
	size_t		blocks = length / XERIAL_BLOCK;

	return sizeof(xerial_header) +
		blocks * (XERIAL_LENGTH_SIZE + snappy_max_compressed_length(XERIAL_BLOCK)) +
		XERIAL_LENGTH_SIZE + snappy_max_compressed_length(length % XERIAL_BLOCK);
}

/* snappy has no levels. */
static const char *
snappy_compress_blocks(int level pg_attribute_unused(), const char *src, size_t length,
					   char *dst, size_t capacity, size_t *out)
{
	size_t		done = sizeof(xerial_header);

	if (capacity < snappy_bound(length))
		return compress_overflow;
	memcpy(dst, xerial_header, sizeof(xerial_header));
	while (length > 0)
	{
		size_t		block = Min(length, XERIAL_BLOCK);
		size_t		compressed = capacity - done - XERIAL_LENGTH_SIZE;
		uint32		prefix;

		if (snappy_compress(src, block, dst + done + XERIAL_LENGTH_SIZE, &compressed) != SNAPPY_OK)
			return compress_overflow;
		prefix = pg_hton32((uint32) compressed);
		memcpy(dst + done, &prefix, XERIAL_LENGTH_SIZE);
		done += XERIAL_LENGTH_SIZE + compressed;
		src += block;
		length -= block;
	}
	*out = done;
	return NULL;
}

/* One raw block; its length says what it takes. */
static const char *
snappy_decompress_block(const char *src, size_t length, char *dst, size_t capacity, size_t *out)
{
	size_t		size;

	if (snappy_uncompressed_length(src, length, &size) != SNAPPY_OK ||
		size / SNAPPY_MAX_RATIO > length)
		return "snappy block is damaged";
	if (size > capacity)
		return pgt_decompress_overflow;
	if (snappy_uncompress(src, length, size > 0 ? dst : nowhere, &size) != SNAPPY_OK)
		return "snappy block is damaged";
	*out = size;
	return NULL;
}

static const char *
snappy_decompress_blocks(const char *src, size_t length, char *dst, size_t capacity, size_t *out)
{
	const char *end = src + length;
	size_t		done = 0;

	if (length < sizeof(xerial_header) || memcmp(src, xerial_header, XERIAL_MAGIC_SIZE) != 0)
		return snappy_decompress_block(src, length, dst, capacity, out);
	src += sizeof(xerial_header);
	while (src < end)
	{
		const char *problem;
		uint32		block;
		size_t		size;

		if (end - src < XERIAL_LENGTH_SIZE)
			return "snappy block is cut off";
		memcpy(&block, src, XERIAL_LENGTH_SIZE);
		block = pg_ntoh32(block);
		src += XERIAL_LENGTH_SIZE;
		if (block > end - src)
			return "snappy block is cut off";
		problem = snappy_decompress_block(src, block, dst == NULL ? NULL : dst + done,
										  capacity - done, &size);
		if (problem != NULL)
			return problem;
		done += size;
		src += block;
	}
	*out = done;
	return NULL;
}

/* ---- lz4 ----------------------------------------------------------------- */

static PER_THREAD LZ4F_cctx *lz4_compressor;
static PER_THREAD LZ4F_dctx *lz4_decompressor;

/* FLG 0x60, BD 0x40: independent blocks of 64 KiB, no size, no checksums. */
static LZ4F_preferences_t
lz4_preferences(int level)
{
	LZ4F_preferences_t preferences = {0};

	preferences.frameInfo.blockSizeID = LZ4F_max64KB;
	preferences.frameInfo.blockMode = LZ4F_blockIndependent;
	preferences.compressionLevel = level;
	preferences.autoFlush = 1;
	return preferences;
}

static size_t
lz4_bound(size_t length)
{
	LZ4F_preferences_t preferences = lz4_preferences(0);

	return LZ4F_compressFrameBound(length, &preferences);
}

/* Levels below 3 are the fast mode, those from 3 on the thorough one. */
static const char *
lz4_compress(int level, const char *src, size_t length, char *dst, size_t capacity, size_t *out)
{
	LZ4F_preferences_t preferences = lz4_preferences(level);
	size_t		begin;
	size_t		body = 0;
	size_t		end;

	if (capacity < lz4_bound(length))
		return compress_overflow;
	if (lz4_compressor == NULL &&
		LZ4F_isError(LZ4F_createCompressionContext(&lz4_compressor, LZ4F_VERSION)))
		return pgt_compression_no_memory;
	begin = LZ4F_compressBegin(lz4_compressor, dst, capacity, &preferences);
	if (LZ4F_isError(begin))
		return pgt_compression_no_memory;
	if (length > 0)
		body = LZ4F_compressUpdate(lz4_compressor, dst + begin, capacity - begin, src, length, NULL);
	if (LZ4F_isError(body))
		return "lz4 compression failed";
	end = LZ4F_compressEnd(lz4_compressor, dst + begin + body, capacity - begin - body, NULL);
	if (LZ4F_isError(end))
		return "lz4 compression failed";
	*out = begin + body + end;
	return NULL;
}

/* Give the context back with what it holds of the damaged frame; passes the problem on. */
static const char *
lz4_give_up(const char *problem)
{
	LZ4F_freeDecompressionContext(lz4_decompressor);
	lz4_decompressor = NULL;
	return problem;
}

/* One frame after the other until the bytes end. */
static const char *
lz4_decompress(const char *src, size_t length, char *dst, size_t capacity, size_t *out)
{
	size_t		read = 0;
	size_t		done = 0;
	size_t		expected;

	if (lz4_decompressor == NULL &&
		LZ4F_isError(LZ4F_createDecompressionContext(&lz4_decompressor, LZ4F_VERSION)))
		return pgt_compression_no_memory;
	LZ4F_resetDecompressionContext(lz4_decompressor);
	do
	{
		size_t		taken = length - read;
		size_t		given = capacity - done;

		expected = LZ4F_decompress(lz4_decompressor, given > 0 ? dst + done : nowhere, &given,
								   taken > 0 ? src + read : nowhere, &taken, NULL);
		if (LZ4F_isError(expected))
			return lz4_give_up("lz4 frame is damaged");
		read += taken;
		done += given;
		if (taken == 0 && given == 0)
			return lz4_give_up(done == capacity ? pgt_decompress_overflow : "lz4 frame is cut off");
	} while (expected != 0 || read < length);
	*out = done;
	return NULL;
}

/* ---- zstd ---------------------------------------------------------------- */

static PER_THREAD ZSTD_CCtx *zstd_compressor;
static PER_THREAD ZSTD_DCtx *zstd_decompressor;

/* Level 0 is the library's default. */
static const char *
zstd_compress(int level, const char *src, size_t length, char *dst, size_t capacity, size_t *out)
{
	size_t		result;

	if (zstd_compressor == NULL && (zstd_compressor = ZSTD_createCCtx()) == NULL)
		return pgt_compression_no_memory;
	result = ZSTD_compressCCtx(zstd_compressor, dst, capacity, src, length, level);
	if (ZSTD_isError(result) || ZSTD_sizeof_CCtx(zstd_compressor) > KEPT_CONTEXT_MAX)
	{
		ZSTD_freeCCtx(zstd_compressor);
		zstd_compressor = NULL;
	}
	switch (ZSTD_getErrorCode(result))
	{
		case ZSTD_error_no_error:
			*out = result;
			return NULL;
		case ZSTD_error_dstSize_tooSmall:
			return compress_overflow;
		case ZSTD_error_memory_allocation:
			return pgt_compression_no_memory;
		default:
			return "zstd compression failed";
	}
}

/* All frames.  The output is the window, so the context stays small. */
static const char *
zstd_decompress(const char *src, size_t length, char *dst, size_t capacity, size_t *out)
{
	size_t		result;

	if (length == 0)
		return "zstd frame is cut off";
	if (zstd_decompressor == NULL && (zstd_decompressor = ZSTD_createDCtx()) == NULL)
		return pgt_compression_no_memory;
	result = ZSTD_decompressDCtx(zstd_decompressor, dst, capacity, src, length);
	switch (ZSTD_getErrorCode(result))
	{
		case ZSTD_error_no_error:
			*out = result;
			return NULL;
		case ZSTD_error_dstSize_tooSmall:
			return pgt_decompress_overflow;
		case ZSTD_error_memory_allocation:
			return pgt_compression_no_memory;
		case ZSTD_error_srcSize_wrong:
			return "zstd frame is cut off";
		default:
			return "zstd frame is damaged";
	}
}

/* ---- the dispatch -------------------------------------------------------- */

static const Codec codecs[COMPRESSION_TYPE_COUNT] =
{
	[COMPRESSION_NONE] = {"none", none_bound, none_compress, none_decompress},
	[COMPRESSION_GZIP] = {"gzip", gzip_bound, gzip_compress, gzip_decompress},
	[COMPRESSION_SNAPPY] = {"snappy", snappy_bound, snappy_compress_blocks, snappy_decompress_blocks},
	[COMPRESSION_LZ4] = {"lz4", lz4_bound, lz4_compress, lz4_decompress},
	[COMPRESSION_ZSTD] = {"zstd", ZSTD_compressBound, zstd_compress, zstd_decompress}
};

/* The codec's row, or NULL for an unknown value. */
static inline const Codec *
codec_of(int type)
{
	return (type >= 0 && type < COMPRESSION_TYPE_COUNT) ? &codecs[type] : NULL;
}

const char *
pgt_compression_name(int type)
{
	const Codec *codec = codec_of(type);

	return codec ? codec->name : NULL;
}

int
pgt_compression_by_name(const char *name)
{
	if (strcmp(name, "uncompressed") == 0)
		return COMPRESSION_NONE;
	for (int type = 0; type < COMPRESSION_TYPE_COUNT; type++)
	{
		if (strcmp(name, codecs[type].name) == 0)
			return type;
	}
	return -1;
}

size_t
pgt_compress_bound(int type, size_t length)
{
	const Codec *codec = codec_of(type);

	return codec ? codec->bound(length) : 0;
}

const char *
pgt_compress(int type, int level, const char *src, size_t length,
			 char *dst, size_t capacity, size_t *out)
{
	const Codec *codec = codec_of(type);

	if (!codec)
		return unknown_codec;
	/* a batch's length is an int32 */
	if (length > PG_INT32_MAX)
		return "records are too long to be compressed";
	return codec->compress(level, src, length, dst, Min(capacity, PG_UINT32_MAX), out);
}

const char *
pgt_decompress(int type, const char *src, size_t length,
			   char *dst, size_t capacity, size_t *out)
{
	const Codec *codec = codec_of(type);

	if (!codec)
		return unknown_codec;
	if (length > PG_INT32_MAX)
		return "compressed records are too long";
	return codec->decompress(src, length, dst, Min(capacity, PG_UINT32_MAX), out);
}
