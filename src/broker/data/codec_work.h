/*
 * codec_work.h
 *	  Compressing and decompressing large batches, beside the loop.
 */
#ifndef CODEC_WORK_H
#define CODEC_WORK_H

#include "format/compression.h"

/* The records of a batch that are packed or unpacked, and then the result. */
typedef struct CodecWork CodecWork;

/*
 * Begin.  The bytes are copied.  ready() is called in the loop when it is done.  NULL: it cannot be done beside the loop, or there is too
 * much of it at the moment, as *busy says; then ready() is not called.  "most" is what the result may have at most.
 */
extern CodecWork *pgt_codec_work_unpack(int codec, const char *bytes, size_t length, size_t most,
										void (*ready) (void *arg), void *arg, bool *busy);
extern CodecWork *pgt_codec_work_pack(int codec, int level, const char *bytes, size_t length,
									  void (*ready) (void *arg), void *arg, bool *busy);

extern bool pgt_codec_work_is_done(const CodecWork *work);

/* What has come of it: NULL, and the bytes, which live as long as the work; or the problem of pgt_compress() and pgt_decompress(). */
extern const char *pgt_codec_work_result(const CodecWork *work, const char **bytes, size_t *length);

/* Give it back, done or not. */
extern void pgt_codec_work_free(CodecWork *work);

#endif							/* CODEC_WORK_H */
