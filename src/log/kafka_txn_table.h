/*
 * kafka_txn_table.h
 *	  The table of Kafka transactions that are open or have unresolved batches.
 *
 * A Kafka transaction has a number.  Its batches are appended at once, under the number, and
 * need no transaction of the server.  When it ends it is mapped to the id of one: that which
 * commits it, or in which it is aborted.  From then on its batches are those of that id.
 *
 *	  number	  1 in the highest bit (ENTRY_NUMBERED), then an id as producers have them
 *				  (producer_ids.c): no other transaction of any server has it
 *
 *	  [ open ] --- end(commit, Y) ---> [ mapped to Y ]		the outcome is that of Y
 *		  |								   | revoke
 *		  +------- end(abort, Y) ----> [ aborted in Y ]		aborted, whatever becomes of Y
 *
 * An aborted one has an id as well, because an outcome must not come to a snapshot that was taken
 * before it: for a snapshot that takes Y as running the transaction has not ended.
 *
 * A transaction has a part for each partition that it has appended to.  A part goes when its
 * entries tell the outcome, as the partition is resolved past it, or they are settled behind a batch of
 * another one that is open; or when the records or the partition are deleted.  An ended transaction
 * goes with its last part.  Then no entry of any index has its number.
 *
 *	  number ->	 [ 17: mapped to 801 ] --> part, partition of slot 3 --> part, slot 5
 *				 [ 18: open			 ] --> part, slot 3
 *	  slot 3 ->	 part of 17, part of 18
 *
 * The table has room for twice as many as may be open or unresolved: redo may begin with what is
 * in the file of a later moment, and meet in addition what was there at an earlier one.
 *
 * No I/O, no locks, no server here: the unit test runs these functions against a model.
 * kafka_txn_map.c has the one table of a server, and its lock.
 */
#ifndef KAFKA_TXN_TABLE_H
#define KAFKA_TXN_TABLE_H

#include "format/topic_partition.h"

/* How many partitions transactions may have on average. */
#define KAFKA_TXN_TABLE_PARTS	16

/* One transaction. */
typedef struct KafkaTxn
{
	uint64		number;			/* 0: the place is free */
	uint64		xid;			/* the id that it is mapped to, 64 bits; 0: it is open */
	int64		producer_id;
	int64		started;		/* TimestampTz */
	uint64		ended_lsn;		/* end of the WAL record that says so; 0: it is open, or that was before the server's start */
	Oid			database;
	int16		producer_epoch;
	bool		aborted;
	bool		has_producer;	/* it is found by that */
	int32		part_count;
	/* places count from 1 on; 0: there is none */
	int32		first_part;
	int32		next;			/* of the same bucket, or free */
	int32		next_of_producer;	/* of the same bucket of producers */
} KafkaTxn;

/* What it has in one partition. */
typedef struct KafkaTxnPart
{
	int64		first_offset;	/* of its first batch */
	int64		end_offset;		/* behind its last batch; 0: nothing was appended yet */
	int32		transaction;	/* its place; 0: this one is free */
	int32		slot;			/* the partition's, see log_state.h */
	int32		next_of_transaction;
	int32		next_of_slot;
	TopicPartition key;
	uint32		unused;
} KafkaTxnPart;

/* The table; its arrays follow. */
typedef struct KafkaTxnTable
{
	int32		limit;			/* how many transactions there may be without redo */
	int32		room;			/* of both kinds, twice as many */
	int32		part_room;
	int32		slots;
	int32		count;			/* of both kinds, in use */
	int32		part_count;
	int32		free;			/* the first free place of both kinds */
	int32		free_part;
} KafkaTxnTable;

/* The bytes of a table. */
extern Size pgt_kafka_txn_table_size(int limit, int slots);

/* Make an empty one in so much memory. */
extern void pgt_kafka_txn_table_init(KafkaTxnTable *table, int limit, int slots);

/* Is there room for one more, if this is not redo? */
extern bool pgt_kafka_txn_table_has_room(const KafkaTxnTable *table);

/* Is there room for one more part, if this is not redo? */
extern bool pgt_kafka_txn_table_has_part_room(const KafkaTxnTable *table);

/* The transaction of that number; NULL if it is not, or not any more, in the table. */
extern KafkaTxn *pgt_kafka_txn_table_find(KafkaTxnTable *table, uint64 number);

/* The open transaction of a producer in a database, or NULL. */
extern KafkaTxn *pgt_kafka_txn_table_find_producer(KafkaTxnTable *table, Oid database, int64 producer_id);

/* A new one of that number, which is not in the table: open, all other fields zero.  NULL if all places are taken. */
extern KafkaTxn *pgt_kafka_txn_table_add(KafkaTxnTable *table, uint64 number);

/* Say whose it is.  While it is open it is found by that. */
extern void pgt_kafka_txn_table_set_producer(KafkaTxnTable *table, KafkaTxn *txn, Oid database, int64 producer_id,
											 int16 epoch);

/* Its part in the partition of a slot, or NULL. */
extern KafkaTxnPart *pgt_kafka_txn_table_find_part(KafkaTxnTable *table, const KafkaTxn *txn, int slot);

/* A new part, without batches, where it has none.  NULL if all places are taken. */
extern KafkaTxnPart *pgt_kafka_txn_table_add_part(KafkaTxnTable *table, KafkaTxn *txn, int slot,
												  const TopicPartition *key);

/*
 * It has ended, or ended otherwise than it was said before.  Parts without batches go; if no other
 * ones are left, the transaction goes.
 */
extern void pgt_kafka_txn_table_end(KafkaTxnTable *table, KafkaTxn *txn, uint64 xid, bool aborted);

/* Parts of a slot's partition go that lie wholly below an offset, or have no batches.  How many went. */
extern int	pgt_kafka_txn_table_pass(KafkaTxnTable *table, int slot, int64 offset);

/* The part of an ended transaction in a slot's partition goes.  False if there is none. */
extern bool pgt_kafka_txn_table_settle(KafkaTxnTable *table, uint64 number, int slot);

/* All parts of a slot's partition go.  How many went. */
extern int	pgt_kafka_txn_table_clear_slot(KafkaTxnTable *table, int slot);

/* Has the slot's partition any parts? */
extern bool pgt_kafka_txn_table_has_slot(const KafkaTxnTable *table, int slot);

/* All transactions of a database go, with their parts.  How many went. */
extern int	pgt_kafka_txn_table_forget_database(KafkaTxnTable *table, Oid database);

/* The smallest id that one is mapped to; PG_UINT64_MAX if there is none. */
extern uint64 pgt_kafka_txn_table_oldest_xid(KafkaTxnTable *table);

/* The transaction behind this one, the first one for NULL; NULL at the end. */
extern KafkaTxn *pgt_kafka_txn_table_next(KafkaTxnTable *table, const KafkaTxn *txn);

/* The part of the transaction behind this one, likewise. */
extern KafkaTxnPart *pgt_kafka_txn_table_next_part(KafkaTxnTable *table, const KafkaTxn *txn,
												   const KafkaTxnPart *part);

/* The part in the slot's partition behind this one, likewise. */
extern KafkaTxnPart *pgt_kafka_txn_table_next_of_slot(KafkaTxnTable *table, int slot, const KafkaTxnPart *part);

/* The transaction of a part. */
extern KafkaTxn *pgt_kafka_txn_table_of_part(KafkaTxnTable *table, const KafkaTxnPart *part);

#endif							/* KAFKA_TXN_TABLE_H */
