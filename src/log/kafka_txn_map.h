/*
 * kafka_txn_map.h
 *	  The server's table of Kafka transactions, shared by all processes: to which transactions of
 *	  the server their numbers are mapped.
 */
#ifndef KAFKA_TXN_MAP_H
#define KAFKA_TXN_MAP_H

#include "access/xlogdefs.h"
#include "format/kafka_txn_file_format.h"
#include "format/segment_index.h"
#include "log/kafka_txn_table.h"

extern int	pgt_kafka_max_transactions; /* setting pg_topics.kafka_max_transactions */

/* The size in shared memory, for so many partitions. */
extern Size pgt_kafka_txn_map_size(int partitions);

/* Make the table, or attach to it. */
extern void pgt_kafka_txn_map_init(int partitions);

/* ---- asking --------------------------------------------------------------------- */

/* What is known of a number. */
typedef enum KafkaTxnAnswer
{
	KAFKA_TXN_OPEN,
	KAFKA_TXN_MAPPED,			/* it has become of it what has become of the transaction with that id */
	KAFKA_TXN_ABORTED,			/* it was aborted in the transaction with that id */
	KAFKA_TXN_UNKNOWN			/* the entries of its batches tell; or it was lost */
} KafkaTxnAnswer;

/*
 * What has become of a number, and the 64-bit id of the transaction that has ended it.  A snapshot
 * takes an open one as running, and another one if it takes that transaction as running.
 */
extern KafkaTxnAnswer pgt_kafka_txn_map_look_up(uint64 number, uint64 *xid);

/*
 * Let a numbered entry that was read say what it will say when it is resolved: the id, and
 * ENTRY_ABORTED.  It stays numbered while its transaction is open.  False if the number is not
 * known: then the entry in the index has it by now, or it was lost.
 *
 * ended_lsn may be NULL.  It gets the end of the record that has ended it; 0 where that was before the
 * server's start, and so is durable, or where it is not known any more.
 */
extern bool pgt_kafka_txn_map_translate(IndexEntry *entry, XLogRecPtr *ended_lsn);

/* A transaction as views show it. */
typedef struct KafkaTxnInfo
{
	uint64		number;
	uint64		xid;			/* as in KafkaTxn; 0: it is open */
	bool		aborted;
	int64		producer_id;
	int16		producer_epoch;
	Oid			database;
	int64		started;		/* TimestampTz */
	int			part_count;
	const KafkaTxnFilePart *parts;	/* where it has batches that are not resolved */
} KafkaTxnInfo;

/* All transactions as of one moment, and their parts: palloc'd in one piece.  Returns how many there are. */
extern int	pgt_kafka_txn_map_list(KafkaTxnInfo **transactions);

/* The parts of an open transaction that have batches, palloc'd.  Returns how many there are; none if it is not open. */
extern int	pgt_kafka_txn_map_parts(uint64 number, KafkaTxnFilePart **parts);

/* How many transactions are open or not resolved?  No lock is taken: the answer may be that of a moment ago. */
extern int	pgt_kafka_txn_map_count(void);

/* When the open transaction of that number was begun.  False if it is not open. */
extern bool pgt_kafka_txn_map_started(uint64 number, int64 *started);

/* The open transaction of a producer in a database.  False if there is none. */
extern bool pgt_kafka_txn_map_find_producer(Oid database, int64 producer_id, uint64 *number, int16 *epoch);

/*
 * The open transaction whose batch is the first in the partition of a slot; false if there is
 * none.  For views: the caller need not hold a lock.
 */
extern bool pgt_kafka_txn_map_first_open(int slot, int64 *producer_id);

/* One that has ended, and has batches in a partition whose entries may not tell so. */
typedef struct KafkaTxnEnded
{
	uint64		number;
	uint64		xid;
	bool		aborted;		/* whatever has become of the transaction with that id */
	int64		first_offset;	/* of its first batch in the partition */
	int64		end_offset;		/* behind its last one */
} KafkaTxnEnded;

/* Those of the partition of a slot, palloc'd.  Returns how many there are. */
extern int	pgt_kafka_txn_map_list_ended(int slot, KafkaTxnEnded **ended);

/* The oldest id that one is mapped to, of which batches are unresolved; PG_UINT64_MAX: none. */
extern uint64 pgt_kafka_txn_map_oldest_xid(void);

/* ---- appending -------------------------------------------------------------------- */

