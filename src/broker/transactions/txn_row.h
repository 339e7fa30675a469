/*
 * txn_row.h
 *	  The rows of topic_kafka_transactional_ids.
 *
 * A row says which producer a transactional id belongs to, and what has become of its last transaction.  Whether it has
 * an open one is not in the row: the log has a table of those (wal/kafka_txn.h).
 *
 * Only the process that coordinates the database's groups writes rows, but for functions in SQL, which lock the row
 * first.  All functions are called in a transaction, at its end or with an active snapshot, and wait for nothing.
 */
#ifndef TXN_ROW_H
#define TXN_ROW_H

#include "datatype/timestamp.h"
#include "storage/itemptr.h"

/* The most bytes of a transactional id, which is a key. */
#define TXN_ROW_ID_MAX	1024

typedef enum TxnRowState
{
	TXN_ROW_EMPTY,				/* it has had none since its producer was given the epoch */
	TXN_ROW_BEGUN,				/* it was begun, and if it is not open any more it was lost */
	TXN_ROW_COMMITTED,
	TXN_ROW_ABORTED
} TxnRowState;

typedef struct TxnRow
{
	char	   *id;
	Oid			owner;
	int64		producer_id;
	int16		epoch;
	int64		previous_producer_id;	/* NO_PRODUCER_ID: none */
	int16		previous_epoch;
	int32		timeout_ms;
	TxnRowState state;
	TimestampTz changed;
	bool		is_new;			/* this version is of the current transaction, which can still be lost */

	/* of txn_row.c */
	ItemPointerData tid;
	bool		exists;
} TxnRow;

/* Read the row of a transactional id, or of a producer: its latest version.  False, and zeros but for the id, if there is none. */
extern bool pgt_txn_row_find(const char *id, TxnRow *row);
extern bool pgt_txn_row_find_producer(int64 producer_id, TxnRow *row);

/* Read the row of the first transactional id behind this one, in the order of their bytes; NULL: the first one at all. */
extern bool pgt_txn_row_next(const char *behind, TxnRow *row);

/* How many rows a role has. */
extern int	pgt_txn_row_count(Oid owner);

/* Delete what was found, unless another transaction has it. */
extern void pgt_txn_row_delete(const TxnRow *row);

/* Write what was found anew, or where it does not exist.  False, with nothing written, where another transaction has it. */
extern bool pgt_txn_row_write(TxnRow *row);

#endif							/* TXN_ROW_H */
