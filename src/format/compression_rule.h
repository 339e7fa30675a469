/*
 * compression_rule.h
 *	  When a batch is stored compressed.
 *
 * With a codec that somebody has named a batch is, wherever that makes it smaller.  With one
 * that nobody has named, "by_size", it is only where it pays: records of fewer bytes in a
 * batch are not worth the time that compressing and decompressing takes, nor is saving less
 * than a part of them.  Producing, compaction and merging go by the same rule, so a batch
 * does not change its form only because it was rewritten.
 */
#ifndef COMPRESSION_RULE_H
#define COMPRESSION_RULE_H

#include "c.h"

#define COMPRESSION_RULE_MIN_BYTES	1024
#define COMPRESSION_RULE_MIN_SAVED(length)	((length) / 8)

/* Is a batch with records of so many bytes to be compressed? */
static inline bool
pgt_compression_rule_tries(bool by_size, Size length)
{
	return !by_size || length >= COMPRESSION_RULE_MIN_BYTES;
}

/* Is it to be stored so, where that gives so many bytes? */
static inline bool
pgt_compression_rule_keeps(bool by_size, Size length, Size compressed)
{
	return compressed < length - (by_size ? COMPRESSION_RULE_MIN_SAVED(length) : 0);
}

#endif							/* COMPRESSION_RULE_H */