/* May batches be appended under a number? */
typedef enum KafkaTxnHold
{
	KAFKA_TXN_HELD,				/* yes: the table is locked until pgt_kafka_txn_map_end_append() */
	KAFKA_TXN_HOLD_ENDED,		/* it is not open */
	KAFKA_TXN_HOLD_FENCED,		/* it is of another producer, or of another epoch */
	KAFKA_TXN_HOLD_FULL			/* the table has no room for another partition */
} KafkaTxnHold;

/* Who wants to append, and where. */
typedef struct KafkaTxnAppend
{
	uint64		number;
	int64		producer_id;
	int16		producer_epoch;
	int			slot;
	TopicPartition key;
	int64		first_offset;	/* set: what it has appended there before; zeros: nothing */
	int64		end_offset;
} KafkaTxnAppend;

/*
 * Hold a transaction open while batches are appended.  The caller holds the slot's lock
 * exclusively.  An ERROR releases the hold with the other locks.
 */
extern KafkaTxnHold pgt_kafka_txn_map_begin_append(KafkaTxnAppend *append);
extern void pgt_kafka_txn_map_end_append(void);

/* A batch was appended while the hold lasts; cannot fail.  The end is the offset behind it. */
extern void pgt_kafka_txn_map_appended(uint64 number, int slot, int64 first_offset, int64 end_offset);

/* ---- changing it, with a WAL record and in redo -------------------------------------- */

/*
 * The lock of the table.  Whoever changes it inserts the WAL record under the same hold, and
 * then says where that ends.
 */
extern KafkaTxnTable *pgt_kafka_txn_map_lock(void);
extern void pgt_kafka_txn_map_changed(XLogRecPtr lsn);
extern void pgt_kafka_txn_map_unlock(void);

/* Redo of an append.  False if there is no room.  The caller holds the slot's lock. */
extern bool pgt_kafka_txn_map_redo_append(const KafkaTxnAppend *append);

/*
 * A partition is resolved, or starts, at the offset by the record that ends at "lsn": nothing below
 * it is numbered.  The caller holds the slot's lock exclusively.
 */
extern void pgt_kafka_txn_map_pass(int slot, int64 offset, XLogRecPtr lsn);

/*
 * No entry of the slot's partition has these numbers any more, of transactions that have ended, as the record says that ends
 * at "lsn".  The caller holds the slot's lock exclusively.
 */
extern void pgt_kafka_txn_map_settled(int slot, const uint64 *numbers, int count, XLogRecPtr lsn);

/* The partition of a slot is gone.  The caller holds the slot's lock. */
extern void pgt_kafka_txn_map_clear_slot(int slot);

/* A database is gone. */
extern void pgt_kafka_txn_map_forget_database(Oid database);

/* ---- saving ---------------------------------------------------------------------------- */

/* The bytes that a saved table takes at most. */
extern Size pgt_kafka_txn_map_save_size(void);

/* A saved table: what follows a file's header. */
typedef struct KafkaTxnSaved
{
	uint32		transactions;
	uint32		parts;
	uint32		max_transactions;	/* of the server that wrote the WAL; 0: not known */
	XLogRecPtr	lsn;			/* the WAL up to here says so */
} KafkaTxnSaved;

/* Copy the table to "bytes". */
extern void pgt_kafka_txn_map_save(char *bytes, KafkaTxnSaved *saved);

/*
 * Has it changed since this was asked?  pgt_kafka_txn_map_note_change() lets the answer be yes; one
 * function forgets it with that, the other does not.
 */
extern bool pgt_kafka_txn_map_take_change(void);
extern bool pgt_kafka_txn_map_has_changed(void);
extern void pgt_kafka_txn_map_note_change(void);

/* How many transactions the server that wrote the WAL may have; 0: not known.  For redo and loading. */
extern int	pgt_kafka_txn_map_wal_max(void);
extern void pgt_kafka_txn_map_set_wal_max(int transactions);

/* Take over one that was saved; false if there is no room.  For the postmaster. */
extern bool pgt_kafka_txn_map_restore(const KafkaTxnFileEntry *entry);
extern bool pgt_kafka_txn_map_restore_part(const KafkaTxnFilePart *part, int slot, int64 log_end);

/* All parts are restored: ended transactions without parts go. */
extern void pgt_kafka_txn_map_restored(void);

#endif							/* KAFKA_TXN_MAP_H */
