/*
 * producer.h
 *	  Records of the running transaction, from produce() to the log.
 */
#ifndef PRODUCER_H
#define PRODUCER_H

#include "format/record_batch.h"
#include "produce/pending_batch.h"
#include "wal/log_writer.h"

/* The offsets that a transaction has appended to one partition. */
typedef struct ProducerRange
{
	Oid			topic;
	int32		partition;
	int64		base_offset;
	int64		last_offset;
	int64		records;
} ProducerRange;

/* Bytes kept free for the headers that nack() adds; they never need more. */
#define PRODUCER_HEADER_ROOM	(64 * 1024)

/*
 * Add a record to the transaction.  record->offset is NO_OFFSET, or the offset that
 * the record must get; the commit fails where the log is already past it.  The record
 * is copied.  The caller has checked privileges and that the transaction may write, and
 * holds RowExclusiveLock on the topic until commit.  ERROR where the record alone exceeds
 * max.message.bytes, has no key in a compacted topic, or has a timestamp that the topic
 * does not allow.  A record with an offset comes from a dump: none of these hold for it,
 * and with LogAppendTime it keeps its timestamp.
 */
extern void pgt_producer_add(const TopicPartition *key, const LogConfig *config, const Record *record);

/* Is the record small enough for pgt_producer_add()?  Compresses it if that decides. */
extern bool pgt_producer_fits(const LogConfig *config, const Record *record);

/*
 * Add the copy of a record that could not be processed, with headers that say why, as
 * pgt_producer_add() does.  The copy is accepted even if it exceeds the topic's
 * max.message.bytes: other records leave PRODUCER_HEADER_ROOM bytes of the largest
 * possible batch free, so there is always room for the added headers.
 */
extern void pgt_producer_add_failed(const TopicPartition *key, const LogConfig *config, const Record *record);

/*
 * Append all pending records now.  ERROR inside a subtransaction, whose rollback could
 * not remove appended records.
 */
extern void pgt_producer_flush(void);

/* Does this transaction have an open batch for the partition with room for "size" more bytes? */
extern bool pgt_producer_has_room(const TopicPartition *key, Size size);

/*
 * Does this transaction have records for the topic (InvalidOid: for any topic) that are
 * not appended yet?
 */
extern bool pgt_producer_has_pending(Oid topic);

/*
 * ERROR (object_in_use) where this transaction has produced to the topic, flushed or
 * not.  Called by operations that wait for all producers or remove all records: they
 * would wait for this transaction itself, or lose records that it has still to commit.
 * "action" is the verb in the message, such as "truncate".
 */
extern void pgt_producer_check_unused(Oid topic, const char *action);

/* The ranges that this session's last committed transaction with records has appended. */
extern const ProducerRange *pgt_producer_last_committed(int *count);

/* Forget them, so that a session that goes to another client shows nothing of the last one's. */
extern void pgt_producer_forget_committed(void);

/* The ranges that the running transaction has appended by flush() so far. */
extern const ProducerRange *pgt_producer_flushed(int *count);

/* Install the transaction callbacks; called once per process. */
extern void pgt_producer_init(void);

#endif							/* PRODUCER_H */
