/*
 * producer.h
 *	  Records of the running transaction, from produce() to the log.
 */
#ifndef PRODUCER_H
#define PRODUCER_H

#include "format/record_batch.h"
#include "produce/pending_batch.h"
#include "wal/log_writer.h"

extern int	pgt_buffer_memory;	/* setting pg_topics.buffer_memory, kB */

/* What a transaction appended to one partition. */
typedef struct ProducedRange
{
	Oid			topic;
	int32		partition;
	int64		base_offset;
	int64		last_offset;
	int64		records;
} ProducedRange;

/* More than nack()'s headers ever take. */
#define PRODUCER_HEADER_ROOM	(64 * 1024)

/*
 * Add a record to the transaction.  record->offset is NO_OFFSET, or the
 * offset the record must get (ERROR at commit where the log is past it);
 * everything is copied.  The caller has checked privileges, holds
 * RowExclusiveLock on the topic until commit, and has checked that the
 * transaction may write.  ERROR where the record alone passes
 * max.message.bytes, or has no key in a compacted topic.
 */
extern void pgt_producer_add(const TopicPartition *key, const LogConfig *config, const Record *record);

/*
 * The same for a copy of a record that could not be processed, with headers that say
 * so: however large its topic's records may be, it is taken, since producers have to
 * leave room for PRODUCER_HEADER_ROOM bytes of them.
 */
extern void pgt_producer_add_failed(const TopicPartition *key, const LogConfig *config, const Record *record);

/*
 * Append what is pending now.  ERROR inside a subtransaction: the records
 * could not be taken back with it.
 */
extern void pgt_producer_flush(void);

/* Has the transaction begun a batch for the partition that takes so many bytes more? */
extern bool pgt_producer_has_room(const TopicPartition *key, Size size);

/* Records not yet appended for a topic (InvalidOid: for any). */
extern bool pgt_producer_has_pending(Oid topic);

/*
 * ERROR (object_in_use) where the transaction has produced to the topic, flushed or
 * not: what must wait for all producers, or leaves no record, would wait for the
 * transaction itself or lose what it has still to commit.  "action" is for the
 * message, as in "truncate".
 */
extern void pgt_producer_check_unused(Oid topic, const char *action);

/* What the last committed transaction that produced has appended. */
extern const ProducedRange *pgt_producer_last_committed(int *count);

/* What the running transaction has appended by flush() so far. */
extern const ProducedRange *pgt_producer_flushed(int *count);

/* Install the transaction callbacks; called once per process. */
extern void pgt_producer_init(void);

#endif							/* PRODUCER_H */
