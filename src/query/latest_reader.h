/*
 * latest_reader.h
 *	  The last record of each key in one partition, or of some keys.
 */
#ifndef LATEST_READER_H
#define LATEST_READER_H

#include "query/key_set.h"
#include "wal/log_reader.h"

typedef struct LatestReader LatestReader;

/*
 * Begin to read the records that the snapshot sees as the last ones of their keys.  keys: of
 * these alone, as far as bytes tell; NULL: of all.  probe: the same keys for the topic's index
 * of keys, NULL: it is not asked.  counts: where to count what is read, or NULL.  The reader
 * works in a memory context of its own below the current one.
 */
extern LatestReader *pgt_latest_reader_begin(const TopicPartition *partition, Snapshot snapshot,
											 const KeySet *keys, const KeyProbe *probe,
											 LogReaderCounts *counts);

/*
 * Set *record to the next of them that is no tombstone; its bytes are valid until the next
 * call.  They come in the order of their offsets, unless there are more keys than hash_mem
 * has room for.  False if there are no more.
 */
extern bool pgt_latest_reader_next(LatestReader *reader, Record *record);

/* End the reader and free its memory. */
extern void pgt_latest_reader_end(LatestReader *reader);

#endif							/* LATEST_READER_H */
