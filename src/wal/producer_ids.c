/*
 * producer_ids.c
 *	  Giving ids to idempotent producers.
 *
 * An id is never given out twice, since what a producer has sent is told by it.
 *
 *	  62         44 43                              0
 *	  [ timeline   ][ number                         ]
 *
 * Numbers are given out from shared memory.  A WAL record takes a block of them in advance, and is
 * flushed before the first one of the block is told to a client.  After a crash numbers go on
 * behind the last block that the WAL and the file of producers (producer_file.c) know.
 *
 * A server that was promoted, or restored to an earlier time, may lack the last blocks of the
 * one before it; its timeline is another one.  A cluster that was made from a dump, or has lost
 * its file of producers, knows nothing of ids that older producers still have, and after
 * pg_upgrade timelines begin anew.  For these cases no block begins below the clock: 4,000
 * numbers have passed in each second since 2025, more than are given out in the long run.  The
 * number has room for that until 2164.
 *
 * Ids are those of the whole cluster, so there is no sequence in a database that a
 * dump would have to bring.
 *
 * While no sync process runs, no block is taken, since a checkpoint could pass its record
 * without the file.  A sync process that ends makes a last sync, which passes the lock.
 *
 * Locks: producer_ids_lock; the WAL is flushed without it.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "access/xloginsert.h"
#include "format/record_batch.h"
#include "log/log_state.h"
#include "util/clock.h"
#include "util/fault_point.h"
#include "wal/producer_ids.h"

#define BLOCK				1000
#define NUMBER_BITS			44
#define TIMELINE_MASK		0x7ffff
#define CLOCK_BEGINS_MS		INT64CONST(1735689600000)	/* 2025-01-01 */
#define NUMBERS_PER_MS		4

/* The least number that may be given out now. */
static uint64
number_of_clock(void)
{
	int64		since = pgt_clock_now_ms() - CLOCK_BEGINS_MS;

	return Max(since, 0) * NUMBERS_PER_MS;
}

/* Take the next block of numbers.  The caller holds the lock. */
static void
take_block(void)
{
	uint64		first = Max(pgt_log_state->producer_ids_end, number_of_clock());
	xl_pgt_producer_ids xlrec = {first + BLOCK};

	/* before the record: a checkpoint behind it must find the mark */
	pg_atomic_write_u32(&pgt_log_state->producers_changed, 1);
	pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
	pgt_wal_record_begin();
	pgt_wal_record_register(&xlrec, sizeof(xlrec));
	pgt_log_state->producer_ids_lsn = XLogInsert(PGT_RMGR_ID, XLOG_PGT_PRODUCER_IDS);
	pgt_log_state->next_producer_id = first;
	pgt_log_state->producer_ids_end = xlrec.end;
}

int64
pgt_producer_ids_next(void)
{
	uint64		number;
	XLogRecPtr	lsn;

	if (RecoveryInProgress())
		return NO_PRODUCER_ID;
	LWLockAcquire(&pgt_log_state->producer_ids_lock, LW_EXCLUSIVE);
	if (pgt_log_state->next_producer_id >= pgt_log_state->producer_ids_end)
	{
		if (pg_atomic_read_u32(&pgt_log_state->self_sync) != 0)
		{
			LWLockRelease(&pgt_log_state->producer_ids_lock);
			return NO_PRODUCER_ID;
		}
		take_block();
	}
	number = pgt_log_state->next_producer_id++;
	lsn = pgt_log_state->producer_ids_lsn;
	LWLockRelease(&pgt_log_state->producer_ids_lock);

	FAULT_POINT("producer-ids-logged");
	XLogFlush(lsn);
	FAULT_POINT("producer-ids-flushed");
	return ((int64) (GetWALInsertionTimeLine() & TIMELINE_MASK) << NUMBER_BITS) + number;
}

void
pgt_producer_ids_redo(const xl_pgt_producer_ids *xlrec)
{
	LWLockAcquire(&pgt_log_state->producer_ids_lock, LW_EXCLUSIVE);
	pgt_log_state->producer_ids_end = Max(pgt_log_state->producer_ids_end, xlrec->end);
	pgt_log_state->next_producer_id = pgt_log_state->producer_ids_end;
	LWLockRelease(&pgt_log_state->producer_ids_lock);
	pg_atomic_write_u32(&pgt_log_state->producers_changed, 1);
	pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
}
