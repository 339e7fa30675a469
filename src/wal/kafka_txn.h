/*
 * kafka_txn.h
 *	  Kafka transactions: beginning and ending them, and what has become of one.
 *
 * A producer's way through one, for whoever serves it:
 *
 *	  pgt_kafka_txn_begin()				the number; the same one as long as it is open
 *	  pgt_log_writer_append_numbered()	batches, in any partitions of the database.  They are answered
 *										when the WAL is durable up to the LSN of each
 *	  pgt_kafka_txn_end()				in the transaction that commits offsets and rows with them
 *
 * Nobody but the caller ends a Kafka transaction: how long it may be open, and who may begin or end
 * one of a producer, is for the caller to decide.
 */
#ifndef KAFKA_TXN_H
#define KAFKA_TXN_H

#include "log/kafka_txn_map.h"
#include "util/compat.h"
#include "wal/wal_record.h"

/* What has become of a wish. */
typedef enum KafkaTxnResult
{
	KAFKA_TXN_DONE,
	KAFKA_TXN_NOT_OPEN,			/* end: it has ended, or there is no such number */
	KAFKA_TXN_OTHER_EPOCH,		/* begin: the producer has an open one of another epoch, which is to be ended first */
	KAFKA_TXN_FULL,				/* begin: there are as many as pg_topics.kafka_max_transactions says */
	KAFKA_TXN_TRY_AGAIN			/* in recovery, or while no sync process runs */
} KafkaTxnResult;

/*
 * The number of the open Kafka transaction of a producer in a database; one is begun if it has none.
 * Sets *number for KAFKA_TXN_DONE.  It needs no transaction.  It survives a crash when the WAL was
 * flushed up to a later batch or end of it.  Once in a thousand times this flushes the WAL.
 */
extern KafkaTxnResult pgt_kafka_txn_begin(int64 producer_id, int16 epoch, Oid database, uint64 *number);

/* Throw the ERROR for KAFKA_TXN_FULL, which names the setting. */
pg_noreturn extern void pgt_kafka_txn_fail_full(void);

/*
 * End a Kafka transaction in the current transaction of the server, which gets an id.
 *
 * With "commit" its records are committed with that, and seen from its commit on, as the rows that
 * it writes.  If that aborts, they are aborted, and so they are if it is lost with a crash.  In a
 * subtransaction that rolls back they are aborted as well, whatever becomes of the whole: a Kafka
 * transaction that was ended is never open again.  PREPARE TRANSACTION is refused.
 *
 * Without "commit" they are aborted, whatever becomes of the current transaction.  Until that ends
 * they hold readers back all the same, as every snapshot takes it as running.
 *
 * When the current transaction has ended, be it by an abort, the end is durable: its commit is
 * synchronous, whatever synchronous_commit says.
 */
extern KafkaTxnResult pgt_kafka_txn_end(uint64 number, bool commit);

/*
 * The same for a process that tells nobody of the end before the WAL is durable up to the commit of the current
 * transaction: that need not be synchronous.  Where it aborts, the end is durable.
 */
extern KafkaTxnResult pgt_kafka_txn_end_unflushed(uint64 number, bool commit);

/* How a Kafka transaction stands. */
typedef enum KafkaTxnState
{
	KAFKA_TXN_IS_OPEN,
	KAFKA_TXN_IS_ENDING,		/* to be committed by a transaction that is running */
	KAFKA_TXN_IS_COMMITTED,
	KAFKA_TXN_IS_ABORTED,
	KAFKA_TXN_IS_FORGOTTEN		/* it has ended, and its entries tell how; or there was none of that number */
} KafkaTxnState;

/* How the number stands now. */
extern KafkaTxnState pgt_kafka_txn_state(uint64 number);

/* Redo.  The first is false if there is no room. */
extern bool pgt_kafka_txn_redo_begin(const xl_pgt_kafka_begin *xlrec, XLogRecPtr lsn);
extern void pgt_kafka_txn_redo_end(const xl_pgt_kafka_end *xlrec, XLogRecPtr lsn);

/* Register callbacks for the ends of transactions. */
extern void pgt_kafka_txn_init(void);

#endif							/* KAFKA_TXN_H */
