/*
 * durable_wal.c
 *	  Up to where the WAL is durable: on this server, and on its synchronous standbys.
 *
 * How far the standbys are is kept in shared memory by the processes that send them WAL,
 * whether or not somebody waits (syncrep.c).  What they keep is what a commit with
 * synchronous_commit = on waits for, whatever synchronous_standby_names asks for: a list, FIRST or
 * ANY.  It only grows, and stays as it was while there are no synchronous standbys.
 *
 * Whether there are any, each process says by its own value of synchronous_standby_names: the server
 * parses it in every process that reads its configuration, and has no SyncRepConfig where it is
 * empty.  A commit asks the flag that the checkpointer sets in shared memory instead, since a
 * process that waits for standbys cannot reload.  The two differ only while a reload is under way,
 * in which some processes have the new value and some have not.  The processes that ask here reload
 * between two questions, and look again after that: so with the new value they wait for
 * standbys, or wait for them no longer.
 *
 * Locks: SyncRepLock, shared.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/lwlock.h"
#include "wal/durable_wal.h"

bool
pgt_durable_wal_has_standbys(void)
{
	return max_wal_senders > 0 && SyncRepConfig != NULL;
}

XLogRecPtr
pgt_durable_wal_end(void)
{
	XLogRecPtr	flushed;
	XLogRecPtr	synced;

	if (RecoveryInProgress())
		return PG_UINT64_MAX;
	flushed = GetFlushRecPtr(NULL);
	if (!pgt_durable_wal_has_standbys())
		return flushed;
	LWLockAcquire(SyncRepLock, LW_SHARED);
	synced = WalSndCtl->lsn[SYNC_REP_WAIT_FLUSH];
	LWLockRelease(SyncRepLock);
	return Min(flushed, synced);
}

XLogRecPtr
pgt_durable_wal_insert_end(void)
{
	XLogRecPtr	lsn = GetXLogInsertRecPtr();

	if (XLogSegmentOffset(lsn, wal_segment_size) == SizeOfXLogLongPHD)
		return lsn - SizeOfXLogLongPHD;
	if (lsn % XLOG_BLCKSZ == SizeOfXLogShortPHD)
		return lsn - SizeOfXLogShortPHD;
	return lsn;
}
